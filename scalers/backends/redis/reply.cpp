// The commands and their replies. Pure, for exact tests.
#include "scalers/backends/redis/redis.hpp"
#include "scalers/clients/redis/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace weir::scalers::backends::redis {
namespace {

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
    const RedisReply* name = nullptr;
    const RedisReply* lag = nullptr;
    // RESP2 has no maps. The fields are found by name, because their number depends on the version
    // of the server.
    for (std::size_t i = 0; i + 1 < group.items.size(); i += 2) {
      if (group.items[i].text == "name") name = &group.items[i + 1];
      if (group.items[i].text == "lag") lag = &group.items[i + 1];
    }
    if (name == nullptr || name->text != subject.group) continue;
    if (lag == nullptr) {
      return Error{Errc::bad_reply, "the server reports no lag; lag needs Redis 7 or later", ""};
    }
    // Redis cannot compute the lag after XDEL or XGROUP SETID, for example. An unknown lag is an
    // error, never 0.
    if (lag->kind == RedisReply::Kind::nil) {
      return Error{Errc::no_value,
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
