// The management transport: lists queues page by page over HTTP, for all modes. Apart from AMQP,
// because the two share no protocol.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/clients/http/client.hpp"
#include "scalers/settings/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace weir::scalers::backends::rabbitmq {
namespace {

// A bound on what one read makes the broker do: 100,000 queues. A page has about 60 bytes a queue.
constexpr std::size_t kMaxPages = 200;
constexpr std::size_t kMaxPageBytes = std::size_t{1} << 20;

struct ManagementTarget {
  Url url;
  SecretFile username;
  SecretFile password;
  TlsFiles tls;
  std::shared_ptr<ConnectionCounts> counts;  // also owned by the requests under way
};

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

// Erlang's regex language is PCRE: \Q...\E quotes literal text.
std::string quoted_pattern(const std::string& text) {
  std::string out = "\\Q";
  for (std::size_t at = 0; at < text.size(); ++at) {
    // "\E" inside would end the quotation.
    if (text.compare(at, 2, "\\E") == 0) {
      out += "\\E\\\\E\\Q";
      ++at;
    } else {
      out += text[at];
    }
  }
  return out + "\\E";
}

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

Diagnosis listing_failed(Diagnosis out, const Error& why) {
  out.findings.push_back("listing names failed: " + why.message());
  return out;
}

class ManagementScaler final : public Scaler {
 public:
  ManagementScaler(clients::HttpClient& http, const ManagementTarget& target, QueueQuery query)
      : http_(http), target_(target), query_(std::move(query)) {}

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
        code == Errc::no_value &&
        (query_.measurement.mode == Mode::published_to_delivered_ratio ||
         query_.measurement.mode == Mode::expected_queue_consumption_time);
    return code == Errc::unknown_object || code == Errc::refused || has_no_deliveries;
  }
  [[nodiscard]] awaitable<Diagnosis> diagnose(Parameters parameters,
                                              Result<Samples> reply,
                                              Deadline deadline) override;

 private:
  // Totals are cheap, and at most 0.1 s old for classic queues; full statistics lag by the
  // broker's collection interval.
  enum class Detail { totals, statistics };

  [[nodiscard]] awaitable<Result<std::vector<QueueStats>>> find_queues(std::string vhost,
                                                                       std::string name,
                                                                       Detail detail,
                                                                       Deadline deadline);
  [[nodiscard]] awaitable<Result<std::vector<QueueStats>>> list_queues(std::string vhost,
                                                                       std::string pattern,
                                                                       Detail detail,
                                                                       Deadline deadline);
  // One page of the vhost's queues whose whole name matches `pattern`.
  [[nodiscard]] Result<clients::HttpRequest> request(const std::string& vhost,
                                                     const std::string& pattern,
                                                     std::size_t page,
                                                     Detail detail) const;
  // A request to `path` below the url, without parameters.
  [[nodiscard]] Result<clients::HttpRequest> request_to(const std::string& path) const;
  // The reply to one query of a diagnosis.
  [[nodiscard]] awaitable<Result<clients::HttpReply>> get(std::string path,
                                                          std::string query,
                                                          Deadline deadline);
  [[nodiscard]] awaitable<Diagnosis> diagnose_missing_name(std::string vhost,
                                                           std::string name,
                                                           Deadline deadline);
  [[nodiscard]] std::string missing_text(const std::string& vhost, const std::string& name) const;

  clients::HttpClient& http_;
  const ManagementTarget& target_;
  QueueQuery query_;
};

Result<clients::HttpRequest> ManagementScaler::request_to(const std::string& path) const {
  clients::HttpRequest out;
  out.url = target_.url;
  out.url.path += path;
  // RabbitMQ also returns 401 for a vhost without permission, so a 401 is valid for this vhost
  // only.
  out.auth_scope = out.url.path;
  out.tls = target_.tls;
  out.counts = target_.counts;
  out.max_body_bytes = kMaxPageBytes;
  if (target_.username.is_set()) {
    auto pair = read_pair(target_.username, target_.password);
    if (!pair) return pair.error();
    out.basic = std::move(*pair);
  }
  return out;
}

