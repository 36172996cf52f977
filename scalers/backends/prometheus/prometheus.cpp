// The prometheus kind: sends queries and their age queries over HTTP. Its logic is in the pure
// files beside it.
#include "scalers/backends/prometheus/prometheus.hpp"

#include "scalers/backends/prometheus/measure.hpp"
#include "scalers/backends/prometheus/scaler.hpp"
#include "scalers/backends/prometheus/settings.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/clients/http/client.hpp"
#include "scalers/clients/tokens/login.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::backends::prometheus {

// Declared here and in the catalog alone: a header would let other code name the kind.
ScalerKind describe_kind();

namespace {

constexpr long kOk = 200;

class PrometheusBackend final : public Backend, public Server {
 public:
  // `login` is null without `auth`.
  PrometheusBackend(BackendSettings settings,
                    Clients& clients,
                    std::shared_ptr<clients::Login> login)
      : settings_(std::move(settings)),
        http_(clients.http()),
        login_(std::move(login)),
        base_url_bytes_(settings_.url.text().size()),
        has_namespace_(settings_.parameters.has_parameter(kNamespaceParameter) ||
                       std::ranges::any_of(settings_.headers, depends_on_caller)),
        proxy_(clients.proxies().choose(settings_.proxy, settings_.url)) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                    ParameterNames& names,
                                                    Problems& problems) override;
  [[nodiscard]] std::string address() const override { return settings_.url.authority(); }
  [[nodiscard]] ConnectionCounts connections() const override {
    ConnectionCounts out = *counts_;
    if (login_) login_->report(out);
    return out;
  }
  [[nodiscard]] std::string proxy() const override { return proxy_.text(); }
  [[nodiscard]] std::vector<std::string> remarks() const override {
    return clients::remarks_on(settings_.auth);
  }
  [[nodiscard]] awaitable<Result<Sample>> run_query(std::string query,
                                                    RequestScope scope,
                                                    Aggregate aggregate,
                                                    Warnings warnings,
                                                    Deadline deadline) override;
  [[nodiscard]] awaitable<std::optional<Error>> send(ApiQuery query,
                                                     RequestScope scope,
                                                     Api::OnReply on_reply,
                                                     Deadline deadline) override;
  [[nodiscard]] std::vector<std::string> redactions(const RequestScope& scope) const override;
  [[nodiscard]] bool has_namespace() const override { return has_namespace_; }
  [[nodiscard]] UrlPairs parameters_for(const Parameters& caller) const override;
  [[nodiscard]] std::string headers_for(const std::string& name_space) const override;

 private:
  [[nodiscard]] static bool depends_on_caller(const Headers::value_type& header) {
    return header.second.value.has_parameters();
  }
  // The request for `query`. Reads the credentials from their files each time, so they may rotate.
  [[nodiscard]] Result<clients::HttpRequest> request(const std::string& query,
                                                     const RequestScope& scope,
                                                     Duration budget) const;
  // A request to `page` below /api/v1, without parameters.
  [[nodiscard]] Result<clients::HttpRequest> request_to(std::string_view page,
                                                        const RequestScope& scope) const;
  [[nodiscard]] std::optional<Error> add_headers(const RequestScope& scope,
                                                 clients::HttpRequest& out) const;
  void set_form(std::optional<Method> method,
                const RequestScope& scope,
                std::string form,
                clients::HttpRequest& out) const;

  BackendSettings settings_;
  clients::HttpClient& http_;
  std::shared_ptr<clients::Login> login_;  // also owned by backends with equal `auth`
  std::size_t base_url_bytes_;
  bool has_namespace_;
  clients::ProxyChoice proxy_;
  // Also owned by the requests under way.
  std::shared_ptr<ConnectionCounts> counts_ = std::make_shared<ConnectionCounts>();
};

std::unique_ptr<Scaler> PrometheusBackend::make_scaler(const Node& block,
                                                       ParameterNames& names,
                                                       Problems& problems) {
  MetricBlock metric = read_metric(block, names, problems);
  check_not_repeated(settings_.parameters, metric.settings.parameters, problems);
  if (has_namespace_) names.send_namespace();
  return make_metric_scaler(*this, std::move(metric));
}

