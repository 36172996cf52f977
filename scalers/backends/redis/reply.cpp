// The commands and their replies. Pure, for exact tests.
#include "scalers/backends/redis/lag.hpp"
#include "scalers/backends/redis/redis.hpp"
#include "scalers/clients/redis/client.hpp"
#include "scalers/text/redact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace weir::scalers::backends::redis {
namespace {

using clients::field_of;
using clients::RedisReply;
using Outcome = Result<std::optional<double>>;

struct Row {
  Kind kind;
  std::string_view command;
  std::string_view type;  // as TYPE reports it
};
// Every command only reads, because the client repeats a command that was lost with its connection.
constexpr std::array<Row, 8> kRows{{
    {Kind::list, "LLEN", "list"},
    {Kind::stream, "XLEN", "stream"},
    {Kind::pending, "XPENDING", "stream"},
    {Kind::lag, "XINFO", "stream"},
    {Kind::sorted_set, "ZCARD", "zset"},
    {Kind::set, "SCARD", "set"},
    {Kind::hash, "HLEN", "hash"},
    {Kind::counter, "GET", "string"},
}};

const Row& row_of(Kind kind) { return *std::ranges::find(kRows, kind, &Row::kind); }

Error bad_reply(const Subject& subject) {
  return {Errc::bad_reply,
          fmt::format("the response to {} has an unexpected type", row_of(subject.kind).command),
          ""};
}

Error no_group(const Subject& subject) {
  return {Errc::unknown_object,
          fmt::format("stream \"{}\" has no consumer group \"{}\"", subject.key, subject.group),
          ""};
}

bool is_collection(Kind kind) {
  return kind == Kind::list || kind == Kind::sorted_set || kind == Kind::set || kind == Kind::hash;
}

// A counter may be a fraction (INCRBYFLOAT). from_chars alone would also take "inf" and "nan", and
// a number with a tail, such as "5 jobs".
Outcome parse_counter(const Subject& subject, const RedisReply& reply) {
  if (reply.kind == RedisReply::Kind::nil) return std::optional<double>();
  if (reply.kind != RedisReply::Kind::text) return bad_reply(subject);
  const std::string& text = reply.text;
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_plain = text.find_first_not_of("+-.0123456789eE") == text.npos;
  const bool is_number =
      is_plain && failed != std::errc::invalid_argument && end == text.data() + text.size();
  if (!is_number) {
    return Error{Errc::not_a_number,
                 fmt::format("the counter \"{}\" does not hold a number", subject.key),
                 ""};
  }
  // The text is a number, but no double holds it: an infinity or a 0 in its place would be a guess.
  if (failed == std::errc::result_out_of_range) {
    return Error{
        Errc::out_of_range,
        fmt::format("the counter \"{}\" is outside the range of a 64-bit float", subject.key),
        ""};
  }
  return std::optional(value);
}

// XINFO GROUPS: a list of groups, each a flat list of names and values.
Outcome parse_lag(const Subject& subject, const RedisReply& reply) {
  if (reply.kind != RedisReply::Kind::list) return bad_reply(subject);
  for (const RedisReply& group : reply.items) {
    // By name, because the number of fields depends on the version of the server.
    const RedisReply* const name = field_of(group, "name");
    const RedisReply* const lag = field_of(group, "lag");
    if (name == nullptr || name->text != subject.group) continue;
    if (lag == nullptr) {
      return Error{Errc::bad_reply, "the server reports no lag; lag needs Redis 7 or later", ""};
    }
    // Redis cannot compute the lag after XDEL or XGROUP SETID, for example. An unknown lag is an
    // error, never 0.
    if (lag->kind == RedisReply::Kind::nil) {
      return Error{Errc::partial,
                   fmt::format("Redis does not know the lag of group \"{}\" (entries were deleted, "
                               "or its position was "
                               "set by hand); use kind: pending or kind: stream",
                               subject.group),
                   ""};
    }
    if (lag->kind != RedisReply::Kind::integer) return bad_reply(subject);
    return std::optional(static_cast<double>(lag->integer));
  }
  // XINFO lists every group of the stream.
  return no_group(subject);
}

Outcome parse_value(const Subject& subject, const RedisReply& reply) {
  if (subject.kind == Kind::counter) return parse_counter(subject, reply);
  if (subject.kind == Kind::lag) return parse_lag(subject, reply);
  const bool is_pending = subject.kind == Kind::pending;
  // The summary of XPENDING is a list that begins with the count; the other kinds reply with an
  // integer.
  const RedisReply* number = is_pending && !reply.items.empty() ? &reply.items.front() : &reply;
  if (number->kind != RedisReply::Kind::integer) return bad_reply(subject);
  // Redis deletes a collection with its last element: an empty one and a missing one are the same.
  const bool is_gone = is_collection(subject.kind) && number->integer == 0;
  return is_gone ? std::optional<double>() : std::optional(static_cast<double>(number->integer));
}

}  // namespace

