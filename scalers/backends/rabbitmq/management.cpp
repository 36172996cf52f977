// The management transport: lists queues page by page over HTTP, for all modes. Apart from AMQP,
// because the two share no protocol.
#include "scalers/backends/rabbitmq/management_api.hpp"
#include "scalers/backends/rabbitmq/rabbitmq.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/clients/http/client.hpp"
#include "scalers/settings/pattern.hpp"
#include "scalers/text/redact.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace weir::scalers::backends::rabbitmq {
namespace {

// vhosts of one metric whose list is known to be whole; a selector may name the vhost.
constexpr std::size_t kMaxVhosts = 64;
// A queue that is declared and crashes between two reads changes no list of names that has counts.
constexpr Duration kCompleteFor{60'000};
// The queues of one metric: one by its full name, or all whose full name matches a pattern.
struct QueueQuery {
  VhostName vhost;
  TextTemplate queue;            // empty with a regex
  std::optional<Pattern> regex;  // nullopt with a queue
  Measurement measurement;

  [[nodiscard]] NameOrigin origin() const {
    const bool is_callers = vhost.of_metric.has_parameters() || queue.has_parameters();
    return is_callers ? NameOrigin::caller : NameOrigin::configuration;
  }
};

std::string text_of(const ErrorOrNumber& policy) {
  return policy.number ? fmt::format("{}", *policy.number) : "error";
}

// nullopt for no regex, and for an invalid one, which read_metric() has reported.
std::optional<Pattern> compile_pattern(const std::string& regex) {
  if (regex.empty()) return std::nullopt;
  auto out = Pattern::compile(regex);
  if (auto* pattern = std::get_if<Pattern>(&out)) return std::move(*pattern);
  return std::nullopt;
}

std::set<std::string> names_of(const std::vector<QueueStats>& queues) {
  std::set<std::string> out;
  for (const QueueStats& queue : queues) out.insert(queue.name);
  return out;
}

Diagnosis listing_failed(Diagnosis out, const Error& why) {
  out.findings.push_back("listing names failed: " + why.message());
  return out;
}

class ManagementScaler final : public Scaler {
 public:
  ManagementScaler(const ManagementApi& api, QueueQuery query)
      : api_(api), query_(std::move(query)) {}

  [[nodiscard]] std::string cache_key(const Parameters& parameters) const override {
    const std::string vhost = query_.vhost.render(parameters);
    const Measurement& measurement = query_.measurement;
    const std::string regex = query_.regex ? query_.regex->text() : "";
    // All callers with this key see the same cause, so names that a caller wrote need another key.
    return fmt::format("{} {} {} {} {} {} {}:{} {}:{} {}",
                       static_cast<int>(query_.origin()),
                       static_cast<int>(measurement.mode),
                       static_cast<int>(measurement.count),
                       static_cast<int>(measurement.aggregate),
                       text_of(measurement.no_consumers),
                       text_of(measurement.missing),
                       regex.size(),
                       regex,
                       vhost.size(),
                       vhost,
                       query_.queue.render(parameters));
  }

  [[nodiscard]] awaitable<Result<Samples>> query(Parameters parameters, Deadline deadline) override;

  [[nodiscard]] std::string describe_query(const Parameters& parameters) const override {
    const std::string vhost = query_.vhost.render(parameters);
    if (query_.regex)
      return fmt::format("queues that match \"{}\" in vhost \"{}\"", query_.regex->text(), vhost);
    return fmt::format("queue \"{}\" in vhost \"{}\"", query_.queue.render(parameters), vhost);
  }
  [[nodiscard]] bool can_diagnose(const Result<Samples>& reply) const override {
    if (reply) return reply->front().is_missing;
    const Errc code = reply.error().code;
    const bool has_no_deliveries =
        code == Errc::not_a_number &&
        (query_.measurement.mode == Mode::published_to_delivered_ratio ||
         query_.measurement.mode == Mode::expected_queue_consumption_time);
    return code == Errc::unknown_object || code == Errc::refused || has_no_deliveries;
  }
  [[nodiscard]] awaitable<Diagnosis> diagnose(Parameters parameters,
                                              Result<Samples> reply,
                                              Deadline deadline) override;

 private:
  // The queues of the metric with the numbers that it needs, possibly none.
  struct Measured {
    std::vector<QueueStats> queues;
    std::set<std::string> counted;  // the names of those with totals
  };
  [[nodiscard]] awaitable<Result<Measured>> measure_queues(std::string vhost,
                                                           std::string name,
                                                           Deadline deadline);
  // The error of a queue that is not counted, if there is one.
  [[nodiscard]] awaitable<std::optional<Error>> find_gap(std::string vhost,
                                                         std::string name,
                                                         std::set<std::string> counted,
                                                         Deadline deadline);
  [[nodiscard]] awaitable<Result<std::vector<QueueStats>>> find_queues(std::string vhost,
                                                                       std::string name,
                                                                       ManagementApi::Detail detail,
                                                                       Deadline deadline);
  [[nodiscard]] awaitable<Diagnosis> diagnose_missing_name(std::string vhost,
                                                           std::string name,
                                                           Deadline deadline);
  [[nodiscard]] std::string missing_text(const std::string& vhost, const std::string& name) const;

  const ManagementApi& api_;  // of the backend
  QueueQuery query_;
  // The names that were the whole list when it was last compared.
  struct Complete {
    std::size_t hash;
    SteadyTime at;
  };
  std::map<std::string, Complete> complete_;  // by vhost
};

std::string ManagementScaler::missing_text(const std::string& vhost,
                                           const std::string& name) const {
  const std::string what = !query_.regex ? fmt::format("queue \"{}\" does not exist", name)
                                         : fmt::format("no queue matches \"{}\"", name);
  return fmt::format("{} in vhost \"{}\"", what, vhost);
}

// The queues of the metric, possibly none. They are matched again here, because RabbitMQ's filter
// ignores case and is PCRE, not RE2: it only shortens the list.
awaitable<Result<std::vector<QueueStats>>> ManagementScaler::find_queues(
    std::string vhost,
    std::string name,
    ManagementApi::Detail detail,
    Deadline deadline) {
  const std::string pattern = query_.regex ? name : quoted_pattern(name);
  auto queues = co_await api_.list_queues(vhost, pattern, detail, deadline);
  // Queues come and go, so inconsistent pages are read a second time.
  if (!queues && queues.error().code == Errc::partial)
    queues = co_await api_.list_queues(vhost, pattern, detail, deadline);
  if (!queues) co_return queues.error();
  if (!query_.regex) {
    if (auto other = other_queue_problem(*queues, name)) co_return std::move(*other);
  }
  std::erase_if(*queues, [&](const QueueStats& queue) {
    return query_.regex ? !query_.regex->matches(queue.name) : queue.name != name;
  });
  // Of the queues of the metric alone, and before any number of theirs is used.
  if (auto problem = validity_problem(*queues)) co_return std::move(*problem);
  co_return std::move(*queues);
}

// The totals are asked in every mode, because the list with statistics also has queues that have
// crashed, with their last numbers.
awaitable<Result<ManagementScaler::Measured>> ManagementScaler::measure_queues(std::string vhost,
                                                                               std::string name,
                                                                               Deadline deadline) {
  auto totals = co_await find_queues(vhost, name, ManagementApi::Detail::totals, deadline);
  if (!totals) co_return totals.error();
  Measured out{{}, names_of(*totals)};
  // The totals of a quorum queue are 0 for seconds after a start, and a stream has none.
  const auto is_other = [](const QueueStats& queue) {
    return !queue.type.empty() && queue.type != "classic";
  };
  const bool has_numbers =
      query_.measurement.mode == Mode::queue_length && std::ranges::none_of(*totals, is_other);
  if (has_numbers) {
    out.queues = std::move(*totals);
    co_return std::move(out);
  }
  auto queues = co_await find_queues(vhost, name, ManagementApi::Detail::statistics, deadline);
  if (!queues) co_return queues.error();
  if (auto gap = gap_problem(*queues, out.counted)) co_return std::move(*gap);
  out.queues = std::move(*queues);
  co_return std::move(out);
}

// Sends a query only when it is not known that `counted` is the whole list.
awaitable<std::optional<Error>> ManagementScaler::find_gap(std::string vhost,
                                                           std::string name,
                                                           std::set<std::string> counted,
                                                           Deadline deadline) {
  // A single queue that is there is complete.
  if (!query_.regex && !counted.empty()) co_return std::nullopt;
  const std::size_t hash = std::hash<std::string>{}(fmt::format("{}", fmt::join(counted, "\n")));
  const auto last = complete_.find(vhost);
  const SteadyTime now = std::chrono::steady_clock::now();
  const bool is_known = !counted.empty() && last != complete_.end() && last->second.hash == hash &&
                        now - last->second.at < kCompleteFor;
  if (is_known) co_return std::nullopt;
  const auto listed = co_await find_queues(vhost, name, ManagementApi::Detail::names, deadline);
  if (!listed) co_return listed.error();
  if (auto gap = gap_problem(*listed, counted)) co_return std::move(*gap);
  if (complete_.size() >= kMaxVhosts) complete_.clear();
  complete_[vhost] = {hash, now};
  co_return std::nullopt;
}

awaitable<Result<Samples>> ManagementScaler::query(Parameters parameters, Deadline deadline) {
  const std::string vhost = query_.vhost.render(parameters);
  const std::string name = query_.regex ? query_.regex->text() : query_.queue.render(parameters);
  // A pattern is not a name: its own check was at load time.
  auto invalid = check_names(vhost, query_.regex ? "any" : name);
  if (invalid) co_return std::move(*invalid);
  // Taken before the first page: a reading may be younger than its time says, never older.
  const WallTime taken_at = std::chrono::system_clock::now();
  auto measured = co_await measure_queues(vhost, name, deadline);
  std::optional<Error> gap;
  if (measured) gap = co_await find_gap(vhost, name, measured->counted, deadline);
  // A queue that was declared between two listings is in the second one alone.
  const bool is_torn = gap ? gap->code == Errc::partial
                           : measured.has_error() && measured.error().code == Errc::partial;
  if (is_torn) {
    measured = co_await measure_queues(vhost, name, deadline);
    gap.reset();
    if (measured) gap = co_await find_gap(vhost, name, measured->counted, deadline);
  }
  if (!measured) co_return measured.error();
  if (gap) co_return std::move(*gap);
  if (measured->queues.empty())
    co_return as_samples(
        missing_queue(query_.measurement.missing, missing_text(vhost, name), taken_at));
  auto sample = sample_of(measured->queues, query_.measurement);
  if (!sample) co_return sample.error();
  sample->taken_at = taken_at;
  co_return std::move(*sample);
}

// Names similar to a queue or vhost that does not exist.
awaitable<Diagnosis> ManagementScaler::diagnose_missing_name(std::string vhost,
                                                             std::string name,
                                                             Deadline deadline) {
  Diagnosis out;
  ++out.queries;
  std::string path = fmt::format("/api/queues/{}", percent_encoded(vhost));
  std::string one_page =
      fmt::format("page=1&page_size={}&disable_stats=true&columns=name,vhost", kPageSize);
  const auto queues = co_await api_.get(std::move(path), std::move(one_page), deadline);
  if (!queues) co_return listing_failed(std::move(out), queues.error());
  // A vhost without queues has an empty list: 404 means that the vhost does not exist.
  const MissingName missing{queues->status == 404, vhost, name, query_.origin()};
  if (!missing.is_vhost) {
    add_similar_names(missing, queues->status, queues->body, out);
    co_return out;
  }
  ++out.queries;
  const auto vhosts = co_await api_.get("/api/vhosts", "columns=name", deadline);
  if (!vhosts) co_return listing_failed(std::move(out), vhosts.error());
  add_similar_names(missing, vhosts->status, vhosts->body, out);
  co_return out;
}

awaitable<Diagnosis> ManagementScaler::diagnose(Parameters parameters,
                                                Result<Samples> reply,
                                                Deadline deadline) {
  const std::string vhost = query_.vhost.render(parameters);
  const std::string name = query_.regex ? query_.regex->text() : query_.queue.render(parameters);
  // A number reported for a missing queue is diagnosed like the error that it replaces.
  const Errc code = reply ? Errc::unknown_object : reply.error().code;
  Diagnosis out;
  if (code == Errc::unknown_object) {
    out = co_await diagnose_missing_name(vhost, name, deadline);
    // The message of an error says it already.
    if (reply) out.cause = missing_text(vhost, name) + (out.cause.empty() ? "" : "; " + out.cause);
  } else if (code == Errc::refused) {
    ++out.queries;
    // The page is not about a vhost, so its status separates the login from the permission.
    const auto login = co_await api_.get("/api/whoami", "", deadline);
    if (!login) co_return out;
    out.findings.push_back(fmt::format("/api/whoami: HTTP {}", login->status));
    out.cause =
        login->status == 200
            ? fmt::format(
                  "the credentials are valid, but the user has no permission in vhost \"{}\"",
                  vhost)
            : std::string(
                  "the credentials are refused, or the user has no tag that permits the management "
                  "API (monitoring is enough)");
  } else if (!query_.regex) {
    ++out.queries;
    std::string path =
        fmt::format("/api/queues/{}/{}", percent_encoded(vhost), percent_encoded(name));
    const auto queue = co_await api_.get(std::move(path), "columns=consumers", deadline);
    if (!queue) co_return out;
    const auto consumers = parse_consumers(queue->status, queue->body);
    if (consumers)
      out.cause =
          fmt::format("the queue has {} consumer{}", *consumers, *consumers == 1 ? "" : "s");
  }
  co_return out;
}

class ManagementBackend final : public Backend {
 public:
  ManagementBackend(clients::HttpClient& http, ManagementTarget target, std::string vhost)
      : api_(http, std::move(target)), vhost_(std::move(vhost)) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                    ParameterNames& names,
                                                    Problems& problems) override {
    MetricBlock read = read_metric(block, names, problems);
    const MetricSettings& settings = read.settings;
    const Measurement measurement{settings.mode,
                                  settings.count.value_or(Count::total),
                                  settings.aggregate,
                                  settings.no_consumers,
                                  settings.missing};
    QueueQuery query{{vhost_, std::move(read.vhost)},
                     std::move(read.queue),
                     compile_pattern(settings.queue_regex),
                     measurement};
    return std::make_unique<ManagementScaler>(api_, std::move(query));
  }
  [[nodiscard]] std::string address() const override { return api_.address(); }
  [[nodiscard]] std::string proxy() const override { return api_.proxy(); }
  [[nodiscard]] ConnectionCounts connections() const override { return api_.connections(); }

 private:
  ManagementApi api_;
  std::string vhost_;
};

}  // namespace

std::unique_ptr<Backend> make_management_backend(const BackendSettings& settings,
                                                 Broker broker,
                                                 Clients& clients) {
  clients::ProxyChoice proxy = clients.proxies().choose(settings.proxy, broker.url);
  ManagementTarget target{std::move(broker.url),
                          settings.username,
                          settings.password,
                          settings.tls,
                          settings.is_http2,
                          std::move(proxy),
                          std::make_shared<ConnectionCounts>()};
  return std::make_unique<ManagementBackend>(clients.http(),
                                             std::move(target),
                                             std::move(broker.vhost));
}

}  // namespace weir::scalers::backends::rabbitmq