UrlPairs PrometheusBackend::parameters_for(const Parameters& caller) const {
  UrlPairs out;
  render(settings_.parameters, caller, out);
  return out;
}

std::string PrometheusBackend::headers_for(const std::string& name_space) const {
  std::string out;
  for (const auto& header : settings_.headers) {
    if (!depends_on_caller(header)) continue;
    out += fmt::format("{}{}: {}",
                       out.empty() ? "" : ", ",
                       header.first,
                       header.second.value.render({name_space}));
  }
  return out;
}

std::optional<Error> PrometheusBackend::add_headers(const RequestScope& scope,
                                                    clients::HttpRequest& out) const {
  for (const auto& [name, value] : settings_.headers) {
    if (value.file.is_set()) {
      auto secret = value.file.read();
      if (!secret) return secret.error();
      out.headers.push_back({name, std::move(*secret), true});
      continue;
    }
    std::string text = value.value.render({scope.name_space});
    add_redactions(text, scope.name_space, out.redactions);
    out.headers.push_back({name, Secret(std::move(text)), false});
  }
  return std::nullopt;
}

Result<clients::HttpRequest> PrometheusBackend::request_to(std::string_view page,
                                                           const RequestScope& scope) const {
  clients::HttpRequest out;
  out.url = settings_.url;
  // Path, parameters and headers tell tenants of one gateway apart, whose permissions differ.
  out.auth_scope = fmt::format("{}?{} {}",
                               out.url.path,
                               encoded(scope.parameters),
                               headers_for(scope.name_space));
  // A caller who chooses a label's value neither locks out other values nor fills the memory.
  out.caches_unauthorized = !scope.depends_on_label;
  for (const auto& [name, value] : scope.parameters)
    add_redactions(value, scope.name_space, out.redactions);
  out.url.path += fmt::format("/api/v1/{}", page);
  out.tls = settings_.tls;
  out.is_http2 = settings_.is_http2;
  out.if_too_large = "query fewer series";
  out.proxy = proxy_.proxy;
  out.counts = counts_;
  if (auto error = add_headers(scope, out)) return std::move(*error);
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

void PrometheusBackend::set_form(std::optional<Method> method,
                                 const RequestScope& scope,
                                 std::string form,
                                 clients::HttpRequest& out) const {
  const std::size_t base_bytes = base_url_bytes_ + out.url.path.size() - settings_.url.path.size();
  RequestForm request_form =
      make_form(method, base_bytes, encoded(scope.parameters), std::move(form));
  if (request_form.method == Method::post) out.method = "POST";
  out.query = std::move(request_form.query);
  out.body = std::move(request_form.body);
}

Result<clients::HttpRequest> PrometheusBackend::request(const std::string& query,
                                                        const RequestScope& scope,
                                                        Duration budget) const {
  auto out = request_to("query", scope);
  if (!out) return out.error();
  // In both forms, because a server may echo the query as it was sent or decoded.
  out->redactions.push_back(query);
  out->redactions.push_back(percent_encoded(query));
  // The server gives up at the same time: a query whose reader is gone would hold one of its places
  // (query.max-concurrency, 20 by default). A timeout of 0 would leave no time at all.
  set_form(settings_.method,
           scope,
           fmt::format("query={}&timeout={}ms",
                       percent_encoded(query),
                       std::max<Duration::rep>(1, budget.count())),
           *out);
  return out;
}

awaitable<std::optional<Error>> PrometheusBackend::send(ApiQuery query,
                                                        RequestScope scope,
                                                        Api::OnReply on_reply,
                                                        Deadline deadline) {
  clients::GrantPtr grant;
  if (login_) {
    auto granted = co_await clients::Login::get(login_, deadline);
    if (!granted) co_return granted.error();
    grant = std::move(*granted);
  }
  auto request = request_to(query.page, scope);
  if (!request) co_return request.error();
  // Prometheus serves targets, scrape_pools and label values by GET alone.
  const auto method = query.has_method ? settings_.method : Method::get;
  set_form(method, scope, std::move(query.form), *request);
  if (grant) login_->prove(*grant, *request);
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

std::vector<std::string> PrometheusBackend::redactions(const RequestScope& scope) const {
  auto request = request_to("query", scope);
  // Any page has the same host and secrets. Without readable credentials nothing was sent, so no
  // response can contain them.
  if (!request) return {};
  std::vector<std::string> out = clients::redactions_of(*request);
  if (login_) std::ranges::move(login_->secrets(), std::back_inserter(out));
  return out;
}

awaitable<Result<Sample>> PrometheusBackend::run_query(std::string query,
                                                       RequestScope scope,
                                                       Aggregate aggregate,
                                                       Warnings warnings,
                                                       Deadline deadline) {
  clients::GrantPtr grant;
  if (login_) {
    auto granted = co_await clients::Login::get(login_, deadline);
    if (!granted) co_return granted.error();
    grant = std::move(*granted);
  }
  auto request = this->request(query, scope, deadline.left(std::chrono::steady_clock::now()));
  if (!request) co_return request.error();
  if (grant) login_->prove(*grant, *request);
  // Shared with the client's thread, which fills it before send() ends, because parsing a reply of
  // 1 MB takes tens of milliseconds and would block the loop.
  const auto sample = std::make_shared<std::optional<Result<Sample>>>();
  request->on_reply = [sample,
                       redactions = clients::redactions_of(*request),
                       aggregate,
                       warnings,
                       matchers =
                           promql::equality_matchers(query)](const clients::HttpReply& reply) {
    *sample = parse_reply(reply.status, reply.body, aggregate, warnings, redactions, matchers);
  };
  const WallTime asked_at = std::chrono::system_clock::now();
  const auto reply = co_await http_.send(std::move(*request), deadline);
  if (!reply) co_return reply.error();
  // Perhaps another tenant was refused, with the same credentials: they are valid.
  if (reply->status == kOk) counts_->refused_credentials.reset();
  // Set, because on_reply has run when send() returns a reply.
  Result<Sample> out = std::move(**sample);
  if (!out && grant) co_return login_->explain(grant, *reply, out.error());
  // The server evaluates a moment later, by its own clock; no value is younger than its question.
  if (out) out->taken_at = std::min(out->taken_at, asked_at);
  co_return out;
}

constexpr std::array kPorts{Port{9090, "HTTP"}};

constexpr std::string_view kExample = R"yaml(backends:
  prom:
    prometheus: {url: "http://prometheus.monitoring:9090"}
metrics:
  - name: p95_latency
    namespaces: [ml-inference]
    prometheus:
      backend: prom
      query: histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket{app="$(app)"}[2m])))
    labels: {app: '[a-z-]+'}
    nan: 0
)yaml";

