// The head of an HTTP request: bytes -> a plain Request, or a refusal. Stricter than Beast's
// parser, which parses only the lines that frame a request: no byte of a body, a chunk or a trailer
// reaches it. Pure.
#pragma once

#include "apiservice/request/http.hpp"

#include <cstddef>
#include <string_view>
#include <variant>

namespace weir::server {

inline constexpr std::size_t kMaxHeadBytes = 64 * 1024;
inline constexpr std::size_t kMaxTargetBytes = 8 * 1024;
inline constexpr std::size_t kMaxHeaders = 256;

struct NeedMore {};

struct Head {
  apiservice::Request request;
  std::size_t size;    // bytes of the head, including the empty line at its end
  bool is_keep_alive;  // false when the request has a body, which is never read
};

struct Refusal {
  int status;  // 400, 414 or 431; the connection is closed after it
  std::string_view reason;
};

// Refused: bodies on GET and HEAD, Transfer-Encoding, Trailer, Upgrade, Expect, folded headers, no
// Host or two, a Content-Length that is not one number, a target that is not a path, and anything
// over the sizes above.
[[nodiscard]] std::variant<NeedMore, Head, Refusal> parse_head(std::string_view bytes);

}  // namespace weir::server
