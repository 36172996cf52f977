// An answer's bytes: status line, headers, body. Pure.
#pragma once

#include "apiservice/request/http.hpp"

#include <string>
#include <string_view>

namespace weir::server {

// Appends the whole answer. Beside the response's own headers it has Audit-Id, Cache-Control
// (unless the response says its own) and X-Content-Type-Options. A 304 has neither length nor body,
// the answer to a HEAD has no body.
void append_answer(std::string& out,
                   const apiservice::Response& response,
                   std::string_view audit_id,
                   bool is_head,
                   bool is_keep_alive);

}  // namespace weir::server
