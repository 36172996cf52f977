// The prometheus kind: sends queries and their age queries over HTTP. Its logic is in the pure
// files beside it.
#include "scalers/backends/prometheus/prometheus.hpp"

#include "scalers/backends/prometheus/diagnosis.hpp"
#include "scalers/backends/prometheus/settings.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/clients/http/client.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::scalers::backends::prometheus {

// Declared here and in the catalog alone: a header would let other code name the kind.
ScalerKind describe_kind();

namespace {

class PrometheusBackend;

class PrometheusScaler final : public Scaler {
 public:
  PrometheusScaler(PrometheusBackend& backend, MetricBlock block)
      : backend_(backend),
        settings_(std::move(block.settings)),
        query_(std::move(block.query)),
        age_of_(std::move(block.age_of)) {}

  [[nodiscard]] std::string cache_key(const Parameters& parameters) const override;
  [[nodiscard]] awaitable<Result<Samples>> query(Parameters parameters, Deadline deadline) override;
  [[nodiscard]] std::string describe_query(const Parameters& parameters) const override;
  [[nodiscard]] bool can_diagnose(const Result<Samples>& reply) const override {
    // Other errors say themselves what is wrong, and a 0 that the server returned was measured.
    return reply.has_error() && reply.error().code == Errc::no_value;
  }
  [[nodiscard]] awaitable<Diagnosis> diagnose(Parameters parameters,
                                              Result<Samples> reply,
                                              Deadline deadline) override;

 private:
  // The age of the data; nullopt for a metric without maxAge.
  [[nodiscard]] awaitable<Result<std::optional<DataAge>>> query_age(Parameters parameters,
                                                                    Deadline deadline);

  PrometheusBackend& backend_;
  MetricSettings settings_;
  QueryTemplate query_;
  QueryTemplate age_of_;
};

class PrometheusBackend final : public Backend, public Api {
 public:
  PrometheusBackend(BackendSettings settings, Clients& clients)
      : settings_(std::move(settings)),
        http_(clients.http()),
        proxy_(clients.proxies().choose(settings_.proxy, settings_.url)) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                    ParameterNames& names,
                                                    Problems& problems) override;
  [[nodiscard]] std::string address() const override { return settings_.url.authority(); }
  [[nodiscard]] std::string proxy() const override { return proxy_.text(); }
  [[nodiscard]] ConnectionCounts connections() const override { return *counts_; }
  [[nodiscard]] awaitable<Result<Sample>> run_query(std::string query,
                                                    Aggregate aggregate,
                                                    Warnings warnings,
                                                    Deadline deadline);
  [[nodiscard]] awaitable<std::optional<Error>> send(ApiQuery query,
                                                     OnReply on_reply,
                                                     Deadline deadline) override;
  [[nodiscard]] std::vector<std::string> redactions() const override;
  // Of every request, as the configuration has them.
  [[nodiscard]] const UrlParameters& url_parameters() const { return settings_.parameters; }

 private:
  // The request for `query`. Reads the credentials from their files each time, so they may rotate.
  [[nodiscard]] Result<clients::HttpRequest> request(const std::string& query,
                                                     Duration budget) const;
  // A request to `page` below /api/v1, without parameters.
  [[nodiscard]] Result<clients::HttpRequest> request_to(std::string_view page) const;
  void set_form(Method method, std::string form, clients::HttpRequest& out) const;

  BackendSettings settings_;
  clients::HttpClient& http_;
  clients::ProxyChoice proxy_;
  // Also owned by the requests under way.
  std::shared_ptr<ConnectionCounts> counts_ = std::make_shared<ConnectionCounts>();
};

std::unique_ptr<Scaler> PrometheusBackend::make_scaler(const Node& block,
                                                       ParameterNames& names,
                                                       Problems& problems) {
  return std::make_unique<PrometheusScaler>(*this, read_metric(block, names, problems));
}

