#include "scalers/backends/prometheus.hpp"

#include "scalers/clients.hpp"
#include "scalers/clients/http.hpp"
#include "scalers/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace weir::scalers::backends::prometheus {

ScalerKind describe_kind();

enum class Method { get, post };

// A header's value: written in the configuration, or read from a file when it is a secret.
struct HeaderValue {
  std::string text;
  SecretFile file;
};
using Headers = std::vector<std::pair<std::string, HeaderValue>>;

struct BackendSettings {
  Url url;
  Method method = Method::get;
  SecretFile token;
  SecretFile username;
  SecretFile password;
  Headers headers;
  TlsFiles tls;
};

struct MetricSettings {
  std::string backend;
  std::string query;
  Aggregate aggregate = Aggregate::none;
  Warnings warnings = Warnings::error;
  std::optional<Duration> max_age;
  std::string age_of;
};

}  // namespace weir::scalers::backends::prometheus

namespace weir::scalers {

template <>
struct EnumNames<backends::prometheus::Method> {
  using Method = backends::prometheus::Method;
  static constexpr std::string_view kTypeName = "GET | POST";
  static constexpr std::array<std::pair<std::string_view, Method>, 2> kNames{
      {{"GET", Method::get}, {"POST", Method::post}}};
};

namespace backends::prometheus {

static bool is_header_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// Why a header of that name cannot be set so, in words; empty when it can.
static std::string refusal_of(std::string_view name, bool is_text) {
  const std::string lower = lower_case(name);
  for (const std::string_view own :
       {"host", "content-length", "transfer-encoding", "connection", "expect"}) {
    if (lower == own) return fmt::format("the header {} is the client's own; remove it", name);
  }
  const bool is_secret = lower == "authorization" || lower == "proxy-authorization" ||
                         lower == "cookie" || lower.ends_with("token") || lower.ends_with("key") ||
                         lower.ends_with("secret");
  if (is_secret && is_text)
    return fmt::format("the header {} holds a secret; write {{file: PATH}}", name);
  return {};
}

static void check_header(const Node::Field& field, const Headers& before, Problems& problems) {
  if (!is_header_name(field.key)) {
    problems.add(field.mark, fmt::format("\"{}\" is no header name", field.key));
  }
  const bool is_text = field.value.kind != Node::Kind::map;
  if (auto why = refusal_of(field.key, is_text); !why.empty())
    problems.add(field.mark, std::move(why));
  const bool is_repeated = std::ranges::any_of(before, [&](const auto& header) {
    return lower_case(header.first) == lower_case(field.key);
  });
  if (is_repeated)
    problems.add(field.mark, fmt::format("the header {} stands twice; keep one", field.key));
}

// Found by its argument's namespace, which an unnamed one would hide.
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

namespace {

constexpr std::array kBackendTable{
    required_setting<&BackendSettings::url>(
        "url",
        "the server's address, with the path in front of /api/v1 if any"),
    setting<&BackendSettings::method>("method",
                                      "GET",
                                      "how queries are sent; POST for very long ones"),
    setting<&BackendSettings::token>("token", "", "file with the bearer token"),
    setting<&BackendSettings::username>("username",
                                        "",
                                        "file with the user of basic auth; goes with password"),
    setting<&BackendSettings::password>("password",
                                        "",
                                        "file with the password of basic auth; goes with username"),
    setting<&BackendSettings::headers>(
        "headers",
        "",
        "further request headers, such as X-Scope-OrgID: text or {file: PATH}"),
    setting<&BackendSettings::tls>("tls",
                                   "",
                                   "ca, certificate and key, each the path of a PEM file"),
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::backend>("backend", "the name of an entry of backends"),
    required_setting<&MetricSettings::query>(
        "query",
        "the PromQL query; $(label) inside its strings is a parameter"),
    setting<&MetricSettings::aggregate>(
        "aggregate",
        "",
        "joins several series into one number; off: several are an error"),
    setting<&MetricSettings::warnings>("warnings",
                                       "error",
                                       "whether an answer with warnings (often incomplete) counts"),
    setting<&MetricSettings::max_age>(
        "maxAge",
        "",
        "how old the newest sample of ageOf may be; an older one is an error, whatever the query "
        "gives"),
    setting<&MetricSettings::age_of>(
        "ageOf",
        "",
        "the selector whose samples the query lives on, such as jobs_waiting{queue=\"$(queue)\"}; "
        "goes with maxAge"),
};

class PrometheusBackend;

struct MetricBlock {
  MetricSettings settings;
  QueryTemplate query;
  QueryTemplate age_of;
};

class PrometheusScaler final : public Scaler {
 public:
  PrometheusScaler(PrometheusBackend& backend, MetricBlock block)
      : backend_(backend),
        settings_(std::move(block.settings)),
        query_(std::move(block.query)),
        age_of_(std::move(block.age_of)) {}

