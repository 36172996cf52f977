// Text as Go's standard library formats and parses it, because Go's error texts reach clients
// verbatim. Pure.
#pragma once

#include "scalers/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::apiservice {

// strconv.Quote (%q): quotes, backslashes, unprintable code points and bytes that are not UTF-8 are
// escaped.
[[nodiscard]] std::string go_quoted(std::string_view text);

// With the entities of &, < and >, as the sanitizer of k8s.io/apiserver writes texts that repeat
// what a caller sent, because a browser may show them. Quotes stay, unlike in the pages of `weir
// record`.
[[nodiscard]] std::string sanitized(std::string_view text);

// strconv.ParseInt in base 10. Errc::bad_request with Go's own text.
[[nodiscard]] scalers::Result<std::int64_t> parse_int(std::string_view text);

// strconv.ParseBool; false instead of its error.
[[nodiscard]] bool parse_bool(std::string_view text);

}  // namespace weir::apiservice
