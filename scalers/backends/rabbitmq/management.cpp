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

constexpr std::size_t kMaxPages = 200;
constexpr std::size_t kMaxPageBytes = std::size_t{1} << 20;

struct ManagementTarget {
  Url url;
  SecretFile username;
  SecretFile password;
  TlsFiles tls;
  std::shared_ptr<ConnectionCounts> counts;  // also owned by the requests under way
};

// What one metric asks: a queue by its whole name, or every queue that a pattern matches as a
// whole.
struct ManagementQuestion {
  VhostName vhost;
  TextTemplate queue;            // empty with a regex
  std::optional<Pattern> regex;  // nullopt with a queue
  Wanted wanted;

  [[nodiscard]] NameOrigin origin() const {
    const bool is_callers = vhost.of_metric.has_parameters() || queue.has_parameters();
    return is_callers ? NameOrigin::caller : NameOrigin::configuration;
  }
};

// Erlang's regex language is PCRE: what stands between \Q and \E is text.
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

// nullopt for none, and for one that read_metric() has refused.
std::optional<Pattern> compiled(const std::string& regex) {
  if (regex.empty()) return std::nullopt;
  auto out = Pattern::compile(regex);
  if (auto* pattern = std::get_if<Pattern>(&out)) return std::move(*pattern);
  return std::nullopt;
}

Diagnosis not_listed(Diagnosis out, const Error& why) {
  out.findings.push_back("the list of names failed: " + why.message());
  return out;
}

class ManagementScaler final : public Scaler {
 public:
  ManagementScaler(clients::HttpClient& http,
                   const ManagementTarget& target,
                   ManagementQuestion asked)
      : http_(http), target_(target), asked_(std::move(asked)) {}

  [[nodiscard]] std::string cache_key(const Parameters& parameters) const override {
    const std::string vhost = asked_.vhost.render(parameters);
    const Wanted& wanted = asked_.wanted;
    const std::string regex = asked_.regex ? asked_.regex->text() : "";
    // A cause is shown to all who share the question, so a caller's own name is another question.
    return fmt::format("{} {} {} {} {} {} {}:{} {}:{} {}",
                       static_cast<int>(asked_.origin()),
                       static_cast<int>(wanted.mode),
                       static_cast<int>(wanted.count),
                       static_cast<int>(wanted.aggregate),
                       text_of(wanted.no_consumers),
                       text_of(wanted.missing),
                       regex.size(),
                       regex,
                       vhost.size(),
                       vhost,
                       asked_.queue.render(parameters));
  }

  [[nodiscard]] awaitable<Result<Samples>> query(Parameters parameters, Deadline deadline) override;

  [[nodiscard]] std::string describe_query(const Parameters& parameters) const override {
    const std::string vhost = asked_.vhost.render(parameters);
    if (asked_.regex)
      return fmt::format("queues that match \"{}\" in vhost \"{}\"", asked_.regex->text(), vhost);
    return fmt::format("queue \"{}\" in vhost \"{}\"", asked_.queue.render(parameters), vhost);
  }
  [[nodiscard]] bool can_diagnose(const Result<Samples>& reply) const override {
    if (reply) return reply->front().is_missing;
    const Errc code = reply.error().code;
    const bool has_no_deliveries =
        code == Errc::no_value && (asked_.wanted.mode == Mode::published_to_delivered_ratio ||
                                   asked_.wanted.mode == Mode::expected_queue_consumption_time);
    return code == Errc::unknown_object || code == Errc::refused || has_no_deliveries;
  }
  [[nodiscard]] awaitable<Diagnosis> diagnose(Parameters parameters,
                                              Result<Samples> reply,
                                              Deadline deadline) override;

 private:
  // Totals alone are cheap, and fresh within a tenth of a second for classic queues; full
  // statistics lag by the broker's interval.
  enum class Detail { totals, statistics };

