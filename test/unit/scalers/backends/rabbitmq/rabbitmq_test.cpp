#include "scalers/backends/rabbitmq/rabbitmq.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::rabbitmq {
namespace {

using test::shown;

// "url vhost", or the problem.
std::string broker(std::string_view url, const std::string& vhost = "") {
  const auto parsed = parse_broker(url, vhost);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) return problem->what;
  const Broker& out = std::get<Broker>(parsed);
  return fmt::format("{} {}", out.url.text(), out.vhost);
}

struct Address {
  std::string_view name;
  std::string_view url;
  std::string vhost;
  std::string outcome;
};

void check(const Address& row) {
  DYNAMIC_SECTION(row.name) { CHECK(broker(row.url, row.vhost) == row.outcome); }
}

TEST_CASE("the last segment of the path is the vhost, the segments before it a prefix") {
  const Address rows[] = {
      {"amqp alone", "amqp://mq", "", "amqp://mq:5672 /"},
      {"amqps", "amqps://mq", "", "amqps://mq:5671 /"},
      {"http", "http://mq", "", "http://mq:15672 /"},
      {"https", "https://mq", "", "https://mq:15671 /"},
      {"a port", "amqp://mq:1234/a", "", "amqp://mq:1234 a"},
      {"IPv6", "amqp://[::1]/a", "", "amqp://[::1]:5672 a"},
      {"a slash alone", "http://mq/", "", "http://mq:15672 /"},
      {"/ encoded", "http://mq/%2F", "", "http://mq:15672 /"},
      {"report 14: / as KEDA read it", "http://mq//", "", "http://mq:15672 /"},
      {"/ as KEDA read it, with a prefix", "http://mq/sub1//", "", "http://mq:15672/sub1 /"},
      {"/ as KEDA read it, over amqp", "amqp://mq//", "", "amqp://mq:5672 /"},
      {"/ encoded in small letters", "amqp://mq/%2f", "", "amqp://mq:5672 /"},
      {"keda 81: a vhost", "http://mq/myVhost", "", "http://mq:15672 myVhost"},
      {"keda 82: a prefix and a vhost",
       "http://mq/sub1/myVhost",
       "",
       "http://mq:15672/sub1 myVhost"},
      {"a prefix alone", "http://mq/sub1/", "", "http://mq:15672/sub1 /"},
      {"two prefixes", "http://mq/a/b/c", "", "http://mq:15672/a/b c"},
      {"a prefix and / encoded", "http://mq/sub1/%2F", "", "http://mq:15672/sub1 /"},
      {"keda 84: a vhost that begins with /",
       "http://mq/%2FmyVhost",
       "",
       "http://mq:15672 /myVhost"},
      {"a % in the vhost", "http://mq/50%25", "", "http://mq:15672 50%"},
      {"keda 85: the setting wins", "http://mq/myVhost", "other", "http://mq:15672 other"},
      {"the setting with a prefix",
       "http://mq/sub1/myVhost",
       "other",
       "http://mq:15672/sub1 other"},
      {"the setting is not decoded", "amqp://mq", "%2F", "amqp://mq:5672 %2F"},
      {"the setting over amqp", "amqp://mq/a", "/", "amqp://mq:5672 /"},
  };

  for (const Address& row : rows) check(row);
}

TEST_CASE("a broker's url of another form is an error") {
  const std::string broken = "the vhost of the url has an invalid % escape";
  const std::string api =
      "the url must not contain /api, which Weir adds; write the address of the broker";
  const std::string deep =
      "the path of an amqp url is only the vhost; write a / in its name as %2F";
  const std::string scheme =
      "the url needs the scheme amqp, amqps, http or https; write amqp://HOST:PORT, "
      "amqps://HOST:PORT, http://HOST:PORT or https://HOST:PORT";
  const std::string host =
      "the url needs a valid HOST or HOST:PORT after ://; write an IPv6 address in brackets";
  const std::string user =
      "a url must not contain a user or password; write username: {file: PATH} and password: "
      "{file: PATH}, or url: {file: PATH} for a file with the whole url";
  const Address rows[] = {
      {"report 14: the path of the API", "http://mq/api/", "", api},
      {"the path of the API, with a prefix", "http://mq/sub1/api/jobs", "", api},
      {"the path of a queue", "http://mq/api/queues/%2F/jobs", "", api},
      {"a slash after the vhost",
       "http://mq/%2F/",
       "",
       "the vhost is the last segment of the url; remove the slash after %2F"},
      {"another scheme", "redis://mq", "", scheme},
      {"no scheme", "mq:5672", "", scheme},
      {"a user", "amqp://guest:guest@mq/a", "", user},
      {"no host", "amqp:///a", "", host},
      {"port zero", "amqp://mq:0/a", "", host},
      {"two parts over amqp", "amqp://mq/a/b", "", deep},
      {"a slash after the vhost over amqp", "amqps://mq/a/", "", deep},
      {"a prefix over amqp, with the setting", "amqp://mq/a/b", "c", deep},
      {"half an escape", "http://mq/%2", "", broken},
      {"an escape of no digits", "http://mq/%zz", "", broken},
      {"a % alone", "amqp://mq/%", "", broken},
      {"a query",
       "http://mq/a?x=1",
       "",
       "a url must not have a query or fragment; write only the path"},
      {"a blank",
       "http://mq/a b",
       "",
       "the url's path contains a byte that must be percent-encoded"},
  };

  for (const Address& row : rows) check(row);
}

