// What both transports of the rabbitmq scaler share: settings, and the parsing of the management
// API's replies. No IO.
#pragma once

#include "scalers/clients/http/proxy.hpp"
#include "scalers/error.hpp"
#include "scalers/kind.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/server_url.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/settings/template.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/settings/value_readers.hpp"
#include "scalers/text/near_names.hpp"

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::backends::rabbitmq {

enum class Count { total, ready, unacknowledged };
enum class Aggregate { sum, avg, max };
enum class Mode {
  queue_length,
  message_rate,
  deliver_get_rate,
  published_to_delivered_ratio,
  expected_queue_consumption_time
};

struct BackendSettings {
  ServerUrl url;
  SecretFile username;
  SecretFile password;
  std::string vhost;
  TlsFiles tls;
  bool is_http2 = false;
  clients::ProxySetting proxy;
};

struct MetricSettings {
  std::string backend;
  std::string queue;
  std::string queue_regex;
  std::string vhost;
  std::optional<Count> count;
  Aggregate aggregate = Aggregate::sum;
  Mode mode = Mode::queue_length;
  ErrorOrNumber no_consumers;
  ErrorOrNumber missing;
};

inline constexpr std::size_t kPageSize = 500;  // the most that RabbitMQ gives

// The address of a broker, from its url and settings.
struct Broker {
  Url url;            // without the vhost: for http its path is the prefix before /api
  std::string vhost;  // for metrics without vhost; "/" when url and settings have none
};

// The last segment of the url's path is the vhost, percent-decoded; the segments before it are a
// prefix (http only). A non-empty `vhost` replaces the vhost of the url.
[[nodiscard]] std::variant<Broker, UrlProblem> parse_broker(std::string_view url,
                                                            const std::string& vhost);

// The rows of both settings tables, for `weir describe`.
[[nodiscard]] std::vector<SettingDoc> backend_docs();
[[nodiscard]] std::vector<SettingDoc> metric_docs();

// A metric's block, after the checks that both transports share.
struct MetricBlock {
  MetricSettings settings;
  TextTemplate queue;
  TextTemplate vhost;  // empty: the backend's
};
MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems);

// The vhost of one metric: its own, with parameters, or its backend's.
struct VhostName {
  std::string of_backend;
  TextTemplate of_metric;

  [[nodiscard]] std::string render(const Parameters& parameters) const {
    return of_metric.empty() ? of_backend : of_metric.render(parameters);
  }
};

// Errc::bad_request for names that a broker would misread; nullopt for valid names. In AMQP an
// empty queue means the queue declared last; in the management API an empty vhost means all vhosts.
[[nodiscard]] std::optional<Error> check_names(std::string_view vhost, std::string_view queue);

// The sample for a queue that does not exist: the number of `missing`, or Errc::unknown_object with
// the text `what`.
[[nodiscard]] Result<Sample> missing_queue(const ErrorOrNumber& missing,
                                           std::string what,
                                           WallTime taken_at);

// How the statistics of the queues become one number.
struct Measurement {
  Mode mode;
  Count count;
  Aggregate aggregate;
  ErrorOrNumber no_consumers;
  ErrorOrNumber missing = {};
};

// One queue, as a page of the management API lists it.
struct QueueStats {
  std::string name;
  std::string
      type;  // "classic", "quorum", "stream"; empty: of a broker that has classic queues only
  std::string state = {};  // "running"; empty: an old broker did not send it
  std::string node = {};   // that the queue, or its leader, is on
  std::optional<double> total;
  std::optional<double> ready;
  std::optional<double> unacknowledged;
  std::optional<double> publish_rate;
  std::optional<double> deliver_get_rate;
  // The delivery rate is in the response, as null: it is unknown. Absent, nothing was delivered
  // yet.
  bool is_delivery_unknown = false;
  std::string wrong_column = {};    // of which the value is neither a number nor null; empty: none
  std::string unknown_column = {};  // that should hold a text and is there without one; empty: none
};

struct Page {
  std::vector<QueueStats> queues;
  std::size_t page_count = 1;
  std::optional<std::size_t> filtered_count;  // queues on all pages together
};

// Collects the pages of one listing. RabbitMQ computes the list again for each page, so a queue
// that was created or deleted in between would be counted twice, or not at all.
class Listing {
 public:
  // Adds the next page; Errc::partial when it does not match the previous pages.
  [[nodiscard]] std::optional<Error> add(Page page);
  // The queues of all pages; Errc::partial when their number is not the broker's filtered_count.
  [[nodiscard]] Result<std::vector<QueueStats>> take();

