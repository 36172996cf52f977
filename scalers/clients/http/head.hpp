// What an HTTP request says on the wire. Pure.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/error.hpp"

#include <optional>
#include <string>

namespace weir::scalers::clients {

// Errc::refused when the request would forge another one: a line end in a header or a credential,
// a blank or a control byte in the path or query.
[[nodiscard]] std::optional<Error> forgery_in(const HttpRequest& request);

// The request's line, header fields and body. A field of the request takes the place of the
// client's own of the same name.
[[nodiscard]] std::string wire_text(const HttpRequest& request);

}  // namespace weir::scalers::clients
