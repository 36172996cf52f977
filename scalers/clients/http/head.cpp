// The fields are ours and not libcurl's options, so that their order, and what is redacted from
// errors, do not depend on its version.
#include "scalers/clients/http/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

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
std::string login_text(const std::pair<Secret, Secret>& login) {
  return base64(login.first.reveal() + ':' + login.second.reveal());
}

bool has_field(const HttpRequest& request, std::string_view name) {
  return std::ranges::any_of(request.headers, [name](const HttpHeader& header) {
    return is_same_name(header.name, name);
  });
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

bool is_forwarded(const HttpRequest& request) {
  return request.proxy && request.url.scheme == "http" && request.proxy->scheme != "socks5";
}

std::string target_of(const HttpRequest& request, bool is_absolute) {
  const Url& url = request.url;
  std::string out;
  if (is_absolute) {
    const std::string authority = url.authority();
    // Without the default port, as in the field Host.
    out = url.scheme + "://" +
          (is_default_port(url) ? authority.substr(0, authority.rfind(':')) : authority);
  }
  out += url.path.empty() ? "/" : url.path;
  if (!request.query.empty()) out.append("?").append(request.query);
  return out;
}

std::vector<std::string> header_lines(const HttpRequest& request) {
  std::vector<std::string> out;
  const auto add_default = [&](std::string_view name, std::string_view value) {
    if (!has_field(request, name)) out.push_back(fmt::format("{}: {}", name, value));
  };
  if (request.basic) add_default("Authorization", "Basic " + login_text(*request.basic));
  add_default("User-Agent", "weir/" WEIR_VERSION);
  add_default("Accept", "*/*");
  // Without this field a server may choose any encoding (RFC 9110, section 12.5.3). Compressing
  // replies of 100 bytes costs a Prometheus more than it saves.
  add_default("Accept-Encoding", "identity");
  for (const HttpHeader& header : request.headers) {
    // libcurl takes "Name: " for a field that must not be sent, and "Name;" for an empty one.
    const std::string& value = header.value.reveal();
    const bool is_blank = value.find_first_not_of(" \t\v\f") == std::string::npos;
    out.push_back(is_blank ? header.name + ';' : header.name + ": " + value);
  }
  if (request.method == "POST") {
    add_default("Content-Type", "application/x-www-form-urlencoded");
    // Otherwise libcurl would wait for 100 Continue before a long body.
    out.emplace_back("Expect:");
  }
  return out;
}

bool is_same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::vector<std::string> redactions_of(const HttpRequest& request) {
  std::vector<std::string> out = request.redactions;
  out.push_back(request.url.authority());
  out.push_back(request.url.host);
  for (const HttpHeader& header : request.headers) {
    if (header.is_secret) out.push_back(header.value.reveal());
  }
  const auto add_login = [&out](const std::pair<Secret, Secret>& login) {
    // A proxy's user or password may be empty.
    for (const Secret* part : {&login.first, &login.second}) {
      if (!part->reveal().empty()) out.push_back(part->reveal());
    }
    // A server may repeat the field, in which both are encoded together.
    out.push_back(login_text(login));
  };
  if (request.basic) add_login(*request.basic);
  if (request.proxy) {
    out.push_back(request.proxy->authority());
    out.push_back(request.proxy->host);
    if (request.proxy->login) add_login(*request.proxy->login);
  }
  return out;
}

}  // namespace weir::scalers::clients
