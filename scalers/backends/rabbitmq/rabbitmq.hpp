// The parts of the rabbitmq scaler that both of its transports share: settings, and the pure
// meaning of the management API's replies. No IO.
#pragma once

#include "scalers/error.hpp"
#include "scalers/kind.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
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
  std::string url;
  SecretFile username;
  SecretFile password;
  std::string vhost;
  TlsFiles tls;
};

struct MetricSettings {
  std::string backend;
  std::string queue;
  std::string queue_regex;
  std::string vhost;
  std::optional<Count> count;
  std::optional<Aggregate> aggregate;
  Mode mode = Mode::queue_length;
  ErrorOrNumber no_consumers;
  ErrorOrNumber missing;
};

inline constexpr std::size_t kPageSize = 500;  // the most that RabbitMQ gives

// Where a broker is, from its url and settings.
struct Broker {
  Url url;            // without the vhost: for http its path is the prefix in front of /api
  std::string vhost;  // of metrics that name none; "/" when neither url nor settings do
};

// The last segment of the url's path is the vhost, percent-decoded, what is in front of it a prefix
// (http alone); `vhost`, when it is set, takes the vhost's place.
[[nodiscard]] std::variant<Broker, UrlProblem> parse_broker(std::string_view url,
                                                            const std::string& vhost);

// The rows of both settings tables, for `weir describe`.
[[nodiscard]] std::vector<SettingDoc> backend_docs();
[[nodiscard]] std::vector<SettingDoc> metric_docs();

// A metric's block, read and checked for what both transports need.
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

// Why no broker can be asked for this queue in this vhost; nullopt: it can. AMQP takes an empty
// queue for the one declared last; the management API takes an empty vhost for all of them.
[[nodiscard]] std::optional<Error> refuse_names(std::string_view vhost, std::string_view queue);

// The sample for a queue that is not there: the number of `missing`, or Errc::unknown_object with
// the text `what`.
[[nodiscard]] Result<Sample> missing_queue(const ErrorOrNumber& missing,
                                           std::string what,
                                           WallTime taken_at);

// What a metric asks of the management API.
struct Wanted {
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
      type;  // "classic", "quorum", "stream"; empty: of a broker that knows classic ones only
  std::optional<double> total;
  std::optional<double> ready;
  std::optional<double> unacknowledged;
  std::optional<double> publish_rate;
  std::optional<double> deliver_get_rate;
};

struct Page {
  std::vector<QueueStats> queues;
  std::size_t page_count = 1;
  std::optional<std::size_t> filtered_count;  // queues on all pages together
};

// The pages of one listing, put together. RabbitMQ counts them anew for each page: what changed in
// between would be counted twice, or not at all.
class Listing {
 public:
  // Adds the next page; Errc::partial when it does not belong to those before.
  [[nodiscard]] std::optional<Error> add(Page page);
  // The queues of all pages; Errc::partial when they are not as many as the broker said.
  [[nodiscard]] Result<std::vector<QueueStats>> take();

 private:
  std::vector<QueueStats> queues_;
  std::set<std::string> names_;
  std::optional<Page> first_;  // without its queues
};

// One page of GET /api/queues/VHOST?page=N. Errc::unknown_object (no such vhost), refused,
// unreachable, bad_reply, too_many (more queues than a page was asked for).
[[nodiscard]] Result<Page> parse_page(long status,
                                      std::string_view body,
                                      const std::string& vhost,
                                      std::span<const std::string> hidden);

// What does not exist: a queue of a vhost, or, with is_vhost, the vhost itself.
struct Absent {
  bool is_vhost;
  std::string vhost;
  std::string queue;  // or the pattern that no queue matches
  NameOrigin origin;  // a caller's when one of both names is
};

// Adds to `out` which queues, or vhosts, a list of them (or its first page) holds instead. An
// answer that is no list is a finding with its status, and no cause.
void tell_names(const Absent& absent, long status, std::string_view body, Diagnosis& out);
// The consumers of one queue; nullopt when the body does not tell.
[[nodiscard]] std::optional<std::size_t> parse_consumers(long status, std::string_view body);

// The number that the queues come to, which is never of an empty list. Errc::no_value when the
// broker has no statistics of a queue, or when nothing is delivered and the metric does not say
// what that means.
[[nodiscard]] Result<double> value_of(std::span<const QueueStats> queues, const Wanted& wanted);

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