  [[nodiscard]] std::string question(const Labels& parameters) const override;
  [[nodiscard]] awaitable<Result<Sample>> ask(Labels parameters, Deadline deadline) override;

 private:
  // How old the data is; nullopt for a metric without maxAge.
  [[nodiscard]] awaitable<Result<std::optional<DataAge>>> ask_age(Labels parameters,
                                                                  Deadline deadline);

  PrometheusBackend& backend_;
  MetricSettings settings_;
  QueryTemplate query_;
  QueryTemplate age_of_;
};

class PrometheusBackend final : public Backend {
 public:
  PrometheusBackend(BackendSettings settings, clients::HttpClient& http)
      : settings_(std::move(settings)), http_(http) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                    ParameterNames& names,
                                                    Problems& problems) override;
  [[nodiscard]] ConnectionCounts connections() const override { return *counts_; }
  [[nodiscard]] awaitable<Result<Sample>> ask(std::string query,
                                              Aggregate aggregate,
                                              Warnings warnings,
                                              Deadline deadline);

 private:
  // The request that asks `query`, with the credentials as their files hold them now.
  [[nodiscard]] Result<clients::HttpRequest> request(const std::string& query,
                                                     Duration budget) const;

  BackendSettings settings_;
  clients::HttpClient& http_;
  // Also owned by the requests under way.
  std::shared_ptr<ConnectionCounts> counts_ = std::make_shared<ConnectionCounts>();
};

void check_age(const Node& block, const MetricSettings& settings, Problems& problems) {
  const Node* age_of = block.find("ageOf");
  if (settings.max_age.has_value() == settings.age_of.empty()) {
    problems.add(block.mark,
                 "maxAge and ageOf go together; write both, as in maxAge: 1m, ageOf: "
                 "'jobs_waiting{queue=\"a\"}'");
  } else if (age_of != nullptr && !is_selector(settings.age_of)) {
    problems.add(age_of->mark,
                 "ageOf is a plain selector, such as jobs_waiting{queue=\"a\"}, without functions, "
                 "ranges or offset: what is computed is never old");
  }
}

MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems) {
  MetricBlock out;
  read_settings(block, kMetricTable, "prometheus metric", out.settings, problems);
  if (const Node* query = block.find("query")) {
    out.query = QueryTemplate::parse(out.settings.query, query->mark, names, problems);
  }
  if (block.kind == Node::Kind::map) check_age(block, out.settings, problems);
  if (const Node* age_of = block.find("ageOf")) {
    out.age_of = QueryTemplate::parse(out.settings.age_of, age_of->mark, names, problems);
  }
  return out;
}

std::unique_ptr<Scaler> PrometheusBackend::make_scaler(const Node& block,
                                                       ParameterNames& names,
                                                       Problems& problems) {
  return std::make_unique<PrometheusScaler>(*this, read_metric(block, names, problems));
}

Result<clients::HttpRequest> PrometheusBackend::request(const std::string& query,
                                                        Duration budget) const {
  clients::HttpRequest out;
  out.url = settings_.url;
  out.realm = out.url.path;
  out.url.path += "/api/v1/query";
  out.tls = settings_.tls;
  out.counts = counts_;
  out.hidden.push_back(query);
  out.hidden.push_back(percent_encoded(query));
  const std::string form = fmt::format("query={}&timeout={}ms",
                                       percent_encoded(query),
                                       std::max<Duration::rep>(1, budget.count()));
  if (settings_.method == Method::post) {
    out.method = "POST";
    out.body = form;
  } else {
    out.query = form;
  }
  for (const auto& [name, value] : settings_.headers) {
    auto secret = value.file.is_set() ? value.file.read() : Result<Secret>(Secret(value.text));
    if (!secret) return secret.error();
    out.headers.push_back({name, std::move(*secret), value.file.is_set()});
  }
  if (settings_.token.is_set()) {
    auto token = settings_.token.read();
    if (!token) return token.error();
    out.hidden.push_back(token->reveal());
    out.headers.push_back({"Authorization", Secret("Bearer " + token->reveal()), true});
  }
  if (settings_.username.is_set()) {
    auto pair = read_pair(settings_.username, settings_.password);
    if (!pair) return pair.error();
    out.basic = std::move(*pair);
  }
  return out;
}

awaitable<Result<Sample>> PrometheusBackend::ask(std::string query,
                                                 Aggregate aggregate,
                                                 Warnings warnings,
                                                 Deadline deadline) {
  auto request = this->request(query, deadline.left(std::chrono::steady_clock::now()));
  if (!request) co_return request.error();
  // Shared with the client's thread, which fills it before send() ends: a reply of a megabyte takes
  // it tens of milliseconds, which the loop does not have.
  const auto sample = std::make_shared<std::optional<Result<Sample>>>();
  request->digest = [sample, hidden = clients::hidden_texts(*request), aggregate, warnings](
                        const clients::HttpReply& reply) {
    *sample = parse_reply(reply.status, reply.body, aggregate, warnings, hidden);
  };
  const auto reply = co_await http_.send(std::move(*request), deadline);
  if (!reply) co_return reply.error();
  co_return std::move(**sample);
}

std::string PrometheusScaler::question(const Labels& parameters) const {
  const std::string age_of = age_of_.render(parameters);
  return fmt::format("{} {} {} {}:{} {}",
                     static_cast<int>(settings_.aggregate),
                     static_cast<int>(settings_.warnings),
                     settings_.max_age.value_or(Duration{0}).count(),
                     age_of.size(),
                     age_of,
                     query_.render(parameters));
}

awaitable<Result<Sample>> PrometheusScaler::ask(Labels parameters, Deadline deadline) {
  // First the age: a sample that came in between would make the value look younger than it is.
  const auto data_age = co_await ask_age(parameters, deadline);
  if (!data_age) co_return data_age.error();
  auto sample = co_await backend_.ask(query_.render(parameters),
                                      settings_.aggregate,
                                      settings_.warnings,
                                      deadline);
  if (sample) sample->data_age = *data_age;
  co_return sample;
}

awaitable<Result<std::optional<DataAge>>> PrometheusScaler::ask_age(Labels parameters,
                                                                    Deadline deadline) {
  if (!settings_.max_age) co_return std::optional<DataAge>();
  const auto asked = co_await backend_.ask(age_query(age_of_.render(parameters)),
                                           Aggregate::none,
                                           settings_.warnings,
                                           deadline);
  const auto age = judge_age(asked, *settings_.max_age);
  if (!age) co_return age.error();
  co_return std::optional(*age);
}

void check_credentials(const Node& block, const BackendSettings& settings, Problems& problems) {
  if (settings.username.is_set() != settings.password.is_set()) {
    problems.add(block.mark, "username and password go together; write both or neither");
  }
  if (settings.token.is_set() && settings.username.is_set()) {
    problems.add(block.find("token")->mark, "token and username exclude each other; keep one");
  }
  if (settings.url.scheme == "http" && block.find("tls") != nullptr) {
    problems.add(block.find("tls")->mark,
                 "tls needs a url with https://; this one begins with http://");
  }
}

std::unique_ptr<Backend> make_backend(const Node& block, Clients& clients, Problems& problems) {
  BackendSettings settings;
  read_settings(block, kBackendTable, "prometheus backend", settings, problems);
  check_credentials(block, settings, problems);
  return std::make_unique<PrometheusBackend>(std::move(settings), clients.http());
}

}  // namespace

ScalerKind describe_kind() {
  return {
      .name = "prometheus",
      .summary =
          "An instant PromQL query, answered by Prometheus or anything that speaks its query API.",
      .backend_settings = [] { return docs_of<BackendSettings>(kBackendTable); },
      .metric_settings = [] { return docs_of<MetricSettings>(kMetricTable); },
      .check_metric = [](const Node& block,
                         ParameterNames& names,
                         Problems& problems) { read_metric(block, names, problems); },
      .make_backend = make_backend,
  };
}

}  // namespace backends::prometheus
}  // namespace weir::scalers
