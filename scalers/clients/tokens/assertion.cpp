// Nothing is verified here: that is the provider's part, who has the key.
#include "scalers/clients/tokens/assertion.hpp"

#include "scalers/clients/tokens/times.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

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

// Null, or discarded, when there is none.
Json object_in(std::string_view part) {
  const auto text = base64url_decoded(part);
  return text ? Json::parse(*text, nullptr, false) : Json();
}

// What is between the dots; nullopt: not a JWT.
std::optional<Json> claims_of(std::string_view assertion) {
  const auto first = assertion.find('.');
  const auto second = first == assertion.npos ? first : assertion.find('.', first + 1);
  if (second == assertion.npos) return std::nullopt;
  Json claims = object_in(assertion.substr(first + 1, second - first - 1));
  if (claims.is_object()) return claims;
  // Those of an encrypted one are unknown.
  if (object_in(assertion.substr(0, first)).is_object()) return Json::object();
  return std::nullopt;
}

// When `time` was, or is: in a text that is logged once, as a time that stays the same.
std::string when(WallTime time, WallTime now, TimeForm form) {
  return form == TimeForm::relative ? rounded(now - time) + " ago" : "at " + utc_text(time);
}

// The time from which on it is valid, if that is in the future by a clock that is a minute off.
std::optional<WallTime> future_start(const Json& claims, WallTime now) {
  for (const char* name : {"iat", "nbf"}) {
    const auto start = time_in(claims, name);
    if (start && !clock_problem_of(*start - now, "x").empty() && *start > now) return start;
  }
  return std::nullopt;
}

}  // namespace

bool has_scheme(std::string_view token) {
  return lower_case(token.substr(0, 8)).starts_with("bearer ");
}

std::string assertion_problem(std::string_view assertion, WallTime now, TimeForm form) {
  if (has_scheme(assertion)) return "the assertion begins with \"Bearer\"; write only the token";
  const auto claims = claims_of(assertion);
  if (!claims) return {};
  const auto end = time_in(*claims, "exp");
  if (end && *end < now) {
    return fmt::format(
        "the assertion expired {} (its file is not renewed any more, or Weir's clock is wrong)",
        when(*end, now, form));
  }
  const auto start = future_start(*claims, now);
  if (!start) return {};
  if (form == TimeForm::absolute) {
    return fmt::format(
        "the assertion is valid from {} on; is Weir's clock behind that of its "
        "issuer?",
        utc_text(*start));
  }
  return clock_problem_of(*start - now, "that of the assertion's issuer");
}

std::string jwt_problem(std::string_view assertion, WallTime now, TimeForm form) {
  auto problem = assertion_problem(assertion, now, form);
  if (!problem.empty() || claims_of(assertion)) return problem;
  return "the assertion is not a JWT (three parts with dots in between), and is sent as one";
}

std::string token_file_problem(const LocalFile& file, WallTime now) {
  const auto content = SecretFile(file.path).read();
  // A file that cannot be read has a problem of its own.
  if (!content) return {};
  if (file.kind == LocalFile::Kind::token && has_scheme(content->reveal())) {
    return fmt::format("the file {} begins with \"Bearer\"; write only the token into it",
                       file.path);
  }
  if (file.kind != LocalFile::Kind::assertion) return {};
  const std::string problem = jwt_problem(content->reveal(), now, TimeForm::absolute);
  return problem.empty() ? problem : fmt::format("the file {}: {}", file.path, problem);
}

void check_assertion_file(const Node& setting, Problems& problems) {
  const Node* file = setting.find("file");
  if (file == nullptr) return;
  problems.add_file({LocalFile::Kind::assertion, file->text, {}, {}});
  const auto assertion = SecretFile(file->text).read();
  if (!assertion) return;
  const std::string problem =
      jwt_problem(assertion->reveal(), std::chrono::system_clock::now(), TimeForm::relative);
  if (!problem.empty())
    problems.add_in_file(file->mark, fmt::format("the file {}: {}", file->text, problem));
}

}  // namespace weir::scalers::clients
