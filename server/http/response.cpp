// Writes responses by hand into the reused buffer of the session, without Beast's message types.
#include "server/http/response.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <cstddef>

namespace weir::server {
namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void append_number(std::string& out, std::size_t number) {
  const fmt::format_int text(number);
  out.append(text.data(), text.size());
}

}  // namespace

void append_response(std::string& out,
                     const apiservice::Response& response,
                     std::string_view audit_id,
                     bool is_head,
                     bool is_keep_alive) {
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(response.status));
  out += ' ';
  out.append(reason.data(), reason.size());
  out += "\r\n";
  append_header(out, "Audit-Id", audit_id);
  // Bodies repeat texts of callers and backends: no browser may take one for a page.
  append_header(out, "X-Content-Type-Options", "nosniff");
  if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
  bool has_cache_control = false;
  for (const apiservice::Header& header : response.headers) {
    append_header(out, header.name, header.value);
    has_cache_control = has_cache_control || header.name == "Cache-Control";
  }
  // Kubernetes' default: values and errors are of the moment and for this caller.
  if (!has_cache_control) append_header(out, "Cache-Control", "no-cache, private");
  // RFC 9110, 15.4.5: a 304 has no content, and its length would be that of the full response.
  const bool has_length = response.status != 304;
  if (has_length) {
    out += "Content-Length: ";
    append_number(out, response.body.size());
    out += "\r\n";
  }
  if (!is_keep_alive) append_header(out, "Connection", "close");
  out += "\r\n";
  // A HEAD has the length of the body that a GET would get (RFC 9110, 8.6).
  if (has_length && !is_head) out += response.body;
}

}  // namespace weir::server
