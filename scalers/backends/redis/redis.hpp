// The pure parts of the redis scaler: which command asks what, and what a reply means. No IO.
#pragma once

#include "scalers/clients/redis/reply.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/value_readers.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::backends::redis {

enum class Kind { list, stream, pending, lag, sorted_set, set, hash, counter };
// What a key that does not exist means.
enum class Missing { zero, error };

struct Subject {
  Kind kind;
  std::string key;
  std::string group;  // of pending and lag
};

// Redis deletes a collection with its last element, so none is 0; a stream or a counter that is not
// there was never made, or is misspelt.
[[nodiscard]] Missing default_missing(Kind kind);

// The command that asks for the subject's number.
[[nodiscard]] std::vector<std::string> command_for(const Subject& subject);

// The number in a reply to command_for, or nullopt when the key does not exist.
// Errc::unknown_object (no such group), no_value (a lag that Redis does not know), not_a_number,
// bad_reply, and what redis_error says of an error reply.
[[nodiscard]] Result<std::optional<double>> parse_reply(const Subject& subject,
                                                        const clients::RedisReply& reply);

// Whether a reply leaves open if the key is empty or missing, or of which type it is: TYPE tells.
[[nodiscard]] bool needs_type(const Subject& subject,
                              const clients::RedisReply& reply,
                              Missing missing);

// What the number is once TYPE has answered `type` ("none", "string", "list", ...): the reply's own
// meaning, nullopt for a missing key, or Errc::bad_reply that names both types. Without a type an
// error stays what it is, and a 0 that may be a missing key is the error of TYPE.
[[nodiscard]] Result<std::optional<double>> with_type(const Subject& subject,
                                                      const clients::RedisReply& reply,
                                                      const Result<clients::RedisReply>& type);

// A page of SCAN: where to go on ("0": that was all), and keys.
struct ScanPage {
  std::string cursor;
  std::vector<std::string> keys;
};
[[nodiscard]] Result<ScanPage> parse_scan(const clients::RedisReply& reply);

}  // namespace weir::scalers::backends::redis

namespace weir::scalers {

template <>
struct EnumNames<backends::redis::Kind> {
  using Kind = backends::redis::Kind;
  static constexpr std::string_view kTypeName =
      "list | stream | pending | lag | sortedSet | set | hash | counter";
  static constexpr std::array<std::pair<std::string_view, Kind>, 8> kNames{{
      {"list", Kind::list},
      {"stream", Kind::stream},
      {"pending", Kind::pending},
      {"lag", Kind::lag},
      {"sortedSet", Kind::sorted_set},
      {"set", Kind::set},
      {"hash", Kind::hash},
      {"counter", Kind::counter},
  }};
};

template <>
struct EnumNames<backends::redis::Missing> {
  using Missing = backends::redis::Missing;
  static constexpr std::string_view kTypeName = "0 | error";
  static constexpr std::array<std::pair<std::string_view, Missing>, 2> kNames{{
      {"0", Missing::zero},
      {"error", Missing::error},
  }};
};

}  // namespace weir::scalers
