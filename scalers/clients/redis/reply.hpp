// A reply of Redis as a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::scalers::clients {

struct RedisReply {
  enum class Kind { nil, integer, text, error, list };
  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text;  // of a text or an error
  std::vector<RedisReply> items;
};

}  // namespace weir::scalers::clients