Result<clients::HttpRequest> ManagementScaler::request(const std::string& vhost,
                                                       const std::string& pattern,
                                                       std::size_t page,
                                                       Detail detail) const {
  auto out = request_to(fmt::format("/api/queues/{}", percent_encoded(vhost)));
  if (!out) return out.error();
  // The group binds ^ and $ to the whole pattern, not to its first and last alternative.
  out->query = fmt::format("page={}&page_size={}&use_regex=true&name={}",
                           page,
                           kPageSize,
                           percent_encoded("^(?:" + pattern + ")$"));
  out->query +=
      // Columns, because a whole queue object is over 1 KB.
      detail == Detail::totals
          ? "&disable_stats=true&enable_queue_totals=true&columns="
          : "&columns=message_stats.publish_details.rate,message_stats.deliver_get_details."
            "rate,";
  out->query += "name,type,messages,messages_ready,messages_unacknowledged";
  return out;
}

std::string ManagementScaler::missing_text(const std::string& vhost,
                                           const std::string& name) const {
  const std::string what = !query_.regex ? fmt::format("queue \"{}\" does not exist", name)
                                         : fmt::format("no queue matches \"{}\"", name);
  return fmt::format("{} in vhost \"{}\"", what, vhost);
}

// One pass over all pages. Errc::partial when the list changed between two pages.
awaitable<Result<std::vector<QueueStats>>> ManagementScaler::list_queues(std::string vhost,
                                                                         std::string pattern,
                                                                         Detail detail,
                                                                         Deadline deadline) {
  Listing listing;
  std::size_t page_count = 1;
  for (std::size_t number = 1; number <= page_count; ++number) {
    auto next = request(vhost, pattern, number, detail);
    if (!next) co_return next.error();
    // Shared with the client's thread, which fills it before send() ends, because parsing a page
    // may take milliseconds.
    const auto page = std::make_shared<Result<Page>>(Error{Errc::bad_reply, "no response", ""});
    // It owns copies, because it may still run after send() has ended with an error.
    next->on_reply =
        [page, vhost, redactions = clients::redactions_of(*next)](const clients::HttpReply& reply) {
          *page = parse_page(reply.status, reply.body, vhost, redactions);
        };
    const auto reply = co_await http_.send(std::move(*next), deadline);
    if (!reply) co_return reply.error();
    if (!*page) co_return page->error();
    page_count = (*page)->page_count;
    if (page_count > kMaxPages) {
      co_return Error{
          Errc::too_many,
          fmt::format("more than {} queues match; narrow queueRegex", kMaxPages * kPageSize),
          ""};
    }
    auto changed = listing.add(std::move(**page));
    if (changed) co_return std::move(*changed);
  }
  co_return listing.take();
}

// The queues of the metric, possibly none. They are matched again here, because RabbitMQ's filter
// ignores case and is PCRE, not RE2: it only shortens the list.
awaitable<Result<std::vector<QueueStats>>> ManagementScaler::find_queues(std::string vhost,
                                                                         std::string name,
                                                                         Detail detail,
                                                                         Deadline deadline) {
  const std::string pattern = query_.regex ? name : quoted_pattern(name);
  auto queues = co_await list_queues(vhost, pattern, detail, deadline);
  // Queues come and go, so inconsistent pages are read a second time.
  if (!queues && queues.error().code == Errc::partial)
    queues = co_await list_queues(vhost, pattern, detail, deadline);
  if (!queues) co_return queues.error();
  std::erase_if(*queues, [&](const QueueStats& queue) {
    return query_.regex ? !query_.regex->matches(queue.name) : queue.name != name;
  });
  co_return std::move(*queues);
}

