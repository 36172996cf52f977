// A reply of Redis as a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

struct RedisReply {
  enum class Kind { nil, integer, text, error, list };
  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text;  // of a text or an error
  std::vector<RedisReply> items;
};

// The value of `name` in a list of alternating names and values, because RESP2 has no maps; null
// when it has none.
[[nodiscard]] inline const RedisReply* field_of(const RedisReply& list, std::string_view name) {
  for (std::size_t i = 0; i + 1 < list.items.size(); i += 2) {
    if (list.items[i].text == name) return &list.items[i + 1];
  }
  return nullptr;
}

}  // namespace weir::scalers::clients
