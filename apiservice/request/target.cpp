// Decoding happens once and here, so that authorization and routing see the same path.
#include "apiservice/request/target.hpp"

#include "scalers/settings/url.hpp"

#include <algorithm>

namespace weir::apiservice {
namespace {

std::optional<std::string> query_decoded(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return scalers::percent_decoded(spaced);
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) return std::nullopt;
  const auto mark = text.find('?');
  auto path = scalers::percent_decoded(text.substr(0, mark));
  // A NUL byte is never part of a valid path.
  if (!path || path->find('\0') != std::string::npos) return std::nullopt;
  Target out{std::move(*path), {}};
  std::string_view rest = mark == text.npos ? std::string_view{} : text.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    // Go treats a raw ';' as an error since 1.17, because proxies disagree on it as a separator.
    if (pair.find(';') != pair.npos) return std::nullopt;
    const auto equals = pair.find('=');
    auto name = query_decoded(pair.substr(0, equals));
    auto value = query_decoded(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1));
    if (!name || !value) return std::nullopt;
    out.query.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

}  // namespace weir::apiservice
