// The Audit-Id of an answer, by which a kube-apiserver's audit log and ours are laid side by side.
#pragma once

#include "apiservice/http.hpp"

#include <string>

namespace weir::server {

// What the request's Audit-ID header says when it is 1 to 64 visible ASCII characters, else a new
// one.
[[nodiscard]] std::string audit_id_of(const apiservice::Request& request);

// A random UUID (RFC 9562, version 4).
[[nodiscard]] std::string new_audit_id();

}  // namespace weir::server