Missing default_missing(Kind kind) { return is_collection(kind) ? Missing::zero : Missing::error; }

std::vector<std::string> command_for(const Subject& subject) {
  const std::string command(row_of(subject.kind).command);
  if (subject.kind == Kind::pending) return {command, subject.key, subject.group};
  if (subject.kind == Kind::lag) return {command, "GROUPS", subject.key};
  return {command, subject.key};
}

Outcome parse_reply(const Subject& subject, const RedisReply& reply) {
  if (reply.kind != RedisReply::Kind::error) return parse_value(subject, reply);
  return clients::redis_error(reply.text);
}

std::optional<Error> role_problem(const RedisReply& role) {
  if (role.kind == RedisReply::Kind::error) {
    Error why = clients::redis_error(role.text);
    const bool is_unknown = role.text.starts_with("ERR unknown command");
    // EXEC itself was not permitted.
    const bool is_discarded =
        role.text.starts_with("EXECABORT") && role.text.find("NOPERM") != role.text.npos;
    if (why.code != Errc::forbidden && !is_unknown && !is_discarded) return why;
    return Error{
        Errc::refused,
        "a missing key means zero only where ROLE shows that the server has its data; grant "
        "+role, +multi, +exec, or write role: unchecked on the backend",
        why.remote};
  }
  const std::string_view name = role.items.empty() ? std::string_view() : role.items[0].text;
  if (name == "master") return std::nullopt;
  // A replica: its name, the master's host and port, the state, the offset.
  if (name == "slave" && role.items.size() >= 4) {
    const std::string& state = role.items[3].text;
    if (state == "connected") return std::nullopt;
    return Error{
        Errc::partial,
        fmt::format("the server is a replica that is not in sync with its master (ROLE: {}), "
                    "so a missing key shows nothing",
                    remote_text(state, {})),
        ""};
  }
  if (name == "sentinel")
    return Error{Errc::bad_reply,
                 "the server is a Sentinel, which holds no keys; write sentinel instead of url",
                 ""};
  return Error{Errc::bad_reply, "the response to ROLE has an unexpected type", ""};
}

