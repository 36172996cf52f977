// Parses the ConfigMap with the key names and JSON formats of k8s.io/apiserver.
#include "server/kube/trust/authentication_config.hpp"

#include "scalers/text/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <utility>
#include <variant>

namespace weir::server::cluster {
namespace {

using nlohmann::json;
using Data = std::map<std::string, std::string>;
using Texts = std::vector<std::string>;

constexpr const char* kClientCa = "client-ca-file";
constexpr const char* kFrontProxyCa = "requestheader-client-ca-file";

bool is_blank(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isspace(c) != 0; });
}

void add(std::string& problem, const std::string& what) {
  problem += problem.empty() ? what : "; " + what;
}

// nullopt when the bundle is absent, which is not a problem, or not valid, which is one.
std::optional<NamedBundle> bundle_in(const Data& data, const char* key, std::string& problem) {
  const auto entry = data.find(key);
  if (entry == data.end()) return std::nullopt;
  // Reported, because an emptied key must not remove the CA in use.
  if (is_blank(entry->second)) {
    add(problem, fmt::format("{} is empty", key));
    return std::nullopt;
  }
  auto parsed = CaBundle::parse(entry->second);
  if (const auto* invalid = std::get_if<CaBundle::Invalid>(&parsed)) {
    add(problem, fmt::format("{}: {}", key, invalid->why));
    return std::nullopt;
  }
  return NamedBundle{entry->second, std::get<CaBundle>(std::move(parsed))};
}

// The JSON array of strings under `key`, without empty ones; an empty list when the key is absent.
std::optional<Texts> texts_in(const Data& data, const char* key, std::string& problem) {
  const auto entry = data.find(key);
  if (entry == data.end() || is_blank(entry->second)) return Texts{};
  const json parsed = json::parse(entry->second, nullptr, false);
  // Go encodes an empty list as null when it was never allocated.
  const bool is_list =
      parsed.is_null() || (parsed.is_array() && std::ranges::all_of(parsed, [](const json& item) {
                             return item.is_string();
                           }));
  if (!is_list) {
    add(problem, fmt::format("{} is not a JSON array of strings", key));
    return std::nullopt;
  }
  Texts out;
  for (const json& item : parsed) {
    const auto text = item.get<std::string>();
    // An empty prefix would take every header for extra data of the user.
    if (!text.empty()) out.push_back(text);
  }
  return out;
}

// Header names are compared in lower case (RFC 9110, 5.1).
std::optional<Texts> header_names_in(const Data& data, const char* key, std::string& problem) {
  auto out = texts_in(data, key, problem);
  if (!out) return out;
  for (std::string& name : *out) name = scalers::lower_case(name);
  return out;
}

}  // namespace

AuthenticationConfig parse_authentication_config(const Data& data) {
  AuthenticationConfig out;
  out.client_ca = bundle_in(data, kClientCa, out.problem);
  auto ca = bundle_in(data, kFrontProxyCa, out.problem);
  // Not in lower case: they are the common names of certificates.
  auto names = texts_in(data, "requestheader-allowed-names", out.problem);
  auto users = header_names_in(data, "requestheader-username-headers", out.problem);
  auto groups = header_names_in(data, "requestheader-group-headers", out.problem);
  auto extras = header_names_in(data, "requestheader-extra-headers-prefix", out.problem);
  // Absent unless the kube-apiserver has a flag for it (1.33 and later). X-Remote-Uid is not
  // trusted without it.
  auto uids = header_names_in(data, "requestheader-uid-headers", out.problem);
  // The front proxy is trusted only if all of its rules are valid: a partial rule could trust more.
  if (!ca || !names || !users || !groups || !extras || !uids) return out;
  out.front_proxy = FrontProxyTrust{std::move(*ca),
                                    {.allowed_names = std::move(*names),
                                     .username_headers = std::move(*users),
                                     .group_headers = std::move(*groups),
                                     .extra_header_prefixes = std::move(*extras),
                                     .uid_headers = std::move(*uids)}};
  return out;
}

}  // namespace weir::server::cluster
