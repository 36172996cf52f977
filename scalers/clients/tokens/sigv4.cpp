// The steps of the signature, in the order of AWS' documentation: canonical request, text to sign,
// key, signature.
#include "scalers/clients/tokens/sigv4.hpp"

#include "scalers/clients/net/digest.hpp"
#include "scalers/clients/tokens/times.hpp"
#include "scalers/settings/url.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace weir::scalers::clients {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(separator, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> segments;
  for (const std::string_view segment : split(path, '/')) {
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : segments) out += "/" + percent_encoded(segment);
  return out.empty() || path.ends_with('/') ? out + "/" : out;
}

// The one form that the server compares, whatever the request has escaped.
std::string canonical_text(std::string_view encoded) {
  const auto decoded = percent_decoded(encoded);
  return percent_encoded(decoded ? *decoded : encoded);
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view pair : split(query, '&')) {
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    pairs.emplace_back(canonical_text(pair.substr(0, equals)), canonical_text(value));
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

// Without blanks at both ends, and with one in place of several.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const std::string_view word : split(value, ' ')) {
    if (!word.empty()) out += fmt::format("{}{}", out.empty() ? "" : " ", word);
  }
  return out;
}

// By name in lower case; values of one name are joined in their order.
std::map<std::string, std::string> canonical_headers(const SignedRequest& request) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : request.headers) {
    const auto [header, is_first] = out.try_emplace(lower_case(name), trimmed(value));
    if (!is_first) header->second += "," + trimmed(value);
  }
  return out;
}

std::string names_of(const std::map<std::string, std::string>& headers) {
  std::string out;
  for (const auto& [name, value] : headers)
    out += fmt::format("{}{}", out.empty() ? "" : ";", name);
  return out;
}

}  // namespace

std::string amz_date(WallTime time) {
  std::string out = utc_text(time);
  std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
  return out;
}

std::string canonical_request(const SignedRequest& request) {
  const auto headers = canonical_headers(request);
  std::string lines;
  for (const auto& [name, value] : headers) lines += fmt::format("{}:{}\n", name, value);
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}",
                     request.method,
                     canonical_path(request.path),
                     canonical_query(request.query),
                     lines,
                     names_of(headers),
                     sha256_hex(request.body));
}

std::string authorization_of(const SignedRequest& request, const Signer& signer, WallTime time) {
  const std::string date = amz_date(time);
  const std::string day = date.substr(0, date.find('T'));
  const std::string scope =
      fmt::format("{}/{}/{}/aws4_request", day, signer.region, signer.service);
  const std::string text = fmt::format("{}\n{}\n{}\n{}",
                                       kAlgorithm,
                                       date,
                                       scope,
                                       sha256_hex(canonical_request(request)));
  std::string key = hmac_sha256("AWS4" + signer.key.reveal(), day);
  for (const std::string_view part : {std::string_view(signer.region),
                                      std::string_view(signer.service),
                                      std::string_view("aws4_request")}) {
    key = hmac_sha256(key, part);
  }
  return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                     kAlgorithm,
                     signer.key_id,
                     scope,
                     names_of(canonical_headers(request)),
                     hex(hmac_sha256(key, text)));
}

}  // namespace weir::scalers::clients