Result<clients::HttpRequest> PrometheusBackend::request_to(std::string_view page) const {
  clients::HttpRequest out;
  out.url = settings_.url;
  // Path and parameters tell tenants of one gateway apart, whose credentials differ.
  out.auth_scope = out.url.path + "?" + make_form(Method::get, settings_.parameters, "").query;
  out.url.path += fmt::format("/api/v1/{}", page);
  out.tls = settings_.tls;
  out.is_http2 = settings_.is_http2;
  out.proxy = proxy_.proxy;
  out.counts = counts_;
  for (const auto& [name, value] : settings_.headers) {
    auto secret = value.file.is_set() ? value.file.read() : Result<Secret>(Secret(value.text));
    if (!secret) return secret.error();
    out.headers.push_back({name, std::move(*secret), value.file.is_set()});
  }
  if (settings_.token.is_set()) {
    auto token = read_token(settings_.token);
    if (!token) return token.error();
    // Alone, too, because a server may echo it without the scheme in front.
    out.redactions.push_back(token->reveal());
    out.headers.push_back({"Authorization", Secret("Bearer " + token->reveal()), true});
  }
  if (settings_.username.is_set()) {
    auto pair = read_pair(settings_.username, settings_.password);
    if (!pair) return pair.error();
    out.basic = std::move(*pair);
  }
  return out;
}

void PrometheusBackend::set_form(Method method, std::string form, clients::HttpRequest& out) const {
  RequestForm request_form = make_form(method, settings_.parameters, std::move(form));
  if (method == Method::post) out.method = "POST";
  out.query = std::move(request_form.query);
  out.body = std::move(request_form.body);
}

Result<clients::HttpRequest> PrometheusBackend::request(const std::string& query,
                                                        Duration budget) const {
  auto out = request_to("query");
  if (!out) return out.error();
  // In both forms, because a server may echo the query as it was sent or decoded.
  out->redactions.push_back(query);
  out->redactions.push_back(percent_encoded(query));
  // The server gives up at the same time: a query whose reader is gone would hold one of its places
  // (query.max-concurrency, 20 by default). A timeout of 0 would leave no time at all.
  set_form(settings_.method,
           fmt::format("query={}&timeout={}ms",
                       percent_encoded(query),
                       std::max<Duration::rep>(1, budget.count())),
           *out);
  return out;
}

awaitable<std::optional<Error>> PrometheusBackend::send(ApiQuery query,
                                                        OnReply on_reply,
                                                        Deadline deadline) {
  auto request = request_to(query.page);
  if (!request) co_return request.error();
  // Prometheus serves targets, scrape_pools and label values by GET alone.
  const Method method = query.has_method ? settings_.method : Method::get;
  set_form(method, std::move(query.form), *request);
  request->max_body_bytes = kMaxReplyBytes;
  // A proxy may permit only `query`, so a refusal here does not mean that the credentials of reads
  // are invalid.
  request->caches_unauthorized = false;
  request->on_reply = [on_reply = std::move(on_reply)](const clients::HttpReply& reply) {
    on_reply(reply.status, reply.body);
  };
  const auto reply = co_await http_.send(std::move(*request), deadline);
  if (!reply) co_return reply.error();
  co_return std::nullopt;
}

std::vector<std::string> PrometheusBackend::redactions() const {
  auto request = request_to("query");
  // Any page has the same host and secrets. Without readable credentials nothing was sent, so no
  // response can contain them.
  return request ? clients::redactions_of(*request) : std::vector<std::string>{};
}

awaitable<Diagnosis> PrometheusScaler::diagnose(Parameters parameters,
                                                Result<Samples> /*reply*/,
                                                Deadline deadline) {
  auto diagnosis = co_await diagnose_query(&backend_, query_.render(parameters), deadline);
  co_return diagnosis;
}

