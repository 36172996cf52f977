// How much of an HTTP/1.1 answer has come. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace weir::bench {

// The status of the one answer that `bytes` holds; nullopt while it is not whole. Knows
// Content-Length and chunks. Throws std::runtime_error when it is not HTTP/1.1 answer.
[[nodiscard]] std::optional<int> whole_answer(std::string_view bytes);

}  // namespace weir::bench