 private:
  std::vector<QueueStats> queues_;
  std::set<std::string> names_;
  std::optional<Page> first_;  // without its queues
};

// One page of GET /api/queues/VHOST?page=N. Errc::unknown_object (no such vhost), refused,
// unreachable, bad_reply (also for queues of another vhost), too_many (more than kPageSize queues).
[[nodiscard]] Result<Page> parse_page(long status,
                                      std::string_view body,
                                      const std::string& vhost,
                                      std::span<const std::string> redactions);

// Why the numbers of a queue are not those of its messages: Errc::partial when its state is another
// than running, idle and flow, or is unknown; bad_reply when it has more messages of one kind than
// in all. nullopt when all of them count.
[[nodiscard]] std::optional<Error> validity_problem(std::span<const QueueStats> queues);

// Errc::bad_reply when the response to a query for one queue has others alone: the broker's filter,
// which ignores case, cannot have let them through.
[[nodiscard]] std::optional<Error> other_queue_problem(std::span<const QueueStats> queues,
                                                       const std::string& name);

// Errc::partial for a queue that is not among those with totals, `counted`: its process crashed
// more often than RabbitMQ restarts it. Its messages stay on disk until the node restarts, so they
// are neither missing nor zero, although the list with statistics has it as it was.
[[nodiscard]] std::optional<Error> gap_problem(std::span<const QueueStats> queues,
                                               const std::set<std::string>& counted);

// A name that does not exist: a queue of a vhost, or, with is_vhost, the vhost itself.
struct MissingName {
  bool is_vhost;
  std::string vhost;
  std::string queue;  // or the pattern that no queue matches
  NameOrigin origin;  // caller when one of the two names comes from a caller
};

// Adds to `out` the similar names in a list of queues or vhosts, or in its first page. A response
// that is not a list becomes a finding with its status, without a cause.
void add_similar_names(const MissingName& missing,
                       long status,
                       std::string_view body,
                       Diagnosis& out);
// The number of consumers of one queue; nullopt when the body does not hold it.
[[nodiscard]] std::optional<std::size_t> parse_consumers(long status, std::string_view body);

// The number for `queues`, which is never empty; without its time. Errc::partial when the broker
// reports no statistics for a queue; not_a_number when nothing is delivered and noConsumers is
// error; bad_reply when a number of a ratio is negative, or a column holds something else.
[[nodiscard]] Result<Sample> sample_of(std::span<const QueueStats> queues,
                                       const Measurement& measurement);

// The backends of the two transports.
[[nodiscard]] std::unique_ptr<Backend> make_amqp_backend(const BackendSettings& settings,
                                                         Broker broker,
                                                         Clients& clients);
[[nodiscard]] std::unique_ptr<Backend> make_management_backend(const BackendSettings& settings,
                                                               Broker broker,
                                                               Clients& clients);

}  // namespace weir::scalers::backends::rabbitmq

namespace weir::scalers {

template <>
struct EnumNames<backends::rabbitmq::Count> {
  using Count = backends::rabbitmq::Count;
  static constexpr std::string_view kTypeName = "total | ready | unacknowledged";
  static constexpr std::array<std::pair<std::string_view, Count>, 3> kNames{
      {{"total", Count::total},
       {"ready", Count::ready},
       {"unacknowledged", Count::unacknowledged}}};
};

template <>
struct EnumNames<backends::rabbitmq::Aggregate> {
  using Aggregate = backends::rabbitmq::Aggregate;
  static constexpr std::string_view kTypeName = "sum | avg | max";
  static constexpr std::array<std::pair<std::string_view, Aggregate>, 3> kNames{
      {{"sum", Aggregate::sum}, {"avg", Aggregate::avg}, {"max", Aggregate::max}}};
};

template <>
struct EnumNames<backends::rabbitmq::Mode> {
  using Mode = backends::rabbitmq::Mode;
  static constexpr std::string_view kTypeName =
      "QueueLength | MessageRate | DeliverGetRate | PublishedToDeliveredRatio | "
      "ExpectedQueueConsumptionTime";
  static constexpr std::array<std::pair<std::string_view, Mode>, 5> kNames{{
      {"QueueLength", Mode::queue_length},
      {"MessageRate", Mode::message_rate},
      {"DeliverGetRate", Mode::deliver_get_rate},
      {"PublishedToDeliveredRatio", Mode::published_to_delivered_ratio},
      {"ExpectedQueueConsumptionTime", Mode::expected_queue_consumption_time},
  }};
};

}  // namespace weir::scalers
