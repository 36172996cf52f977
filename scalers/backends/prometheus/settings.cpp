// Apart from the scaler, so that `weir check` and `weir describe` need no clients.
#include "scalers/backends/prometheus/settings.hpp"

#include "scalers/clients/tokens/assertion.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <iterator>
#include <string_view>

namespace weir::scalers {

template <>
struct EnumNames<backends::prometheus::Method> {
  using Method = backends::prometheus::Method;
  static constexpr std::string_view kTypeName = "GET | POST";
  static constexpr std::array<std::pair<std::string_view, Method>, 2> kNames{
      {{"GET", Method::get}, {"POST", Method::post}}};
};

namespace backends::prometheus {

namespace {

constexpr std::array kBackendTable{
    required_setting<&BackendSettings::server>(
        "url",
        "URL of the server, with the path before /api/v1 if there is one; from a file it may have "
        "USER:PASSWORD@"),
    setting<&BackendSettings::method>(
        "method",
        "HTTP method of queries; without it GET, and POST where the URL would have more than 2000 "
        "bytes"),
    setting<&BackendSettings::token>("token", "file with the bearer token"),
    setting<&BackendSettings::username>("username",
                                        "file with the user of basic auth; requires password"),
    setting<&BackendSettings::password>("password",
                                        "file with the password of basic auth; requires username"),
    setting<&BackendSettings::auth>(
        "auth",
        "short-lived credentials in place of token, one of aws: {region: eu-west-1} (signed "
        "requests), azure: {}, google: {} and oauth2: {tokenUrl: URL, clientId: ID, clientSecret: "
        "{file: PATH}}; the identity of a pod of EKS, AKS or GKE comes from its environment"),
    setting<&BackendSettings::headers>(
        "headers",
        "additional request headers; each value is a text, in which $(namespace) is the namespace "
        "of the HPA, or {file: PATH}: {X-Scope-OrgID: $(namespace)} for a tenant of Mimir for each "
        "namespace"),
    setting<&BackendSettings::parameters>(
        "parameters",
        "query parameters of every request's URL, not encoded, each a text or a list of texts; "
        "$(namespace) is the namespace of the HPA: {namespace: $(namespace)} for the tenancy port "
        "of OpenShift, {partial_response: false, dedup: true} for Thanos, {deny_partial_response: "
        "1, extra_label: team=a} for VictoriaMetrics; a secret belongs in headers"),
    setting<&BackendSettings::tls>("tls", "ca, certificate and key, each the path of a PEM file"),
    setting<&BackendSettings::is_http2>(
        "http2",
        "use HTTP/2 if the server offers it in the TLS handshake: queries share one connection"),
    setting<&BackendSettings::proxy>("proxy", clients::kProxyDoc),
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::backend>("backend", "name of an entry of backends"),
    required_setting<&MetricSettings::query>(
        "query",
        "the PromQL query; $(label) inside its strings is a parameter"),
    setting<&MetricSettings::aggregate>(
        "aggregate",
        "how to combine several series into one number; off: several series are an error"),
    setting<&MetricSettings::warnings>(
        "warnings",
        "whether to accept responses with warnings, which are often incomplete"),
    setting<&MetricSettings::max_age>("maxAge",
                                      "maximum age of the newest sample of ageOf; an older sample "
                                      "is an error, whatever the query returns"),
    setting<&MetricSettings::age_of>("ageOf",
                                     "selector of the series that the query is computed from, such "
                                     "as jobs_waiting{queue=\"$(queue)\"}; requires maxAge"),
    setting<&MetricSettings::parameters>(
        "parameters",
        "query parameters of this metric's requests, beside those of the backend, such as "
        "{lookback_delta: 1m}; $(label) and $(namespace) are parameters in their texts"),
};

void check_max_age(const Node& block, const MetricSettings& settings, Problems& problems) {
  // maxAge needs to know which samples count: the result of a query has the evaluation time,
  // however old its data is.
  const Node* age_of = block.find("ageOf");
  if (settings.max_age.has_value() == settings.age_of.empty()) {
    problems.add(block.mark,
                 "maxAge and ageOf go together; write both, as in maxAge: 1m, ageOf: "
                 "'jobs_waiting{queue=\"a\"}'");
  } else if (age_of != nullptr && !promql::is_selector(settings.age_of)) {
    problems.add(age_of->mark,
                 "ageOf must be a plain selector, such as jobs_waiting{queue=\"a\"}, without "
                 "functions, ranges or offset, because a computed sample is never old");
  }
}

constexpr const char* kTokenHasScheme =
    "the token file begins with \"Bearer\"; write only the token into it";

// Each of them would be the header Authorization.
void check_auth(const Node& block, const BackendSettings& settings, Problems& problems) {
  const Node* auth = block.find("auth");
  if (auth == nullptr) return;
  for (const char* other : {"token", "username"}) {
    if (block.find(other) == nullptr) continue;
    problems.add(auth->mark,
                 fmt::format("auth and {} are mutually exclusive; keep one of them", other));
  }
  if (!settings.server.file.empty() && settings.server.username.is_set()) {
    add_url_problem(*block.find("url"),
                    settings.server,
                    "it has a user and a password; remove them, or auth of the backend",
                    problems);
  }
}

void check_credentials(const Node& block, const BackendSettings& settings, Problems& problems) {
  if (settings.username.is_set() != settings.password.is_set()) {
    problems.add(block.mark, "username and password go together; write both or neither");
  }
  // Both would be the header Authorization.
  const bool is_login_in_file = !settings.server.file.empty() && settings.username.is_set();
  if (settings.token.is_set() && is_login_in_file) {
    add_url_problem(*block.find("url"),
                    settings.server,
                    "it has a user and a password; remove them, or the token of the backend",
                    problems);
  } else if (settings.token.is_set() && settings.username.is_set()) {
    problems.add(block.find("token")->mark, "token and username are mutually exclusive; keep one");
  }
  check_auth(block, settings, problems);
  // A file that cannot be read has been reported.
  const auto token = settings.token.is_set() ? settings.token.read() : Result<Secret>(Secret());
  if (settings.token.is_set())
    problems.add_file({LocalFile::Kind::token, settings.token.path(), {}, {}});
  // Weir writes the scheme itself: "Bearer Bearer x" is refused by every server.
  if (token && clients::has_scheme(token->reveal())) {
    problems.add_in_file(block.find("token")->mark, kTokenHasScheme);
  }
  const auto authorization =
      std::ranges::find(settings.headers, "authorization", [](const auto& one) {
        return lower_case(one.first);
      });
  if (authorization != settings.headers.end() &&
      (settings.token.is_set() || settings.username.is_set() || settings.auth.is_set())) {
    const std::string_view other = settings.auth.is_set()    ? "auth"
                                   : settings.token.is_set() ? "token"
                                                             : "username";
    problems.add(block.find("headers")->mark,
                 fmt::format("the header {} and {} are mutually exclusive; keep one",
                             authorization->first,
                             other));
  }
  // Files that would not be used are an error, because their author believes that the connection is
  // encrypted.
  if (settings.url.scheme == "http" && block.find("tls") != nullptr) {
    add_scheme_problem(block,
                       settings.server,
                       "tls needs a url with https://; this url begins with http://",
                       problems);
  }
  if (settings.url.scheme == "http" && settings.is_http2) {
    add_url_problem(*block.find(settings.server.file.empty() ? "http2" : "url"),
                    settings.server,
                    "http2 needs a url with https://; this url begins with http://",
                    problems);
  }
}

// The values of what each request has. $(namespace) alone, because a backend has no labels.
void parse_request_values(BackendSettings& settings, Problems& problems) {
  ParameterNames names = ParameterNames::of_backend();
  parse_values(settings.headers, names, problems);
  parse_values(settings.parameters, names, problems);
}

void read_url(const Node& block, BackendSettings& out, Problems& problems) {
  const Node* node = block.find("url");
  use_login(block, out.server, UrlLogin::user_and_password, out.username, out.password, problems);
  // Missing, or not readable, which has been reported.
  if (node == nullptr || out.server.text.empty()) return;
  auto parsed = parse_http_url(out.server.text);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) {
    // The example is a constant, because a query may contain a secret.
    return add_url_problem(*node,
                           out.server,
                           problem->has_query ? "a url must not have a query; write it as "
                                                "parameters: {namespace: team-a}"
                                              : problem->what,
                           problems);
  }
  out.url = std::get<Url>(std::move(parsed));
}

}  // namespace

Result<Secret> read_token(const SecretFile& file) {
  auto token = file.read();
  if (token && clients::has_scheme(token->reveal())) {
    return Error{Errc::refused, kTokenHasScheme, ""};
  }
  return token;
}

BackendSettings read_backend(const Node& block, Problems& problems) {
  BackendSettings out;
  read_settings(block, kBackendTable, "prometheus backend", out, problems);
  // A block that is not a map has been reported.
  if (block.kind != Node::Kind::map) return out;
  read_url(block, out, problems);
  check_credentials(block, out, problems);
  parse_request_values(out, problems);
  return out;
}

MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems) {
  MetricBlock out;
  read_settings(block, kMetricTable, "prometheus metric", out.settings, problems);
  if (const Node* query = block.find("query")) {
    out.query = QueryTemplate::parse(out.settings.query, query->mark, names, problems);
  }
  // read_settings() has reported a block that is not a map.
  if (block.kind == Node::Kind::map) check_max_age(block, out.settings, problems);
  if (const Node* age_of = block.find("ageOf")) {
    out.age_of = QueryTemplate::parse(out.settings.age_of, age_of->mark, names, problems);
  }
  parse_values(out.settings.parameters, names, problems);
  if (out.settings.parameters.has_parameter(kNamespaceParameter)) names.send_namespace();
  return out;
}

std::vector<SettingDoc> backend_docs() {
  std::vector<SettingDoc> out = docs_of<BackendSettings>(kBackendTable);
  std::ranges::move(clients::auth_docs(), std::back_inserter(out));
  return out;
}
std::vector<SettingDoc> metric_docs() { return docs_of<MetricSettings>(kMetricTable); }

}  // namespace backends::prometheus
}  // namespace weir::scalers
