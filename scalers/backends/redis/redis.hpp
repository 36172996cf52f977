// The pure parts of the redis scaler: the command of each kind, and the parsing of its reply. No
// IO.
#pragma once

#include "scalers/clients/redis/reply.hpp"
#include "scalers/deadline.hpp"
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
// What to report for a key that does not exist.
enum class Missing { zero, error };
// Whether a 0 for a missing key counts only from a server that has its data: see role_problem().
enum class RoleCheck { checked, unchecked };

struct Subject {
  Kind kind;
  std::string key;
  std::string group;  // of pending and lag
};

// Zero for collections, because Redis deletes a collection with its last element. A missing stream
// or counter was never created, or its name is misspelled.
[[nodiscard]] Missing default_missing(Kind kind);

// The command that reads the number of `subject`.
[[nodiscard]] std::vector<std::string> command_for(const Subject& subject);

// The number in a reply to command_for, or nullopt when the key does not exist.
// Errc::unknown_object (no such group), partial (a lag that Redis does not know), not_a_number,
// bad_reply, and the Errc of redis_error for an error reply.
[[nodiscard]] Result<std::optional<double>> parse_reply(const Subject& subject,
                                                        const clients::RedisReply& reply);

// Why a key that does not exist shows nothing, by the reply to ROLE: Errc::partial from a replica
// that is not in sync with its master, bad_reply from a Sentinel, refused where ROLE (or MULTI) is
// not permitted or not known. nullopt from a master and from a replica in sync.
[[nodiscard]] std::optional<Error> role_problem(const clients::RedisReply& role);

// How old the data of a server may be, by its reply to INFO replication: the time since a replica
// lost its master, or heard of it, nullopt from a master and from a replica that heard of it within
// 10 s. Errc::partial from a replica that was never connected to its master, refused where INFO is
// not permitted.
[[nodiscard]] Result<std::optional<Duration>> replica_age(const clients::RedisReply& info);

// Whether TYPE is needed to interpret the reply: the key may be empty, missing or of another type.
[[nodiscard]] bool needs_type(const Subject& subject,
                              const clients::RedisReply& reply,
                              Missing missing);

// The number after TYPE has returned `type` ("none", "string", "list", ...): that of the reply,
// nullopt for a missing key, or Errc::bad_reply that names both types. When TYPE failed, an error
// reply stays the error, and a 0 that may be a missing key becomes the error of TYPE.
[[nodiscard]] Result<std::optional<double>> with_type(const Subject& subject,
                                                      const clients::RedisReply& reply,
                                                      const Result<clients::RedisReply>& type);

// A page of SCAN: the next cursor ("0": the scan is complete), and keys.
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
struct EnumNames<backends::redis::RoleCheck> {
  using RoleCheck = backends::redis::RoleCheck;
  static constexpr std::string_view kTypeName = "checked | unchecked";
  static constexpr std::array<std::pair<std::string_view, RoleCheck>, 2> kNames{{
      {"checked", RoleCheck::checked},
      {"unchecked", RoleCheck::unchecked},
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
