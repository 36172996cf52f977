// The head of an HTTP request, as far as libcurl does not make it. Pure.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

// Errc::refused when a text of the request would inject another header or request: a line break in
// a header or a credential, a space or a control byte in the path or query.
[[nodiscard]] std::optional<Error> find_injection(const HttpRequest& request);

// Whether its proxy sends the request to the server, without a tunnel.
[[nodiscard]] bool is_forwarded(const HttpRequest& request);

// The target of the request line: path and query as they are written, or the absolute url for an
// HTTP proxy.
[[nodiscard]] std::string target_of(const HttpRequest& request, bool is_absolute);

// The header fields between Host and Content-Length, both of which libcurl writes. A field of the
// request replaces the client's default field of the same name. A field without a value keeps
// libcurl from sending its own.
[[nodiscard]] std::vector<std::string> header_lines(const HttpRequest& request);

// Whether two names of header fields are equal, in any letter case.
[[nodiscard]] bool is_same_name(std::string_view a, std::string_view b);

}  // namespace weir::scalers::clients