QueueStats queue(double total, double ready, double unacknowledged) {
  QueueStats out;
  out.total = total;
  out.ready = ready;
  out.unacknowledged = unacknowledged;
  return out;
}

QueueStats rates(double total, double published, double delivered) {
  QueueStats out;
  out.total = total;
  out.publish_rate = published;
  out.deliver_get_rate = delivered;
  return out;
}

Measurement lengths(Count count, Aggregate aggregate) {
  return {Mode::queue_length, count, aggregate, {}};
}
Measurement of(Mode mode, ErrorOrNumber no_consumers = {}, Aggregate aggregate = Aggregate::sum) {
  return {mode, Count::total, aggregate, no_consumers};
}

struct Value {
  std::string_view name;
  std::vector<QueueStats> queues;
  Measurement measurement;
  std::string outcome;
};

void check(const Value& row) {
  DYNAMIC_SECTION(row.name) {
    const auto sample = sample_of(row.queues, row.measurement);

    CHECK((sample ? fmt::format("{}", sample->value) : shown(sample.error())) == row.outcome);
  }
}

TEST_CASE("lengths are combined: the sum, the real average, the largest") {
  const std::vector<QueueStats> queues{queue(5, 4, 1), queue(1, 0, 1), queue(2, 2, 0)};
  const std::vector<QueueStats> halves{queue(1, 0, 1), queue(2, 0, 2)};
  const Value rows[] = {
      {"sum of totals", queues, lengths(Count::total, Aggregate::sum), "8"},
      {"sum of ready ones", queues, lengths(Count::ready, Aggregate::sum), "6"},
      {"sum of unacknowledged ones", queues, lengths(Count::unacknowledged, Aggregate::sum), "2"},
      {"average", queues, lengths(Count::ready, Aggregate::avg), "2"},
      {"an average between whole numbers", halves, lengths(Count::total, Aggregate::avg), "1.5"},
      {"max", queues, lengths(Count::total, Aggregate::max), "5"},
      {"max of ready ones", queues, lengths(Count::ready, Aggregate::max), "4"},
      {"one queue", {queue(3, 2, 1)}, lengths(Count::total, Aggregate::avg), "3"},
      {"empty queues", {queue(0, 0, 0)}, lengths(Count::total, Aggregate::sum), "0"},
  };

  for (const Value& row : rows) check(row);
}

TEST_CASE("a missing statistic is an error, never zero") {
  const std::string tail = " for a queue (statistics may be disabled, or the queue may be too new)";
  const std::string no_length = "partial: the broker reports no message count" + tail;
  const std::string no_published = "partial: the broker reports no publish rate" + tail;
  const std::string no_delivered = "partial: the broker reports no delivery rate" + tail;
  const std::string wrong_type =
      "bad_reply: the column deliver_get_details of queue \"jobs\" does not hold a number";
  QueueStats only_total;
  only_total.total = 5;
  QueueStats only_published = only_total;
  only_published.publish_rate = 1;
  QueueStats no_total = rates(0, 1, 1);
  no_total.total.reset();
  QueueStats null_delivered = only_published;
  null_delivered.is_delivery_unknown = true;
  QueueStats wrong = only_published;
  wrong.name = "jobs";
  wrong.wrong_column = "deliver_get_details";
  const Value rows[] = {
      {"no total", {no_total}, lengths(Count::total, Aggregate::sum), no_length},
      {"no ready", {only_total}, lengths(Count::ready, Aggregate::sum), no_length},
      {"no unacknowledged",
       {only_total},
       lengths(Count::unacknowledged, Aggregate::max),
       no_length},
      {"missing is for queues that do not exist",
       {only_total},
       {Mode::queue_length, Count::ready, Aggregate::sum, {}, {0.0}},
       no_length},
      {"one queue of several",
       {queue(1, 1, 0), QueueStats{}, queue(2, 2, 0)},
       lengths(Count::total, Aggregate::sum),
       no_length},
      {"no publish rate", {only_total}, of(Mode::message_rate), no_published},
      {"no delivery rate", {only_published}, of(Mode::deliver_get_rate), no_delivered},
      {"a ratio without publish rate",
       {only_total},
       of(Mode::published_to_delivered_ratio),
       no_published},
      {"a ratio of a queue that nothing was ever delivered from",
       {only_published},
       of(Mode::published_to_delivered_ratio),
       "not_a_number: nothing is delivered from the queue, so the value would be infinite; set "
       "noConsumers to the number to report instead"},
      {"a ratio with a delivery rate that is null",
       {null_delivered},
       of(Mode::published_to_delivered_ratio, {7.0}),
       no_delivered},
      {"a ratio with a delivery rate of another type",
       {wrong},
       of(Mode::published_to_delivered_ratio, {7.0}),
       wrong_type},
      {"a delivery rate of another type", {wrong}, of(Mode::deliver_get_rate), wrong_type},
      {"another column of another type", {wrong}, of(Mode::message_rate), "1"},
      {"noConsumers is not for absent rates",
       {only_total},
       of(Mode::expected_queue_consumption_time, {7.0}),
       no_published},
      {"a time without length", {no_total}, of(Mode::expected_queue_consumption_time), no_length},
  };

  for (const Value& row : rows) check(row);
}

