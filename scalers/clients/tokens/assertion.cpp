// Nothing is verified here: that is the provider's part, who has the key.
#include "scalers/clients/tokens/assertion.hpp"

#include "scalers/clients/tokens/times.hpp"
#include "scalers/settings/secret.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace weir::scalers::clients {
namespace {

using Json = nlohmann::json;

// Of RFC 4648, section 5; nullopt for a byte of another alphabet.
std::optional<std::string> base64url_decoded(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const auto digit = kDigits.find(c);
    if (digit == kDigits.npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xffU);
  }
  return out;
}

// A NumericDate of RFC 7519; nullopt: absent or out of range.
std::optional<WallTime> time_in(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const double seconds = found->get<double>();
  if (!(seconds > 0 && seconds < 9.2e9)) return std::nullopt;
  return WallTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

}  // namespace

std::string assertion_problem(std::string_view assertion, WallTime now) {
  const auto first = assertion.find('.');
  const auto second = first == assertion.npos ? first : assertion.find('.', first + 1);
  if (second == assertion.npos) return {};
  const auto payload = base64url_decoded(assertion.substr(first + 1, second - first - 1));
  if (!payload) return {};
  const Json claims = Json::parse(*payload, nullptr, false);
  if (!claims.is_object()) return {};
  if (const auto end = time_in(claims, "exp"); end && *end <= now) {
    return fmt::format(
        "the assertion expired {} ago (its file is not renewed any more, or Weir's clock is wrong)",
        rounded(now - *end));
  }
  for (const char* name : {"iat", "nbf"}) {
    const auto start = time_in(claims, name);
    if (!start || *start <= now) continue;
    auto problem = clock_problem_of(*start - now, "that of the assertion's issuer");
    if (!problem.empty()) return problem;
  }
  return {};
}

void check_assertion_file(const Node& setting, Problems& problems) {
  const Node* file = setting.find("file");
  if (file == nullptr) return;
  const auto assertion = SecretFile(file->text).read();
  if (!assertion) return;
  const std::string problem =
      assertion_problem(assertion->reveal(), std::chrono::system_clock::now());
  if (!problem.empty())
    problems.add_in_file(file->mark, fmt::format("the file {}: {}", file->text, problem));
}

}  // namespace weir::scalers::clients
