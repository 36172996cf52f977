// Apart from the scaler, so that `weir check` and `weir describe` need no clients.
#include "scalers/backends/prometheus/settings.hpp"

#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
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

// A token of RFC 9110 section 5.6.2.
static bool is_header_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// By the name, because a value does not show that it is a secret. `lower` is in lower case.
static bool is_secret_name(std::string_view lower) {
  return lower == "authorization" || lower == "proxy-authorization" || lower == "cookie" ||
         lower.ends_with("token") || lower.ends_with("key") || lower.ends_with("secret");
}

// The problem of a header with that name; empty when the header is valid.
static std::string header_problem(std::string_view name, bool is_text) {
  // A second value of one of these could make a proxy see other bounds of the request than Weir.
  const std::string lower = lower_case(name);
  for (const std::string_view reserved :
       {"host", "content-length", "transfer-encoding", "connection", "expect"}) {
    if (lower == reserved) return fmt::format("the header {} is set by Weir; remove it", name);
  }
  // A text would be in the configuration, which more people may read than a Secret.
  if (is_secret_name(lower) && is_text)
    return fmt::format("the header {} holds a secret; write {{file: PATH}}", name);
  return {};
}

static void check_header(const Node::Field& field, const Headers& previous, Problems& problems) {
  if (!is_header_name(field.key)) {
    problems.add(field.mark, fmt::format("\"{}\" is not a valid header name", field.key));
  }
  const bool is_text = field.value.kind != Node::Kind::map;
  if (auto why = header_problem(field.key, is_text); !why.empty())
    problems.add(field.mark, std::move(why));
  // Names of headers ignore case (RFC 9110 section 5.1).
  const bool is_repeated = std::ranges::any_of(previous, [&](const auto& header) {
    return lower_case(header.first) == lower_case(field.key);
  });
  if (is_repeated)
    problems.add(field.mark, fmt::format("duplicate header {}; keep one", field.key));
}

// Not in an unnamed namespace, because read_settings() finds this overload by argument-dependent
// lookup.
static void read_value(const Node& node, Headers& out, Problems& problems) {
  if (node.kind != Node::Kind::map) {
    return problems.add(node.mark,
                        "expected a map from a header's name to its text or {file: PATH}");
  }
  for (const Node::Field& field : node.fields) {
    check_header(field, out, problems);
    HeaderValue value;
    if (field.value.kind == Node::Kind::map) {
      scalers::read_value(field.value, value.file, problems);
    } else {
      scalers::read_value(field.value, value.text, problems);
    }
    out.emplace_back(field.key, std::move(value));
  }
}

// The problem of a query parameter with that name; empty when the parameter is valid.
static std::string parameter_problem(std::string_view name) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
  };
  if (name.empty()) return "the name of a query parameter is empty";
  // A second value could make a proxy see another query than the server.
  if (is_one_of({"query", "timeout", "state"}))
    return fmt::format("the parameter {} is set by Weir; remove it", name);
  if (is_one_of({"time", "start", "end"})) {
    return fmt::format("the parameter {} would fix the time of each query; remove it", name);
  }
  if (is_one_of({"limit", "match[]"})) {
    return fmt::format(
        "the parameter {} would leave out series, and an aggregate of the others is wrong; remove "
        "it",
        name);
  }
  // A url is in the access log of each proxy, and explanations show it.
  const std::string lower = lower_case(name);
  if (is_secret_name(lower) || lower.ends_with("password")) {
    return fmt::format(
        "the parameter {} holds a secret, and logs contain urls; send it as a header: write "
        "headers: {{NAME: {{file: PATH}}}}",
        name);
  }
  return {};
}

static void read_value(const Node& node, UrlParameters& out, Problems& problems) {
  if (node.kind != Node::Kind::map) {
    return problems.add(node.mark,
                        fmt::format("expected a map from a query parameter's name to its text or "
                                    "list of texts, such as {{namespace: team-a}}; {}",
                                    found_text(node)));
  }
  for (const Node::Field& field : node.fields) {
    if (auto why = parameter_problem(field.key); !why.empty())
      problems.add(field.mark, std::move(why));
    // The first of equal keys; the others are reported.
    const auto first = std::ranges::find(node.fields, field.key, &Node::Field::key);
    if (&*first != &field) add_duplicate(*first, field, problems);
    std::vector<std::string> values;
    if (field.value.kind == Node::Kind::list) {
      scalers::read_value(field.value, values, problems);
    } else {
      scalers::read_value(field.value, values.emplace_back(), problems);
    }
    for (std::string& value : values) out.pairs.emplace_back(field.key, std::move(value));
  }
}

