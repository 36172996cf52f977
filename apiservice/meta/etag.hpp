// Entity tags of documents that are rendered when a configuration is loaded. Pure.
#pragma once

#include "apiservice/request/http.hpp"

#include <string>
#include <string_view>

namespace weir::apiservice {

// 32 upper-case hexadecimal digits that change with `text`; not a cryptographic hash.
[[nodiscard]] std::string hash_of(std::string_view text);

// Whether the request's If-None-Match names the document with this hash.
[[nodiscard]] bool matches_etag(const Request& request, std::string_view hash);

// 304, with the headers of `whole`.
[[nodiscard]] Response not_modified(Response whole);

}  // namespace weir::apiservice
