// The order of a read of one metric, its key in the cache and its diagnosis. Apart from the
// backend, which knows the server and its credentials.
#include "scalers/backends/prometheus/scaler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace weir::scalers::backends::prometheus {
namespace {

class PrometheusScaler final : public Scaler {
 public:
  PrometheusScaler(Server& server, MetricBlock block)
      : server_(server),
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
  [[nodiscard]] RequestScope scope_of(const Parameters& parameters) const;

  Server& server_;
  MetricSettings settings_;
  QueryTemplate query_;
  QueryTemplate age_of_;
};

// The API as one caller may use it: a diagnosis sees the tenant of the query, and no other.
class ScopedApi final : public Api {
 public:
  ScopedApi(Server& server, RequestScope scope) : server_(server), scope_(std::move(scope)) {}

  [[nodiscard]] awaitable<std::optional<Error>> send(ApiQuery query,
                                                     OnReply on_reply,
                                                     Deadline deadline) override {
    return server_.send(std::move(query), scope_, std::move(on_reply), deadline);
  }
  [[nodiscard]] std::vector<std::string> redactions() const override {
    return server_.redactions(scope_);
  }

 private:
  Server& server_;
  RequestScope scope_;
};

awaitable<Diagnosis> PrometheusScaler::diagnose(Parameters parameters,
                                                Result<Samples> /*reply*/,
                                                Deadline deadline) {
  ScopedApi api(server_, scope_of(parameters));
  auto diagnosis = co_await diagnose_query(&api, query_.render(parameters), deadline);
  co_return diagnosis;
}

std::string PrometheusScaler::describe_query(const Parameters& parameters) const {
  std::string out = query_.render(parameters);
  // With the age query, because query() sends both.
  if (settings_.max_age) out += fmt::format("; maxAge: {}", age_query(age_of_.render(parameters)));
  const std::string url_parameters = text_of(scope_of(parameters).parameters);
  if (!url_parameters.empty()) out += fmt::format("; parameters: {}", url_parameters);
  const std::string headers = server_.headers_for(parameters.name_space);
  if (!headers.empty()) out += fmt::format("; headers: {}", headers);
  return out;
}

RequestScope PrometheusScaler::scope_of(const Parameters& parameters) const {
  RequestScope out{parameters.name_space, server_.parameters_for(parameters)};
  render(settings_.parameters, parameters, out.parameters);
  out.depends_on_label = std::ranges::any_of(
      parameters.labels | std::views::keys,
      [&](const auto& name) { return settings_.parameters.has_parameter(name); });
  return out;
}

std::string PrometheusScaler::cache_key(const Parameters& parameters) const {
  // `empty` and the like are not in the key, because the reader applies them to each read; maxAge
  // is, because the answer holds its limit. The size keeps the selector apart from the query.
  const std::string age_of = age_of_.render(parameters);
  // The tenant, and what else of the request depends on the metric and the caller. No byte of the
  // namespace, which is a DNS label, and none of the encoded parameters is a space.
  std::string request;
  if (server_.has_namespace()) request += parameters.name_space;
  if (!settings_.parameters.empty()) {
    UrlPairs pairs;
    render(settings_.parameters, parameters, pairs);
    request += '?' + encoded(pairs);
  }
  const auto max_age = settings_.max_age.value_or(Duration{0}).count();
  std::string out = std::to_string(static_cast<int>(settings_.aggregate));
  out += ' ' + std::to_string(static_cast<int>(settings_.warnings));
  out += ' ' + std::to_string(max_age);
  out.append(" ").append(request);
  out += ' ' + std::to_string(age_of.size());
  out.append(":").append(age_of);
  out.append(" ").append(query_.render(parameters));
  return out;
}

awaitable<Result<Samples>> PrometheusScaler::query(Parameters parameters, Deadline deadline) {
  // The age first, because a sample that arrives in between would make the value appear younger
  // than it is.
  const auto data_age = co_await query_age(parameters, deadline);
  if (!data_age) co_return data_age.error();
  auto sample = co_await server_.run_query(query_.render(parameters),
                                           scope_of(parameters),
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
  const auto reply = co_await server_.run_query(age_query(age_of_.render(parameters)),
                                                scope_of(parameters),
                                                Aggregate::none,
                                                settings_.warnings,
                                                deadline);
  const auto age = check_age(reply, *settings_.max_age);
  if (!age) co_return age.error();
  co_return std::optional(*age);
}

}  // namespace

std::unique_ptr<Scaler> make_metric_scaler(Server& server, MetricBlock metric) {
  return std::make_unique<PrometheusScaler>(server, std::move(metric));
}

}  // namespace weir::scalers::backends::prometheus