awaitable<Result<Samples>> ManagementScaler::query(Parameters parameters, Deadline deadline) {
  const std::string vhost = query_.vhost.render(parameters);
  const std::string name = query_.regex ? query_.regex->text() : query_.queue.render(parameters);
  // A pattern is not a name: its own check was at load time.
  auto invalid = check_names(vhost, query_.regex ? "any" : name);
  if (invalid) co_return std::move(*invalid);
  // Taken before the first page: a reading may be younger than its time says, never older.
  const WallTime taken_at = std::chrono::system_clock::now();
  const bool is_length = query_.measurement.mode == Mode::queue_length;
  auto queues =
      co_await find_queues(vhost, name, is_length ? Detail::totals : Detail::statistics, deadline);
  // The totals of a quorum queue are 0 for seconds after a start, and a stream has none.
  const auto is_other = [](const QueueStats& queue) {
    return !queue.type.empty() && queue.type != "classic";
  };
  if (queues && is_length && std::ranges::any_of(*queues, is_other))
    queues = co_await find_queues(vhost, name, Detail::statistics, deadline);
  if (!queues) co_return queues.error();
  if (queues->empty())
    co_return as_samples(
        missing_queue(query_.measurement.missing, missing_text(vhost, name), taken_at));
  const auto value = value_of(*queues, query_.measurement);
  if (!value) co_return value.error();
  co_return Sample{*value, taken_at};
}

awaitable<Result<clients::HttpReply>> ManagementScaler::get(std::string path,
                                                            std::string query,
                                                            Deadline deadline) {
  auto request = request_to(path);
  if (!request) co_return request.error();
  request->query = std::move(query);
  auto reply = co_await http_.send(std::move(*request), deadline);
  co_return reply;
}

// Names similar to a queue or vhost that does not exist.
awaitable<Diagnosis> ManagementScaler::diagnose_missing_name(std::string vhost,
                                                             std::string name,
                                                             Deadline deadline) {
  Diagnosis out;
  ++out.queries;
  std::string path = fmt::format("/api/queues/{}", percent_encoded(vhost));
  std::string one_page =
      fmt::format("page=1&page_size={}&disable_stats=true&columns=name", kPageSize);
  const auto queues = co_await get(std::move(path), std::move(one_page), deadline);
  if (!queues) co_return listing_failed(std::move(out), queues.error());
  // A vhost without queues has an empty list: 404 means that the vhost does not exist.
  const MissingName missing{queues->status == 404, vhost, name, query_.origin()};
  if (!missing.is_vhost) {
    add_similar_names(missing, queues->status, queues->body, out);
    co_return out;
  }
  ++out.queries;
  const auto vhosts = co_await get("/api/vhosts", "columns=name", deadline);
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
  } else if (code == Errc::refused) {
    ++out.queries;
    // The page is not about a vhost, so its status separates the login from the permission.
    const auto login = co_await get("/api/whoami", "", deadline);
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
    const auto queue = co_await get(std::move(path), "columns=consumers", deadline);
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
  ManagementBackend(ManagementTarget target, std::string vhost, clients::HttpClient& http)
      : target_(std::move(target)), vhost_(std::move(vhost)), http_(http) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                    ParameterNames& names,
                                                    Problems& problems) override {
    MetricBlock read = read_metric(block, names, problems);
    const MetricSettings& settings = read.settings;
    const Measurement measurement{settings.mode,
                                  settings.count.value_or(Count::total),
                                  settings.aggregate.value_or(Aggregate::sum),
                                  settings.no_consumers,
                                  settings.missing};
    QueueQuery query{{vhost_, std::move(read.vhost)},
                     std::move(read.queue),
                     compile_pattern(settings.queue_regex),
                     measurement};
    return std::make_unique<ManagementScaler>(http_, target_, std::move(query));
  }
  [[nodiscard]] ConnectionCounts connections() const override { return *target_.counts; }

 private:
  ManagementTarget target_;
  std::string vhost_;
  clients::HttpClient& http_;
};

}  // namespace

std::unique_ptr<Backend> make_management_backend(const BackendSettings& settings,
                                                 Broker broker,
                                                 Clients& clients) {
  ManagementTarget target{std::move(broker.url),
                          settings.username,
                          settings.password,
                          settings.tls,
                          std::make_shared<ConnectionCounts>()};
  return std::make_unique<ManagementBackend>(std::move(target),
                                             std::move(broker.vhost),
                                             clients.http());
}

}  // namespace weir::scalers::backends::rabbitmq
