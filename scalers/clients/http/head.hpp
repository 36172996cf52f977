// An HTTP request as bytes. Pure.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/error.hpp"

#include <optional>
#include <string>

namespace weir::scalers::clients {

// Errc::refused when a text of the request would inject another header or request: a line break in
// a header or a credential, a space or a control byte in the path or query.
[[nodiscard]] std::optional<Error> find_injection(const HttpRequest& request);

// The request line, header fields and body. A field of the request replaces the client's default
// field of the same name.
[[nodiscard]] std::string wire_text(const HttpRequest& request);

}  // namespace weir::scalers::clients
