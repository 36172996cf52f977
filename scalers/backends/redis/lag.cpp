// What the ids of a stream and of a group show; the rest is Redis' own count.
#include "scalers/backends/redis/lag.hpp"

#include "scalers/clients/redis/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace weir::scalers::backends::redis {
namespace {

using clients::field_of;
using clients::RedisReply;
using Outcome = Result<std::optional<double>>;

const RedisReply* group_of(const Subject& subject, const RedisReply& groups) {
  const auto found = std::ranges::find_if(groups.items, [&](const RedisReply& group) {
    const RedisReply* const name = field_of(group, "name");
    return name != nullptr && name->text == subject.group;
  });
  return found == groups.items.end() ? nullptr : &*found;
}

// The id of an entry, "MILLISECONDS-SEQUENCE", as a pair that compares as Redis does.
std::optional<std::pair<std::uint64_t, std::uint64_t>> id_in(const RedisReply* reply) {
  if (reply == nullptr) return std::nullopt;
  const std::string& text = reply->text;
  const char* const end = text.data() + text.size();
  std::pair<std::uint64_t, std::uint64_t> out;
  const auto time = std::from_chars(text.data(), end, out.first);
  if (time.ec != std::errc{} || time.ptr == end || *time.ptr != '-') return std::nullopt;
  const auto sequence = std::from_chars(time.ptr + 1, end, out.second);
  if (sequence.ec != std::errc{} || sequence.ptr != end) return std::nullopt;
  return out;
}

}  // namespace

std::optional<double> exact_lag(const Subject& subject,
                                const RedisReply& groups,
                                const RedisReply& stream) {
  const RedisReply* const length = field_of(stream, "length");
  const RedisReply* const group = group_of(subject, groups);
  const auto delivered =
      group == nullptr ? std::nullopt : id_in(field_of(*group, "last-delivered-id"));
  const auto last = id_in(field_of(stream, "last-generated-id"));
  if (length == nullptr || !delivered || !last) return std::nullopt;
  if (*delivered == *last || length->integer == 0) return 0.0;
  const RedisReply* const first_entry = field_of(stream, "first-entry");
  const auto first = first_entry == nullptr || first_entry->items.empty()
                         ? std::nullopt
                         : id_in(&first_entry->items.front());
  // No entry of the stream was delivered, whatever was trimmed before.
  if (first && *delivered < *first) return static_cast<double>(length->integer);
  return std::nullopt;
}

Outcome with_stream(const Subject& subject,
                    Outcome lag,
                    const RedisReply& groups,
                    const RedisReply& stream) {
  if (stream.kind == RedisReply::Kind::error &&
      clients::redis_error(stream.text).code == Errc::forbidden) {
    return Error{Errc::refused,
                 "a lag counts only beside the length of its stream; grant +xinfo|stream",
                 clients::redis_error(stream.text).remote};
  }
  // A lag of another type, or none, contradicts the protocol, whatever the ids say.
  const bool is_valid = lag.has_value() || lag.error().code == Errc::partial;
  const RedisReply* const length = field_of(stream, "length");
  if (!is_valid || length == nullptr) return lag;
  if (const auto exact = exact_lag(subject, groups, stream)) return exact;
  const RedisReply* const first_entry = field_of(stream, "first-entry");
  // The first entry, if there is one, was delivered.
  const bool has_first = first_entry != nullptr && !first_entry->items.empty();
  const std::int64_t most = length->integer - (has_first ? 1 : 0);
  if (lag && *lag && **lag > static_cast<double>(most)) {
    return Error{Errc::bad_reply,
                 fmt::format("Redis reports a lag of {:g} for group \"{}\", but the stream has {} "
                             "entries (older ones were trimmed); use kind: pending or kind: stream",
                             **lag,
                             subject.group,
                             length->integer),
                 ""};
  }
  return lag;
}

Outcome LagCheck::check(const Subject& subject,
                        Outcome lag,
                        const RedisReply& groups,
                        const RedisReply& stream) {
  const std::pair id(subject.key, subject.group);
  const auto exact = exact_lag(subject, groups, stream);
  if (exact && lag && *lag == *exact) wrong_.erase(id);
  if (exact && lag && *lag != *exact) {
    if (wrong_.size() >= kMaxWrong) wrong_.clear();
    wrong_.insert(id);
  }
  auto out = with_stream(subject, std::move(lag), groups, stream);
  if (exact || !out || !wrong_.contains(id)) return out;
  return Error{
      Errc::bad_reply,
      fmt::format("the lag that Redis reports for group \"{}\" has entries that were trimmed "
                  "before it read them; set its position again (XGROUP SETID with "
                  "ENTRIESREAD), or use kind: pending or kind: stream",
                  subject.group),
      ""};
}

}  // namespace weir::scalers::backends::redis