Result<std::optional<Duration>> replica_age(const RedisReply& info) {
  if (info.kind == RedisReply::Kind::error) {
    Error why = clients::redis_error(info.text);
    if (why.code != Errc::forbidden) return why;
    return Error{Errc::refused, "maxAge needs INFO; grant +info, or remove maxAge", ""};
  }
  // Lines of "name:value", each with CRLF.
  const auto field = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto at = info.text.find(fmt::format("\n{}:", name));
    if (at == info.text.npos) return std::nullopt;
    const std::string_view rest = std::string_view(info.text).substr(at + name.size() + 2);
    return rest.substr(0, rest.find_first_of("\r\n"));
  };
  const auto seconds_in = [&](std::string_view name) -> std::optional<std::chrono::seconds> {
    const auto text = field(name);
    std::int64_t seconds = 0;
    if (!text) return std::nullopt;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    constexpr std::int64_t kMost = 1'000'000'000;  // 31 years
    if (failed != std::errc{} || end != text->data() + text->size()) return std::nullopt;
    return std::chrono::seconds(std::min(seconds, kMost));
  };
  const auto role = field("role");
  if (role == "master") return std::optional<Duration>();
  const bool is_up = field("master_link_status") == "up";
  const auto age =
      seconds_in(is_up ? "master_last_io_seconds_ago" : "master_link_down_since_seconds");
  if (role != "slave" || !age)
    return Error{Errc::bad_reply, "the response to INFO replication has an unexpected form", ""};
  // A master without writes sends a PING every 10 s, so a link that is up is in sync until then.
  if (is_up && *age <= std::chrono::seconds(10)) return std::optional<Duration>();
  if (*age < std::chrono::seconds(0)) {
    return Error{Errc::partial,
                 "the server is a replica that was never connected to its master",
                 ""};
  }
  return std::optional(Duration(*age));
}

bool needs_type(const Subject& subject, const RedisReply& reply, Missing missing) {
  if (reply.kind == RedisReply::Kind::error) {
    // XPENDING replies NOGROUP to a missing stream and to a missing group alike, XINFO "no such
    // key" to a missing stream. For WRONGTYPE, TYPE says which type it is.
    return reply.text.starts_with("WRONGTYPE") || reply.text.starts_with("NOGROUP") ||
           reply.text.starts_with("ERR no such key");
  }
  // XLEN is 0 for a missing key and for an empty stream, which XDEL and XTRIM do not delete.
  const bool is_zero = reply.kind == RedisReply::Kind::integer && reply.integer == 0;
  return subject.kind == Kind::stream && is_zero && missing == Missing::error;
}

Outcome with_type(const Subject& subject,
                  const RedisReply& reply,
                  const Result<RedisReply>& type_reply) {
  if (!type_reply || type_reply->kind != RedisReply::Kind::text) {
    // An ACL may permit the command and not TYPE. An error is an error with or without its type,
    // but a 0 must not be guessed to be a measured one.
    if (reply.kind == RedisReply::Kind::error) return parse_reply(subject, reply);
    Error why = type_reply ? clients::redis_error(type_reply->text) : type_reply.error();
    return why.within(
        fmt::format("checking whether key \"{}\" is empty or missing failed (the check needs TYPE; "
                    "or set missing: 0)",
                    subject.key));
  }
  const std::string& type = type_reply->text;
  const Row& row = row_of(subject.kind);
  if (type == "none") return std::optional<double>();
  if (type != row.type) {
    return Error{
        Errc::bad_reply,
        fmt::format("key \"{}\" is a {}, not a {}; is kind right?", subject.key, type, row.type),
        ""};
  }
  // The stream exists, so NOGROUP is about the group.
  if (reply.kind == RedisReply::Kind::error && reply.text.starts_with("NOGROUP"))
    return no_group(subject);
  return parse_reply(subject, reply);
}

Result<ScanPage> parse_scan(const RedisReply& reply) {
  if (reply.kind == RedisReply::Kind::error) return clients::redis_error(reply.text);
  const bool is_page = reply.kind == RedisReply::Kind::list && reply.items.size() == 2 &&
                       reply.items[0].kind == RedisReply::Kind::text &&
                       reply.items[1].kind == RedisReply::Kind::list;
  if (!is_page) return Error{Errc::bad_reply, "the response to SCAN has an unexpected type", ""};
  // The cursor goes back as it came: an unsigned 64-bit number, which need not grow.
  ScanPage out{reply.items[0].text, {}};
  for (const RedisReply& key : reply.items[1].items) out.keys.push_back(key.text);
  return out;
}

}  // namespace weir::scalers::backends::redis