std::unique_ptr<Backend> make_backend(const Node& block,
                                      const Context& context,
                                      Problems& problems) {
  Clients& clients = context.clients;
  BackendSettings settings = read_backend(block, problems);
  // A url that cannot be used has been reported.
  if (settings.url.host.empty()) return nullptr;
  std::shared_ptr<clients::Login> login;
  if (settings.auth.is_set()) {
    clients::complete_auth(*block.find("auth"),
                           clients.identity(),
                           settings.url,
                           settings.auth,
                           problems);
    login = clients.make_login(settings.auth);
  }
  return std::make_unique<PrometheusBackend>(std::move(settings), clients, std::move(login));
}

}  // namespace

ScalerKind describe_kind() {
  return {
      .name = "prometheus",
      .summary = "An instant PromQL query to Prometheus, or to a server with the same query API.",
      .empty_covers = "a response without series",
      .diagnosis =
          "of a response without series: matchers that nothing has, similar names, targets that "
          "are "
          "down or not scraped",
      .ports = kPorts,
      .example = kExample,
      .backend_settings = backend_docs,
      .metric_settings = metric_docs,
      .measure = measure_of,
      .check_metric = [](const Node& block,
                         ParameterNames& names,
                         Problems& problems) { read_metric(block, names, problems); },
      .make_backend = make_backend,
  };
}

}  // namespace weir::scalers::backends::prometheus