namespace {

constexpr std::array kBackendTable{
    required_setting<&BackendSettings::server>(
        "url",
        "URL of the server, with the path before /api/v1 if there is one; from a file it may have "
        "USER:PASSWORD@"),
    setting<&BackendSettings::method>("method",
                                      "GET",
                                      "HTTP method of queries; POST for very long queries"),
    setting<&BackendSettings::token>("token", "", "file with the bearer token"),
    setting<&BackendSettings::username>("username",
                                        "",
                                        "file with the user of basic auth; requires password"),
    setting<&BackendSettings::password>("password",
                                        "",
                                        "file with the password of basic auth; requires username"),
    setting<&BackendSettings::headers>(
        "headers",
        "",
        "additional request headers, such as X-Scope-OrgID; each value is a text or {file: PATH}"),
    setting<&BackendSettings::parameters>(
        "parameters",
        "",
        "query parameters of every request's URL, not encoded, each a text or a list of texts: "
        "{namespace: team-a} for the tenancy port of OpenShift, {partial_response: false, dedup: "
        "true} for Thanos, {deny_partial_response: 1, extra_label: team=a} for VictoriaMetrics; "
        "a secret belongs in headers"),
    setting<&BackendSettings::tls>("tls",
                                   "",
                                   "ca, certificate and key, each the path of a PEM file"),
    setting<&BackendSettings::is_http2>(
        "http2",
        "false",
        "use HTTP/2 if the server offers it in the TLS handshake: queries share one connection"),
    setting<&BackendSettings::proxy>("proxy", "", clients::kProxyDoc),
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::backend>("backend", "name of an entry of backends"),
    required_setting<&MetricSettings::query>(
        "query",
        "the PromQL query; $(label) inside its strings is a parameter"),
    setting<&MetricSettings::aggregate>(
        "aggregate",
        "",
        "how to combine several series into one number; off: several series are an error"),
    setting<&MetricSettings::warnings>(
        "warnings",
        "error",
        "whether to accept responses with warnings, which are often incomplete"),
    setting<&MetricSettings::max_age>("maxAge",
                                      "",
                                      "maximum age of the newest sample of ageOf; an older sample "
                                      "is an error, whatever the query returns"),
    setting<&MetricSettings::age_of>("ageOf",
                                     "",
                                     "selector of the series that the query is computed from, such "
                                     "as jobs_waiting{queue=\"$(queue)\"}; requires maxAge"),
};

void check_max_age(const Node& block, const MetricSettings& settings, Problems& problems) {
  // maxAge needs to know which samples count: the result of a query has the evaluation time,
  // however old its data is.
  const Node* age_of = block.find("ageOf");
  if (settings.max_age.has_value() == settings.age_of.empty()) {
    problems.add(block.mark,
                 "maxAge and ageOf go together; write both, as in maxAge: 1m, ageOf: "
                 "'jobs_waiting{queue=\"a\"}'");
  } else if (age_of != nullptr && !is_selector(settings.age_of)) {
    problems.add(age_of->mark,
                 "ageOf must be a plain selector, such as jobs_waiting{queue=\"a\"}, without "
                 "functions, ranges or offset, because a computed sample is never old");
  }
}

constexpr const char* kTokenHasScheme =
    "the token file begins with \"Bearer\"; write only the token into it";

// Weir writes the scheme itself: "Bearer Bearer x" is refused by every server.
bool has_scheme(const Secret& token) { return lower_case(token.reveal()).starts_with("bearer "); }

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
  // A file that cannot be read has been reported.
  const auto token = settings.token.is_set() ? settings.token.read() : Result<Secret>(Secret());
  if (token && has_scheme(*token)) {
    problems.add_in_file(block.find("token")->mark, kTokenHasScheme);
  }
  const auto authorization =
      std::ranges::find(settings.headers, "authorization", [](const auto& one) {
        return lower_case(one.first);
      });
  if (authorization != settings.headers.end() &&
      (settings.token.is_set() || settings.username.is_set())) {
    problems.add(block.find("headers")->mark,
                 fmt::format("the header {} and {} are mutually exclusive; keep one",
                             authorization->first,
                             settings.token.is_set() ? "token" : "username"));
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
  if (token && has_scheme(*token)) {
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
  return out;
}

RequestForm make_form(Method method, const UrlParameters& parameters, std::string form) {
  RequestForm out;
  (method == Method::post ? out.body : out.query) = std::move(form);
  for (const auto& [name, value] : parameters.pairs) {
    out.query += fmt::format("{}{}={}",
                             out.query.empty() ? "" : "&",
                             percent_encoded(name),
                             percent_encoded(value));
  }
  return out;
}

std::string text_of(const UrlParameters& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters.pairs)
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, value);
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
  return out;
}

std::vector<SettingDoc> backend_docs() { return docs_of<BackendSettings>(kBackendTable); }
std::vector<SettingDoc> metric_docs() { return docs_of<MetricSettings>(kMetricTable); }

}  // namespace backends::prometheus
}  // namespace weir::scalers
