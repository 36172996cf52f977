// Text as Go's standard library writes and reads it, since its errors reach callers word by word.
// Pure.
#pragma once

#include "scalers/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::apiservice {

// strconv.Quote, which is %q: quotes, backslashes, what is unprintable and what is no UTF-8 are
// escaped.
[[nodiscard]] std::string go_quoted(std::string_view text);

// strconv.ParseInt in base 10. Errc::bad_request with Go's own text.
[[nodiscard]] scalers::Result<std::int64_t> parse_int(std::string_view text);

// strconv.ParseBool, with false for what it takes for an error.
[[nodiscard]] bool parse_bool(std::string_view text);

}  // namespace weir::apiservice
