// Requests are written by hand, because each consists of a few lines whose order tests compare.
#include "scalers/clients/http/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace weir::scalers::clients {
namespace {

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group <<= 8U;
      if (at + i < bytes.size()) group |= static_cast<std::uint8_t>(bytes[at + i]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      // Digit i, from 1 on, has bits of byte at + i - 1, and is padding without that byte.
      const bool is_padding = at + i > bytes.size();
      out += is_padding ? '=' : kDigits[(group >> (18U - 6U * i)) & 63U];
    }
  }
  return out;
}

// RFC 7617, section 2.
std::string login_text(const HttpRequest& request) {
  return base64(request.basic->first.reveal() + ':' + request.basic->second.reveal());
}

bool is_same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// A default field, unless the request has a field of that name.
void append_default(std::string& out,
                    const HttpRequest& request,
                    std::string_view name,
                    std::string_view value) {
  const bool is_present = std::ranges::any_of(request.headers, [&](const HttpHeader& header) {
    return is_same_name(header.name, name);
  });
  if (!is_present) fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
}

bool is_default_port(const Url& url) { return url.port == (url.scheme == "https" ? 443 : 80); }

}  // namespace

std::optional<Error> find_injection(const HttpRequest& request) {
  // RFC 9110, section 5.5: CR, LF and NUL in a field's value are dangerous.
  constexpr std::string_view kLineEnds("\r\n\0", 3);
  const bool has_line_break = std::ranges::any_of(request.headers, [&](const HttpHeader& header) {
    return header.name.find_first_of(kLineEnds) != std::string::npos ||
           header.value.reveal().find_first_of(kLineEnds) != std::string::npos;
  });
  if (has_line_break) {
    return Error{Errc::refused,
                 "a header or credential contains a line break; write it on one line",
                 ""};
  }
  // RFC 9112, section 3: a space ends the target of a request line.
  const auto is_unencoded = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
  };
  if (std::ranges::any_of(request.url.path, is_unencoded) ||
      std::ranges::any_of(request.query, is_unencoded)) {
    return Error{Errc::refused,
                 "the url's path contains a space or a control character; percent-encode it (%20)",
                 ""};
  }
  return std::nullopt;
}

std::string wire_text(const HttpRequest& request) {
  std::string out;
  out.reserve(512 + request.url.path.size() + request.query.size() + request.body.size());
  const auto append = std::back_inserter(out);
  fmt::format_to(append,
                 "{} {}",
                 request.method,
                 request.url.path.empty() ? "/" : request.url.path);
  if (!request.query.empty()) fmt::format_to(append, "?{}", request.query);
  out += " HTTP/1.1\r\n";
  const std::string authority = request.url.authority();
  // Without the default port, as other clients send it.
  const std::string_view host = is_default_port(request.url)
                                    ? std::string_view(authority).substr(0, authority.rfind(':'))
                                    : std::string_view(authority);
  // RFC 9110, section 7.2: Host should be the first field.
  append_default(out, request, "Host", host);
  if (request.basic) append_default(out, request, "Authorization", "Basic " + login_text(request));
  append_default(out, request, "User-Agent", "weir/" WEIR_VERSION);
  append_default(out, request, "Accept", "*/*");
  // Without this field a server may choose any encoding (RFC 9110, section 12.5.3). Compressing
  // replies of 100 bytes costs a Prometheus more than it saves.
  append_default(out, request, "Accept-Encoding", "identity");
  for (const HttpHeader& header : request.headers)
    fmt::format_to(append, "{}: {}\r\n", header.name, header.value.reveal());
  if (request.method == "POST") {
    append_default(out, request, "Content-Type", "application/x-www-form-urlencoded");
    fmt::format_to(append, "Content-Length: {}\r\n", request.body.size());
  }
  out += "\r\n";
  if (request.method == "POST") out += request.body;
  return out;
}

std::vector<std::string> redactions_of(const HttpRequest& request) {
  std::vector<std::string> out = request.redactions;
  out.push_back(request.url.authority());
  out.push_back(request.url.host);
  for (const HttpHeader& header : request.headers) {
    if (header.is_secret) out.push_back(header.value.reveal());
  }
  if (request.basic) {
    out.push_back(request.basic->first.reveal());
    out.push_back(request.basic->second.reveal());
    // A server may repeat the field, in which both are encoded together.
    out.push_back(login_text(request));
  }
  return out;
}

}  // namespace weir::scalers::clients
