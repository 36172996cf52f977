// Replies of Redis as the machine hands them to a scaler, and its outcome as text.
#pragma once

#include "scalers/clients/redis/reply.hpp"
#include "scalers/error.hpp"
#include "test/rigs/shown.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::test {

using scalers::clients::RedisReply;

inline RedisReply nil() { return {}; }
inline RedisReply integer(std::int64_t value) { return {RedisReply::Kind::integer, value, "", {}}; }
inline RedisReply text(std::string value) {
  return {RedisReply::Kind::text, 0, std::move(value), {}};
}
inline RedisReply error(std::string value) {
  return {RedisReply::Kind::error, 0, std::move(value), {}};
}
inline RedisReply list(std::vector<RedisReply> items) {
  return {RedisReply::Kind::list, 0, "", std::move(items)};
}
inline RedisReply group(std::string name, RedisReply lag) {
  return list({text("name"),
               text(std::move(name)),
               text("consumers"),
               integer(1),
               text("lag"),
               std::move(lag)});
}

// The number as text, "none" for a missing key, or the error.
inline std::string outcome(const scalers::Result<std::optional<double>>& out) {
  if (!out) return shown(out.error());
  return *out ? fmt::format("{}", **out) : "none";
}

}  // namespace weir::test
