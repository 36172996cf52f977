#include "scalers/backends/rabbitmq.hpp"

#include "test/support/shown.hpp"

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

TEST_CASE("the last part of the path is the vhost, what is in front of it a prefix") {
  const Address rows[] = {
      {"amqp alone", "amqp://mq", "", "amqp://mq:5672 /"},
      {"amqps", "amqps://mq", "", "amqps://mq:5671 /"},
      {"http", "http://mq", "", "http://mq:15672 /"},
      {"https", "https://mq", "", "https://mq:15671 /"},
      {"a port", "amqp://mq:1234/a", "", "amqp://mq:1234 a"},
      {"IPv6", "amqp://[::1]/a", "", "amqp://[::1]:5672 a"},
      {"a slash alone", "http://mq/", "", "http://mq:15672 /"},
      {"/ encoded", "http://mq/%2F", "", "http://mq:15672 /"},
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

TEST_CASE("a broker's url of another form is refused") {
  const std::string broken = "the url's vhost holds a broken % escape";
  const std::string deep =
      "the path of an amqp url is the vhost alone; write a / in its name as %2F";
  const std::string scheme =
      "the url needs the scheme amqp, amqps, http or https; write amqp://HOST:PORT, "
      "amqps://HOST:PORT, http://HOST:PORT or https://HOST:PORT";
  const std::string host =
      "the url has no valid HOST or HOST:PORT behind ://; an IPv6 address stands in brackets";
  const std::string user =
      "a url holds no user or password; write username: {file: PATH} and password: {file: PATH}";
  const Address rows[] = {
      {"another scheme", "redis://mq", "", scheme},
      {"no scheme", "mq:5672", "", scheme},
      {"a user", "amqp://guest:guest@mq/a", "", user},
      {"no host", "amqp:///a", "", host},
      {"port zero", "amqp://mq:0/a", "", host},
      {"two parts over amqp", "amqp://mq/a/b", "", deep},
      {"a slash behind the vhost over amqp", "amqps://mq/a/", "", deep},
      {"a prefix over amqp, with the setting", "amqp://mq/a/b", "c", deep},
      {"half an escape", "http://mq/%2", "", broken},
      {"an escape of no digits", "http://mq/%zz", "", broken},
      {"a % alone", "amqp://mq/%", "", broken},
      {"a query", "http://mq/a?x=1", "", "a url has no query and no fragment; write only the path"},
      {"a blank",
       "http://mq/a b",
       "",
       "the url's path holds a byte that has to be percent-encoded"},
  };

  for (const Address& row : rows) check(row);
}

std::string page(std::string_view items, std::string_view pages = "1") {
  return fmt::format(R"({{"page_count":{},"page":1,"items":[{}]}})", pages, items);
}

struct Bad {
  std::string_view name;
  long status;
  std::string body;
  std::string message;
};

void check(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    const std::array<std::string, 2> hidden{"weirduser", "s3cret-word"};

    CHECK(shown(parse_page(row.status, row.body, "ml", hidden)) == row.message);
  }
}

TEST_CASE("a page lists its queues and how many pages there are") {
  const auto parsed = parse_page(
      200,
      page(
          R"({"name":"a","messages":5,"messages_ready":3,"messages_unacknowledged":2,)"
          R"("message_stats":{"publish_details":{"rate":1.5},"deliver_get_details":{"rate":0.5}}},)"
          R"({"name":"b","messages":7})",
          "3"),
      "ml",
      {});

  REQUIRE(shown(parsed) == "a value");
  CHECK(parsed->page_count == 3);
  REQUIRE(parsed->queues.size() == 2);
  CHECK(parsed->queues[0].total == 5);
  CHECK(parsed->queues[0].ready == 3);
  CHECK(parsed->queues[0].unacknowledged == 2);
  CHECK(parsed->queues[0].publish_rate == 1.5);
  CHECK(parsed->queues[0].deliver_get_rate == 0.5);
  CHECK(parsed->queues[1].total == 7);
  CHECK(parsed->queues[1].ready == std::nullopt);
  CHECK(parsed->queues[1].publish_rate == std::nullopt);
}

TEST_CASE("a page without queues is a page") {
  const auto parsed = parse_page(200, page("", "0"), "ml", {});

  REQUIRE(shown(parsed) == "a value");
  CHECK(parsed->queues.empty());
  CHECK(parsed->page_count == 0);
}

TEST_CASE("a statistic that is no number is absent, never zero") {
  const auto parsed = parse_page(
      200,
      page(
          R"({"messages":null},{"messages":"5"},{"messages":[5]},{},null,[],5,"x",)"
          R"({"message_stats":null},{"message_stats":[]},{"message_stats":{"publish_details":1}})"),
      "ml",
      {});

  REQUIRE(shown(parsed) == "a value");
  REQUIRE(parsed->queues.size() == 11);
  CHECK(std::ranges::all_of(parsed->queues, [](const QueueStats& queue) {
    return !queue.total && !queue.publish_rate;
  }));
}

TEST_CASE("a status that is not 200 says whose fault it is") {
  const Bad rows[] = {
      {"wrong credentials",
       401,
       R"({"error":"not_authorised","reason":"Login failed"})",
       "refused: the credentials are refused, or give no access to vhost \"ml\" (HTTP 401) "
       R"(<{"error":"not_authorised","reason":"Login failed"}>)"},
      {"no access",
       403,
       "",
       "refused: the credentials are refused, or give no access to vhost \"ml\" (HTTP 403)"},
      {"no vhost",
       404,
       R"({"error":"Object Not Found"})",
       "unknown_object: vhost \"ml\" does not exist, or the url's path is not that of the "
       "management API"},
      {"a redirect",
       301,
       "",
       "bad_reply: HTTP 301: redirects are not followed; write the final url"},
      {"the broker starts",
       503,
       "",
       "unreachable: the management API is not able to answer (HTTP 503)"},
      {"an error of the broker",
       500,
       "boom",
       "unreachable: the management API is not able to answer (HTTP 500) <boom>"},
      {"a bad request",
       400,
       R"({"reason":"page out of range"})",
       R"(bad_reply: HTTP 400 instead of a list of queues <{"reason":"page out of range"}>)"},
      {"no content", 204, "", "bad_reply: HTTP 204 instead of a list of queues"},
      {"credentials that are echoed",
       400,
       "weirduser s3cret-word",
       "bad_reply: HTTP 400 instead of a list of queues <[hidden] [hidden]>"},
      {"a page with the status of an error",
       500,
       page(""),
       R"(unreachable: the management API is not able to answer (HTTP 500) <{"page_count":1,"page":1,"items":[]}>)"},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("an answer that is no page is refused") {
  const std::string no_page =
      "bad_reply: the answer is not a page of the management API; is the url right?";
  const std::string no_count = "bad_reply: the answer has no page_count";
  const Bad rows[] = {
      {"empty", 200, "", no_page},
      {"HTML", 200, "<html></html>", no_page},
      {"truncated", 200, page(R"({"messages":5})").substr(0, 30), no_page},
      {"text behind the end", 200, page("") + "x", no_page},
      {"a list, as without page=", 200, R"([{"messages":5}])", no_page},
      {"null", 200, "null", no_page},
      {"no items", 200, R"({"page_count":1})", no_page},
      {"items as map", 200, R"({"page_count":1,"items":{}})", no_page},
      {"items null", 200, R"({"page_count":1,"items":null})", no_page},
      {"a number beyond a double", 200, page(R"({"messages":1e400})"), no_page},
      {"no page_count", 200, R"({"items":[]})", no_count},
      {"page_count as text", 200, page("", R"("1")"), no_count},
      {"page_count null", 200, page("", "null"), no_count},
      {"a negative page_count", 200, page("", "-1"), no_count},
      {"a huge page_count", 200, page("", "1e300"), no_count},
      {"100,000 open lists", 200, std::string(100'000, '['), no_page},
  };

  for (const Bad& row : rows) check(row);
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

Wanted lengths(Count count, Aggregate aggregate) {
  return {Mode::queue_length, count, aggregate, {}};
}
Wanted of(Mode mode, ErrorOrNumber no_consumers = {}, Aggregate aggregate = Aggregate::sum) {
  return {mode, Count::total, aggregate, no_consumers};
}

struct Value {
  std::string_view name;
  std::vector<QueueStats> queues;
  Wanted wanted;
  std::string outcome;
};

void check(const Value& row) {
  DYNAMIC_SECTION(row.name) {
    const auto value = value_of(row.queues, row.wanted);

    CHECK((value ? fmt::format("{}", *value) : shown(value.error())) == row.outcome);
  }
}

TEST_CASE("lengths join: the sum, the real average, the largest") {
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

TEST_CASE("an absent statistic is an error, never zero") {
  const std::string tail = " of a queue (its statistics may be off, or the queue too new)";
  const std::string no_length = "no_value: the broker has no message count" + tail;
  const std::string no_published = "no_value: the broker has no publish rate" + tail;
  const std::string no_delivered = "no_value: the broker has no delivery rate" + tail;
  QueueStats only_total;
  only_total.total = 5;
  QueueStats only_published = only_total;
  only_published.publish_rate = 1;
  QueueStats no_total = rates(0, 1, 1);
  no_total.total.reset();
  const Value rows[] = {
      {"no total", {no_total}, lengths(Count::total, Aggregate::sum), no_length},
      {"no ready", {only_total}, lengths(Count::ready, Aggregate::sum), no_length},
      {"no unacknowledged",
       {only_total},
       lengths(Count::unacknowledged, Aggregate::max),
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
       "no_value: nothing is delivered from the queue, so the value would be infinite; set "
       "noConsumers to the number that should stand for that"},
      {"noConsumers is not for absent rates",
       {only_total},
       of(Mode::expected_queue_consumption_time, {7.0}),
       no_published},
      {"a time without length", {no_total}, of(Mode::expected_queue_consumption_time), no_length},
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
      "no_value: nothing is delivered from the queue, so the value would be infinite; set "
      "noConsumers to the number that should stand for that";
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
