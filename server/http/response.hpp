// The bytes of a response: status line, headers, body. Pure.
#pragma once

#include "apiservice/request/http.hpp"

#include <string>
#include <string_view>

namespace weir::server {

// Appends the whole response. In addition to its own headers it has Audit-Id,
// X-Content-Type-Options and, unless it sets its own, Cache-Control. A 304 has neither
// Content-Length nor body; the response to a HEAD has no body.
void append_response(std::string& out,
                     const apiservice::Response& response,
                     std::string_view audit_id,
                     bool is_head,
                     bool is_keep_alive);

}  // namespace weir::server
