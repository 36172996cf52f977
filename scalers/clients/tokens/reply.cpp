// Tolerant of the form of an error, because its words matter most; strict with a token.
#include "scalers/clients/tokens/reply.hpp"

#include "scalers/clients/tokens/times.hpp"
#include "scalers/text/redact.hpp"
#include "scalers/text/refusal.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

namespace weir::scalers::clients {
namespace {

using Json = nlohmann::json;

// A token has a few kilobytes; a login page, whose title explains it, more.
constexpr std::size_t kMaxReplyBytes = std::size_t{256} * 1024;
constexpr Duration kAssumedLife{300'000};
// A longer life is the same for us: the token is renewed once a day.
constexpr Duration kMaxLife{86'400'000};

Json parsed(std::string_view body) { return Json::parse(body, nullptr, false); }

std::optional<Duration> life_of(const Json& reply) {
  const auto found = reply.find("expires_in");
  if (found == reply.end() || found->is_null()) return kAssumedLife;
  double seconds = 0;
  if (found->is_number()) seconds = found->get<double>();
  // Some servers write the number as a text.
  if (found->is_string())
    seconds = std::strtod(found->get_ref<const std::string&>().c_str(), nullptr);
  if (!(seconds >= 1)) return std::nullopt;
  const auto most = static_cast<double>(kMaxLife.count());
  return Duration{std::llround(std::min(seconds * 1000, most))};
}

std::string with_clock(std::string detail,
                       std::string_view words,
                       const HttpReply& reply,
                       WallTime now) {
  const std::string problem = clock_problem(words, reply.clock_ahead, now);
  return problem.empty() ? detail : fmt::format("{}; {}", detail, problem);
}

// What `c`, which is not visible ASCII, is.
std::string_view kind_of(char c) {
  if (c == ' ') return "a space";
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x80 ? "a control character" : "a character outside of ASCII";
}

}  // namespace

std::string member_text(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

TokenRequest token_request(std::string who, Url url) {
  TokenRequest out{std::move(who), {}};
  out.request.auth_scope = url.path;
  out.request.url = std::move(url);
  out.request.max_body_bytes = kMaxReplyBytes;
  out.request.if_too_large = "is this the url of a token endpoint?";
  // The source of the token has pauses of its own.
  out.request.caches_unauthorized = false;
  out.request.headers.push_back({"Accept", Secret("application/json")});
  return out;
}

Error no_token(std::string_view who,
               const HttpReply& reply,
               std::span<const std::string> redactions,
               WallTime now) {
  const Refusal refusal = read_refusal(reply.body);
  const long status = reply.status;
  // Whatever else is in such a response may be a secret.
  const bool has_words = refusal.form == RefusalForm::members || refusal.form == RefusalForm::page;
  const bool is_secret = !has_words && (refusal.form == RefusalForm::unknown_json || status < 400);
  const std::string words = is_secret ? std::string() : refusal.words;
  std::string remote = remote_text(words, redactions);
  if (status == 429) {
    return {Errc::overloaded, fmt::format("{} limits the rate of logins (HTTP 429)", who), remote};
  }
  if (status >= 500) {
    return {Errc::unreachable, fmt::format("{} returned an error (HTTP {})", who, status), remote};
  }
  if (status >= 300 && status < 400) {
    return {Errc::bad_reply,
            fmt::format("{} redirects to another url (HTTP {}), which is not followed; write the "
                        "final url",
                        who,
                        status),
            ""};
  }
  if (refusal.form == RefusalForm::page) {
    return {Errc::bad_reply,
            fmt::format("{} responds with a web page in place of a token (HTTP {}); is its url "
                        "right?",
                        who,
                        status),
            remote};
  }
  if (status >= 400) {
    return {
        Errc::refused,
        with_clock(fmt::format("{} refuses the login (HTTP {})", who, status), words, reply, now),
        remote};
  }
  return {Errc::bad_reply,
          fmt::format("{} responds without a token (HTTP {})", who, status),
          remote};
}

Result<Json> parse_object(std::string_view who,
                          const HttpReply& reply,
                          std::span<const std::string> redactions,
                          WallTime now) {
  Json body = parsed(reply.body);
  if (reply.status != 200 || !body.is_object()) return no_token(who, reply, redactions, now);
  return {boost::system::in_place_value, std::move(body)};
}

Result<Grant> parse_bearer(std::string_view who,
                           const HttpReply& reply,
                           std::span<const std::string> redactions,
                           WallTime now) {
  auto body = parse_object(who, reply, redactions, now);
  if (!body) return body.error();
  std::string token = member_text(*body, "access_token");
  if (token.empty()) return no_token(who, reply, redactions, now);
  const std::string type = lower_case(member_text(*body, "token_type"));
  if (!type.empty() && type != "bearer") {
    return Error{Errc::bad_reply,
                 fmt::format("{} responds with a token of another type than Bearer", who),
                 remote_text(type, redactions)};
  }
  const auto life = life_of(*body);
  if (!life) {
    return Error{Errc::bad_reply,
                 fmt::format("{} responds with a token that has no life left (expires_in)", who),
                 ""};
  }
  return sendable(who, Grant{Secret(std::move(token)), {}, {}, life});
}

Result<Grant> sendable(std::string_view who, Grant grant) {
  for (const std::string_view part : {std::string_view(grant.secret.reveal()),
                                      std::string_view(grant.key_id),
                                      std::string_view(grant.session_token.reveal())}) {
    const auto bad = std::ranges::find_if(part, [](char c) { return c < '!' || c > '~'; });
    if (bad == part.end()) continue;
    return Error{Errc::bad_reply,
                 fmt::format("{} responds with a token that contains {}", who, kind_of(*bad)),
                 ""};
  }
  return grant;
}

Result<Duration> life_until(std::string_view who, std::string_view text, WallTime now) {
  const auto end = parse_time(text);
  if (!end) {
    return Error{Errc::bad_reply,
                 fmt::format("{} responds with credentials without the time when they end", who),
                 ""};
  }
  const auto life = std::chrono::duration_cast<Duration>(*end - now);
  if (life > Duration{0}) return std::min(life, kMaxLife);
  return Error{Errc::bad_reply,
               fmt::format("{} responds with credentials that ended {} ago; is Weir's clock ahead?",
                           who,
                           rounded(now - *end)),
               ""};
}

}  // namespace weir::scalers::clients