awaitable<Result<Sample>> PrometheusBackend::run_query(std::string query,
                                                       Aggregate aggregate,
                                                       Warnings warnings,
                                                       Deadline deadline) {
  auto request = this->request(query, deadline.left(std::chrono::steady_clock::now()));
  if (!request) co_return request.error();
  // Shared with the client's thread, which fills it before send() ends, because parsing a reply of
  // 1 MB takes tens of milliseconds and would block the loop.
  const auto sample = std::make_shared<std::optional<Result<Sample>>>();
  request->on_reply = [sample,
                       redactions = clients::redactions_of(*request),
                       aggregate,
                       warnings,
                       matchers = equality_matchers(query)](const clients::HttpReply& reply) {
    *sample = parse_reply(reply.status, reply.body, aggregate, warnings, redactions, matchers);
  };
  const WallTime asked_at = std::chrono::system_clock::now();
  const auto reply = co_await http_.send(std::move(*request), deadline);
  if (!reply) co_return reply.error();
  // Set, because on_reply has run when send() returns a reply.
  Result<Sample> out = std::move(**sample);
  // The server evaluates a moment later, by its own clock; no value is younger than its question.
  if (out) out->taken_at = std::min(out->taken_at, asked_at);
  co_return out;
}

std::string PrometheusScaler::describe_query(const Parameters& parameters) const {
  std::string out = query_.render(parameters);
  // With the age query, because query() sends both.
  if (settings_.max_age) out += fmt::format("; maxAge: {}", age_query(age_of_.render(parameters)));
  const std::string of_backend = text_of(backend_.url_parameters());
  if (!of_backend.empty()) out += fmt::format("; parameters: {}", of_backend);
  return out;
}

std::string PrometheusScaler::cache_key(const Parameters& parameters) const {
  // `empty` and the like are not in the key, because the reader applies them to each read; maxAge
  // is, because the answer holds its limit. The size keeps the selector apart from the query.
  const std::string age_of = age_of_.render(parameters);
  return fmt::format("{} {} {} {}:{} {}",
                     static_cast<int>(settings_.aggregate),
                     static_cast<int>(settings_.warnings),
                     settings_.max_age.value_or(Duration{0}).count(),
                     age_of.size(),
                     age_of,
                     query_.render(parameters));
}

awaitable<Result<Samples>> PrometheusScaler::query(Parameters parameters, Deadline deadline) {
  // The age first, because a sample that arrives in between would make the value appear younger
  // than it is.
  const auto data_age = co_await query_age(parameters, deadline);
  if (!data_age) co_return data_age.error();
  auto sample = co_await backend_.run_query(query_.render(parameters),
                                            settings_.aggregate,
                                            settings_.warnings,
                                            deadline);
  if (sample) sample->data_age = *data_age;
  co_return as_samples(std::move(sample));
}

awaitable<Result<std::optional<DataAge>>> PrometheusScaler::query_age(Parameters parameters,
                                                                      Deadline deadline) {
  if (!settings_.max_age) co_return std::optional<DataAge>();
  // max() returns one series, so there is nothing to aggregate.
  const auto reply = co_await backend_.run_query(age_query(age_of_.render(parameters)),
                                                 Aggregate::none,
                                                 settings_.warnings,
                                                 deadline);
  const auto age = check_age(reply, *settings_.max_age);
  if (!age) co_return age.error();
  co_return std::optional(*age);
}

std::unique_ptr<Backend> make_backend(const Node& block, Clients& clients, Problems& problems) {
  BackendSettings settings = read_backend(block, problems);
  // A url that cannot be used has been reported.
  if (settings.url.host.empty()) return nullptr;
  return std::make_unique<PrometheusBackend>(std::move(settings), clients);
}

}  // namespace

ScalerKind describe_kind() {
  return {
      .name = "prometheus",
      .summary = "An instant PromQL query to Prometheus, or to a server with the same query API.",
      .empty_covers = "a response without series",
      .backend_settings = backend_docs,
      .metric_settings = metric_docs,
      .check_metric = [](const Node& block,
                         ParameterNames& names,
                         Problems& problems) { read_metric(block, names, problems); },
      .make_backend = make_backend,
  };
}

}  // namespace weir::scalers::backends::prometheus