// Field report 2.
TEST_CASE("a negative count among several is told to the policies, whatever the aggregate") {
  const std::vector<QueueStats> queues{queue(-4, -4, 0), queue(9, 9, 0)};
  const auto aggregate = GENERATE(Aggregate::sum, Aggregate::avg, Aggregate::max);

  const auto sample = sample_of(queues, lengths(Count::total, aggregate));

  REQUIRE(sample.has_value());
  REQUIRE(sample->negative_parts != nullptr);
  CHECK(sample->negative_parts->least == -4);
  CHECK(sample->negative_parts->with_zeros == (aggregate == Aggregate::avg ? 4.5 : 9));
  CHECK(
      sample_of(std::vector{queue(-4, -4, 0)}, lengths(Count::total, aggregate))->negative_parts ==
      nullptr);
}

TEST_CASE("a negative number within a ratio or a time is a contradiction") {
  const std::vector<QueueStats> queues{rates(-4, 1, 2), rates(9, 1, 2)};
  const Value rows[] = {
      {"ratio",
       queues,
       of(Mode::published_to_delivered_ratio),
       "bad_reply: the message count of queue \"\" is -4, below zero"},
      {"time",
       queues,
       of(Mode::expected_queue_consumption_time),
       "bad_reply: the message count of queue \"\" is -4, below zero"},
      {"a rate",
       {rates(1, -1, 2)},
       of(Mode::published_to_delivered_ratio),
       "bad_reply: the publish rate of queue \"\" is -1, below zero"},
  };

  for (const Value& row : rows) check(row);
}

TEST_CASE("each mode has its number") {
  const std::vector<QueueStats> two{rates(10, 4, 2), rates(20, 2, 1)};
  const Value rows[] = {
      {"publish rate", two, of(Mode::message_rate), "6"},
      {"publish rate, average", two, of(Mode::message_rate, {}, Aggregate::avg), "3"},
      {"publish rate, max", two, of(Mode::message_rate, {}, Aggregate::max), "4"},
      {"delivery rate", two, of(Mode::deliver_get_rate), "3"},
      {"a rate of zero", {rates(10, 0, 0)}, of(Mode::message_rate), "0"},
      {"the ratio", {rates(10, 3, 2)}, of(Mode::published_to_delivered_ratio), "1.5"},
      {"the ratio of the sums", two, of(Mode::published_to_delivered_ratio), "2"},
      {"nothing published", {rates(10, 0, 2)}, of(Mode::published_to_delivered_ratio), "0"},
      {"an idle queue's ratio", {rates(0, 0, 0)}, of(Mode::published_to_delivered_ratio), "0"},
      {"the time: what comes and what lies there",
       {rates(10, 3, 2)},
       of(Mode::expected_queue_consumption_time),
       "5.5"},
      {"the time of the sums", two, of(Mode::expected_queue_consumption_time), "11"},
      {"the time of an empty queue",
       {rates(0, 3, 2)},
       of(Mode::expected_queue_consumption_time),
       "0"},
      {"the time of an empty queue without consumers",
       {rates(0, 3, 0)},
       of(Mode::expected_queue_consumption_time),
       "0"},
  };

  for (const Value& row : rows) check(row);
}

TEST_CASE("without consumers a ratio and a time are an error, or the number set for that") {
  const std::string infinite =
      "not_a_number: nothing is delivered from the queue, so the value would be infinite; set "
      "noConsumers to the number to report instead";
  const Value rows[] = {
      {"ratio", {rates(10, 3, 0)}, of(Mode::published_to_delivered_ratio), infinite},
      {"time", {rates(10, 3, 0)}, of(Mode::expected_queue_consumption_time), infinite},
      {"time, nothing published",
       {rates(10, 0, 0)},
       of(Mode::expected_queue_consumption_time),
       infinite},
      {"ratio set", {rates(10, 3, 0)}, of(Mode::published_to_delivered_ratio, {7.0}), "7"},
      {"ratio set to zero", {rates(10, 3, 0)}, of(Mode::published_to_delivered_ratio, {0.0}), "0"},
      {"time set", {rates(10, 0, 0)}, of(Mode::expected_queue_consumption_time, {7.0}), "7"},
      {"set but not needed",
       {rates(10, 3, 2)},
       of(Mode::published_to_delivered_ratio, {7.0}),
       "1.5"},
      {"set, an idle queue", {rates(0, 0, 0)}, of(Mode::published_to_delivered_ratio, {7.0}), "0"},
  };

  for (const Value& row : rows) check(row);
}

}  // namespace
}  // namespace weir::scalers::backends::rabbitmq
