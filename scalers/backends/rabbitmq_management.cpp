#include "scalers/backends/rabbitmq.hpp"
#include "scalers/clients.hpp"
#include "scalers/clients/http.hpp"
#include "scalers/pattern.hpp"

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

class ManagementScaler final : public Scaler {
 public:
  ManagementScaler(clients::HttpClient& http,
                   const ManagementTarget& target,
                   ManagementQuestion asked)
      : http_(http), target_(target), asked_(std::move(asked)) {}

  [[nodiscard]] std::string question(const Labels& parameters) const override {
    const std::string vhost = asked_.vhost.render(parameters);
    const Wanted& wanted = asked_.wanted;
    const std::string regex = asked_.regex ? asked_.regex->text() : "";
    return fmt::format("{} {} {} {} {} {}:{} {}:{} {}",
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

  [[nodiscard]] awaitable<Result<Sample>> ask(Labels parameters, Deadline deadline) override;

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
  [[nodiscard]] std::string no_queue(const std::string& vhost, const std::string& name) const;

  clients::HttpClient& http_;
  const ManagementTarget& target_;
  ManagementQuestion asked_;
};

Result<clients::HttpRequest> ManagementScaler::request(const std::string& vhost,
                                                       const std::string& pattern,
                                                       std::size_t page,
                                                       Detail detail) const {
  clients::HttpRequest out;
  out.url = target_.url;
  out.url.path += fmt::format("/api/queues/{}", percent_encoded(vhost));
  // RabbitMQ says 401 for a vhost that the user may not enter, too: it is about this vhost alone.
  out.realm = out.url.path;
  out.query = fmt::format("page={}&page_size={}&use_regex=true&name={}",
                          page,
                          kPageSize,
                          percent_encoded("^(?:" + pattern + ")$"));
  out.query +=
      detail == Detail::totals
          ? "&disable_stats=true&enable_queue_totals=true&columns="
          : "&columns=message_stats.publish_details.rate,message_stats.deliver_get_details."
            "rate,";
  out.query += "name,type,messages,messages_ready,messages_unacknowledged";
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
    asked->digest =
        [page, vhost, hidden = clients::hidden_texts(*asked)](const clients::HttpReply& reply) {
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

awaitable<Result<Sample>> ManagementScaler::ask(Labels parameters, Deadline deadline) {
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
    co_return missing_queue(asked_.wanted.missing, no_queue(vhost, name), taken_at);
  const auto value = value_of(*queues, asked_.wanted);
  if (!value) co_return value.error();
  co_return Sample{*value, taken_at};
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