  [[nodiscard]] awaitable<Result<std::vector<QueueStats>>> find(std::string vhost,
                                                                std::string name,
                                                                Detail detail,
                                                                Deadline deadline);
  [[nodiscard]] awaitable<Result<std::vector<QueueStats>>> list(std::string vhost,
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
  // The reply to one further question of a look.
  [[nodiscard]] awaitable<Result<clients::HttpReply>> look_at(std::string path,
                                                              std::string query,
                                                              Deadline deadline);
  [[nodiscard]] awaitable<Diagnosis> look_for_names(std::string vhost,
                                                    std::string name,
                                                    Deadline deadline);
  [[nodiscard]] std::string no_queue(const std::string& vhost, const std::string& name) const;

  clients::HttpClient& http_;
  const ManagementTarget& target_;
  ManagementQuestion asked_;
};

Result<clients::HttpRequest> ManagementScaler::request_to(const std::string& path) const {
  clients::HttpRequest out;
  out.url = target_.url;
  out.url.path += path;
  // RabbitMQ says 401 for a vhost that the user may not enter, too: it is about this vhost alone.
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
  out->query = fmt::format("page={}&page_size={}&use_regex=true&name={}",
                           page,
                           kPageSize,
                           percent_encoded("^(?:" + pattern + ")$"));
  out->query +=
      detail == Detail::totals
          ? "&disable_stats=true&enable_queue_totals=true&columns="
          : "&columns=message_stats.publish_details.rate,message_stats.deliver_get_details."
            "rate,";
  out->query += "name,type,messages,messages_ready,messages_unacknowledged";
  return out;
}

std::string ManagementScaler::no_queue(const std::string& vhost, const std::string& name) const {
  const std::string what = !asked_.regex ? fmt::format("queue \"{}\" does not exist", name)
                                         : fmt::format("no queue matches \"{}\"", name);
  return fmt::format("{} in vhost \"{}\"", what, vhost);
}

// One pass over all pages. The pages of one pass may not belong together: Errc::partial.
awaitable<Result<std::vector<QueueStats>>> ManagementScaler::list(std::string vhost,
                                                                  std::string pattern,
                                                                  Detail detail,
                                                                  Deadline deadline) {
  Listing listing;
  std::size_t page_count = 1;
  for (std::size_t number = 1; number <= page_count; ++number) {
    auto asked = request(vhost, pattern, number, detail);
    if (!asked) co_return asked.error();
    // Shared with the client's thread, which fills it before send() ends: a page may take it
    // milliseconds.
    const auto page = std::make_shared<Result<Page>>(Error{Errc::bad_reply, "no page came", ""});
    asked->on_reply =
        [page, vhost, hidden = clients::redactions_of(*asked)](const clients::HttpReply& reply) {
          *page = parse_page(reply.status, reply.body, vhost, hidden);
        };
    const auto reply = co_await http_.send(std::move(*asked), deadline);
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

// The queues that the metric means; there may be none. RabbitMQ's filter knows no upper and lower
// case, and its regex language is another one: it only keeps the list short.
awaitable<Result<std::vector<QueueStats>>> ManagementScaler::find(std::string vhost,
                                                                  std::string name,
                                                                  Detail detail,
                                                                  Deadline deadline) {
  const std::string pattern = asked_.regex ? name : quoted_pattern(name);
  auto found = co_await list(vhost, pattern, detail, deadline);
  // Queues come and go: pages that do not fit together are read once more.
  if (!found && found.error().code == Errc::partial)
    found = co_await list(vhost, pattern, detail, deadline);
  if (!found) co_return found.error();
  std::erase_if(*found, [&](const QueueStats& queue) {
    return asked_.regex ? !asked_.regex->matches(queue.name) : queue.name != name;
  });
  co_return std::move(*found);
}

awaitable<Result<Samples>> ManagementScaler::query(Parameters parameters, Deadline deadline) {
  const std::string vhost = asked_.vhost.render(parameters);
  const std::string name = asked_.regex ? asked_.regex->text() : asked_.queue.render(parameters);
  auto refused = refuse_names(vhost, asked_.regex ? "any" : name);
  if (refused) co_return std::move(*refused);
  const WallTime taken_at = std::chrono::system_clock::now();
  const bool is_length = asked_.wanted.mode == Mode::queue_length;
  auto queues =
      co_await find(vhost, name, is_length ? Detail::totals : Detail::statistics, deadline);
  // The totals of a quorum queue are 0 for seconds after a start, and a stream has none.
  const auto is_other = [](const QueueStats& queue) {
    return !queue.type.empty() && queue.type != "classic";
  };
  if (queues && is_length && std::ranges::any_of(*queues, is_other))
    queues = co_await find(vhost, name, Detail::statistics, deadline);
  if (!queues) co_return queues.error();
  if (queues->empty())
    co_return as_samples(missing_queue(asked_.wanted.missing, no_queue(vhost, name), taken_at));
  const auto value = value_of(*queues, asked_.wanted);
  if (!value) co_return value.error();
  co_return Sample{*value, taken_at};
}

awaitable<Result<clients::HttpReply>> ManagementScaler::look_at(std::string path,
                                                                std::string query,
                                                                Deadline deadline) {
  auto asked = request_to(path);
  if (!asked) co_return asked.error();
  asked->query = std::move(query);
  auto reply = co_await http_.send(std::move(*asked), deadline);
  co_return reply;
}

// What there is instead of a queue, or of a vhost, that does not exist.
awaitable<Diagnosis> ManagementScaler::look_for_names(std::string vhost,
                                                      std::string name,
                                                      Deadline deadline) {
  Diagnosis out;
  ++out.queries;
  std::string path = fmt::format("/api/queues/{}", percent_encoded(vhost));
  std::string one_page =
      fmt::format("page=1&page_size={}&disable_stats=true&columns=name", kPageSize);
  const auto queues = co_await look_at(std::move(path), std::move(one_page), deadline);
  if (!queues) co_return not_listed(std::move(out), queues.error());
  const Absent absent{queues->status == 404, vhost, name, asked_.origin()};
  if (!absent.is_vhost) {
    tell_names(absent, queues->status, queues->body, out);
    co_return out;
  }
  ++out.queries;
  const auto vhosts = co_await look_at("/api/vhosts", "columns=name", deadline);
  if (!vhosts) co_return not_listed(std::move(out), vhosts.error());
  tell_names(absent, vhosts->status, vhosts->body, out);
  co_return out;
}

awaitable<Diagnosis> ManagementScaler::diagnose(Parameters parameters,
                                                Result<Samples> reply,
                                                Deadline deadline) {
  const std::string vhost = asked_.vhost.render(parameters);
  const std::string name = asked_.regex ? asked_.regex->text() : asked_.queue.render(parameters);
  // A number that stands for a missing queue is looked into like the error that it replaces.
  const Errc code = reply ? Errc::unknown_object : reply.error().code;
  Diagnosis out;
  if (code == Errc::unknown_object) {
    out = co_await look_for_names(vhost, name, deadline);
  } else if (code == Errc::refused) {
    ++out.queries;
    const auto login = co_await look_at("/api/whoami", "", deadline);
    if (!login) co_return out;
    out.findings.push_back(fmt::format("/api/whoami: HTTP {}", login->status));
    out.cause =
        login->status == 200
            ? fmt::format("the login is right, and has no permission in vhost \"{}\"", vhost)
            : std::string(
                  "the login itself is refused, or has no tag that lets it use the "
                  "management API (monitoring is enough)");
  } else if (!asked_.regex) {
    ++out.queries;
    std::string path =
        fmt::format("/api/queues/{}/{}", percent_encoded(vhost), percent_encoded(name));
    const auto queue = co_await look_at(std::move(path), "columns=consumers", deadline);
    if (!queue) co_return out;
    const auto consumers = parse_consumers(queue->status, queue->body);
    if (consumers) out.cause = fmt::format("the queue has {} consumers", *consumers);
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
    const Wanted wanted{settings.mode,
                        settings.count.value_or(Count::total),
                        settings.aggregate.value_or(Aggregate::sum),
                        settings.no_consumers,
                        settings.missing};
    ManagementQuestion asked{{vhost_, std::move(read.vhost)},
                             std::move(read.queue),
                             compiled(settings.queue_regex),
                             wanted};
    return std::make_unique<ManagementScaler>(http_, target_, std::move(asked));
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
