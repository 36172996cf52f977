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
  const std::string turned(text.rbegin(), text.rend());
  return fmt::format("{:016X}{:016X}", first, fnv(turned, first));
}

bool is_known(const Request& request, std::string_view hash) {
  std::string_view rest = request.header("if-none-match");
  const std::string quoted = fmt::format("\"{}\"", hash);
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (one.starts_with("W/")) one.remove_prefix(2);
    one = one.substr(0, one.find_last_not_of(' ') + 1);
    if (one == quoted || one == "*") return true;
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
