// A request and a response as plain values, and the facts about the peer's certificate. No sockets,
// no parser.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {

// Whether one CA bundle verifies the client certificate, at the time of the request.
enum class Trust {
  no_bundle,  // no such bundle is configured
  trusted,    // the chain verifies for client authentication
  untrusted,  // it does not
};

struct PeerCertificate {
  Trust by_request_header_ca = Trust::no_bundle;
  Trust by_client_ca = Trust::no_bundle;
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> uids;  // of OID 1.3.6.1.4.1.57683.2
  std::string sha256;             // of the DER form, lower-case hex
};

struct Header {
  std::string name;  // of a request in lower case
  std::string value;
};

struct Request {
  std::string method;  // as sent: "GET"
  std::string target;  // as sent: path and query, nothing decoded
  std::string path;    // percent-decoded, without the query; starts with '/'
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in the order of the url
  std::vector<Header> headers;
  std::optional<PeerCertificate> peer;

  // The first value of a query parameter; empty when there is none.
  [[nodiscard]] std::string_view parameter(std::string_view name) const {
    const auto pair = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
    return pair == query.end() ? std::string_view{} : std::string_view(pair->second);
  }
  // The first value of a header; `name` in lower case. Empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    const auto field = std::ranges::find(headers, name, &Header::name);
    return field == headers.end() ? std::string_view{} : std::string_view(field->value);
  }
  [[nodiscard]] bool has_parameter(std::string_view name) const {
    return std::ranges::any_of(query, [&](const auto& pair) { return pair.first == name; });
  }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // empty: no such header
  std::string body;
  std::vector<Header> headers = {};  // added to those of every response, which take precedence
};

}  // namespace weir::apiservice
