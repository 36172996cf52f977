// FNV-1a, because a tag only has to differ between versions of a document.
#include "apiservice/meta/etag.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace weir::apiservice {
namespace {

// FNV-1a from `state` on.
std::uint64_t fnv(std::string_view text, std::uint64_t state) {
  for (const char c : text) {
    state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return state;
}

}  // namespace

std::string hash_of(std::string_view text) {
  const std::uint64_t first = fnv(text, 0xcbf29ce484222325U);
  // Backwards, so that two texts that collide in the first half need not collide in the second.
  const std::string reversed(text.rbegin(), text.rend());
  return fmt::format("{:016X}{:016X}", first, fnv(reversed, first));
}

bool matches_etag(const Request& request, std::string_view hash) {
  std::string_view rest = request.header("if-none-match");
  const std::string quoted = fmt::format("\"{}\"", hash);
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    std::string_view tag = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    tag.remove_prefix(std::min(tag.find_first_not_of(' '), tag.size()));
    // If-None-Match compares weakly (RFC 9110, 13.1.2), so the prefix has no meaning.
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    tag = tag.substr(0, tag.find_last_not_of(' ') + 1);
    if (tag == quoted || tag == "*") return true;
  }
  return false;
}

Response not_modified(Response whole) {
  whole.status = 304;
  whole.content_type.clear();
  whole.body.clear();
  return whole;
}

}  // namespace weir::apiservice
