#include "scalers/read/reader.hpp"

#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::MetricSpec;
using test::Rig;
using test::settle;
using test::shown;
using Operator = LabelRequirement::Operator;
using Value = std::variant<double, std::string>;
using namespace std::chrono_literals;

constexpr WallTime kSampledAt = WallTime{} + 42s;

Query of_queues(std::vector<std::string> values) {
  return {"ml", "depth", {{"queue", Operator::in, std::move(values)}}};
}

MetricSpec per_queue() {
  return {.labels = {{"queue", "[a-z]+"}}, .key = "depth of", .rendered = {"queue"}};
}

std::vector<std::string> queries(const Rig& rig) {
  std::vector<std::string> out;
  for (const auto& query : rig.script.queries) out.push_back(query.key);
  return out;
}

TEST_CASE("1,000 simultaneous reads of one key query the backend once") {
  Rig rig({MetricSpec{}});
  rig.script.is_held = true;
  std::vector<test::Pending<Rig::Readings>> reads(1000);

  for (auto& read : reads) read = rig.begin({"ml", "depth", {}});
  settle(*rig.loop);
  const auto asked_while_held = rig.script.queries.size();
  const auto is_open = [](const auto& read) { return !read->has_value(); };
  const auto open_while_held = std::ranges::count_if(reads, is_open);
  rig.script.release.raise();
  settle(*rig.loop);
  const auto got_seven = [](const auto& read) {
    return read->has_value() && (*read)->has_value() && (**read)->size() == 1 &&
           (**read)->front().value == 7;
  };

  CHECK(asked_while_held == 1);
  CHECK(open_while_held == 1000);
  CHECK(std::ranges::count_if(reads, got_seven) == 1000);
  CHECK(rig.script.queries.size() == 1);
}

TEST_CASE("a read passes every parameter and the metric's deadline to the backend") {
  Rig rig({per_queue()});

  const auto readings = rig.read(of_queues({"a"}));

  REQUIRE(readings.has_value());
  REQUIRE(rig.script.queries.size() == 1);
  CHECK(rig.script.queries.front().parameters == Parameters{"ml", {{"queue", "a"}}});
  CHECK(rig.script.queries.front().deadline.at == rig.clock.steady() + 2500ms);
  CHECK(readings->front().labels == Labels{{"queue", "a"}});
  CHECK(readings->front().taken_at == kSampledAt);
}

TEST_CASE("a value is cached until its freshness has passed, then the backend is queried") {
  Rig rig({MetricSpec{.freshness = 3000ms}});

  const auto first = rig.value();
  rig.script.replies.insert_or_assign("depth", Sample{8, kSampledAt});
  rig.clock.advance(2999ms);
  const auto again = rig.value();
  rig.clock.advance(1ms);
  const auto later = rig.value();

  CHECK(first == Value(7.0));
  CHECK(again == Value(7.0));
  CHECK(later == Value(8.0));
  CHECK(rig.script.queries.size() == 2);
}

TEST_CASE("the freshness is that of the metric that is read") {
  Rig rig({MetricSpec{.name = "patient", .freshness = 60'000ms},
           MetricSpec{.name = "hasty", .freshness = 10ms}});

  const auto first = rig.value({"ml", "hasty", {}});
  rig.clock.advance(10ms);
  const auto patient = rig.value({"ml", "patient", {}});
  const auto asked_by_patient = rig.script.queries.size();
  const auto hasty = rig.value({"ml", "hasty", {}});

  CHECK(first == Value(7.0));
  CHECK(patient == Value(7.0));
  CHECK(asked_by_patient == 1);
  CHECK(hasty == Value(7.0));
  CHECK(rig.script.queries.size() == 2);
}

TEST_CASE("metrics with the same query share one query and apply their own policies") {
  Rig rig({MetricSpec{.name = "strict"},
           MetricSpec{.name = "zero", .policies = {{}, {}, NegativePolicy::zero}},
           MetricSpec{.name = "allow", .policies = {{}, {}, NegativePolicy::allow}}});
  rig.script.replies.insert_or_assign("depth", Sample{-3, kSampledAt});

  const auto strict = rig.value({"ml", "strict", {}});
  const auto zero = rig.value({"ml", "zero", {}});
  const auto allow = rig.value({"ml", "allow", {}});

  CHECK(strict ==
        Value("negative: metric ml/strict: fake broker: the value -3 is negative; an HPA would "
              "scale to maxReplicas on it; set negative: zero or negative: allow if it is meant"));
  CHECK(zero == Value(0.0));
  CHECK(allow == Value(-3.0));
  CHECK(rig.script.queries.size() == 1);
}

TEST_CASE("namespaces share a result unless the query renders $(namespace)") {
  Rig rig({MetricSpec{.name = "shared", .namespaces = {"*"}, .key = "all"},
           MetricSpec{.name = "own", .namespaces = {"*"}, .key = "of", .rendered = {"namespace"}}});

  rig.value({"one", "shared", {}});
  rig.value({"two", "shared", {}});
  rig.value({"one", "own", {}});
  rig.value({"two", "own", {}});

  CHECK(queries(rig) == std::vector<std::string>{"all", "of one", "of two"});
}

TEST_CASE("a namespace that is no DNS label is refused where the query sends it") {
  Rig rig({MetricSpec{.name = "own", .namespaces = {"*"}, .key = "of", .needs_dns_label = true},
           MetricSpec{.name = "shared", .namespaces = {"*"}, .key = "all"}});

  const auto refused = rig.value({"team_a|team_b", "own", {}});
  rig.value({"team-a", "own", {}});
  rig.value({"team_a", "shared", {}});

  CHECK(refused == Value("bad_request: metric team_a|team_b/own: this is not the name of a "
                         "namespace (1 to 63 lower-case letters, digits and -), and the request "
                         "to the backend has it as a parameter or header"));
  CHECK(queries(rig) == std::vector<std::string>{"of", "all"});
}

TEST_CASE("in (a,b) queries both values concurrently, and returns a reading for each") {
  Rig rig({per_queue()});
  rig.script.is_held = true;
  rig.script.replies.insert_or_assign("depth of a", Sample{1, kSampledAt});
  rig.script.replies.insert_or_assign("depth of b", Sample{2, kSampledAt});

  const auto read = rig.begin(of_queues({"a", "b"}));
  settle(*rig.loop);
  const auto under_way = queries(rig);
  rig.script.release.raise();
  const auto readings = test::finish(*rig.loop, read);

  CHECK(under_way == std::vector<std::string>{"depth of a", "depth of b"});
  REQUIRE(readings.has_value());
  REQUIRE(readings->size() == 2);
  CHECK(readings->at(0).labels == Labels{{"queue", "a"}});
  CHECK(readings->at(0).value == 1);
  CHECK(readings->at(1).labels == Labels{{"queue", "b"}});
  CHECK(readings->at(1).value == 2);
}

TEST_CASE("values whose sum wraps in the HPA controller are an error together") {
  Rig rig({per_queue()});
  rig.script.replies.insert_or_assign("depth of a", Sample{9e15, WallTime{}});
  rig.script.replies.insert_or_assign("depth of b", Sample{9e15, WallTime{}});

  CHECK(rig.read(of_queues({"a"})).has_value());
  CHECK(
      shown(rig.read(of_queues({"a", "b"}))) ==
      "out_of_range: metric ml/depth: fake broker: the 2 values add up to 1.8e+16, beyond 9.2e15, "
      "the most an HPA can read; use a larger unit");
  CHECK(rig.events.values.size() == 1);
}

TEST_CASE("one failing value fails the whole read") {
  Rig rig({per_queue()});
  rig.script.replies.insert_or_assign("depth of b",
                                      Error{Errc::unknown_object, "no queue \"b\"", ""});

  const auto readings = rig.read(of_queues({"a", "b", "c"}));

  CHECK(shown(readings) == "unknown_object: metric ml/depth: fake broker: no queue \"b\"");
}

TEST_CASE("an empty response becomes the number of `empty`, with the time of the query") {
  Rig rig({MetricSpec{.policies = {{4}, {}, NegativePolicy::error}}});
  rig.script.replies.insert_or_assign("depth", Error{Errc::no_value, "no series", ""});

  const auto readings = rig.read();

  REQUIRE(readings.has_value());
  CHECK(readings->front().value == 4);
  CHECK(readings->front().taken_at == rig.clock.wall());
}

TEST_CASE("an empty response is cached only where it is a number") {
  Rig rig({MetricSpec{.name = "number", .policies = {{0}, {}, NegativePolicy::error}},
           MetricSpec{.name = "error"}});
  rig.script.replies.insert_or_assign("depth", Error{Errc::no_value, "no series", ""});

  rig.value({"ml", "number", {}});
  rig.clock.advance(2000ms);
  const auto number = rig.value({"ml", "number", {}});
  const auto asked_for_number = rig.script.queries.size();
  const auto error = rig.value({"ml", "error", {}});

  CHECK(number == Value(0.0));
  CHECK(asked_for_number == 1);
  CHECK(error == Value("no_value: metric ml/error: fake broker: no series"));
  CHECK(rig.script.queries.size() == 2);
}

struct Unknown {
  std::string_view name;
  Query query;
  std::string message;
};

TEST_CASE("an unknown metric is an error with similar names") {
  const Unknown rows[] = {
      {"a typing error",
       {"ml", "queue_dept", {}},
       "unknown_metric: metric ml/queue_dept is not configured; did you mean \"queue_depth\"?"},
      {"letter case and dashes",
       {"ml", "Queue-Depth", {}},
       "unknown_metric: metric ml/Queue-Depth is not configured; did you mean \"queue_depth\"?"},
      {"nothing near",
       {"ml", "temperature", {}},
       "unknown_metric: metric ml/temperature is not configured; this namespace has queue_depth, "
       "token_rate"},
      {"the empty name",
       {"ml", "", {}},
       "unknown_metric: metric ml/ is not configured; this namespace has queue_depth, token_rate"},
      {"configured for another namespace",
       {"web", "queue_depth", {}},
       "unknown_metric: metric web/queue_depth is not configured for this namespace; add the "
       "namespace to its namespaces list"},
      {"no namespace",
       {"", "queue_depth", {}},
       "unknown_metric: metric /queue_depth is not configured for this namespace; add the "
       "namespace to its namespaces list"},
      {"near, but another namespace's",
       {"web", "queue_dept", {}},
       "unknown_metric: metric web/queue_dept is not configured; this namespace has token_rates"},
      {"elsewhere, and one near here",
       {"web", "token_rate", {}},
       "unknown_metric: metric web/token_rate is not configured for this namespace; add the "
       "namespace to its namespaces list; did you mean \"token_rates\"?"},
  };
  Rig rig({MetricSpec{.name = "queue_depth"},
           MetricSpec{.name = "token_rate"},
           MetricSpec{.name = "token_rates", .namespaces = {"web"}}});

  for (const Unknown& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto readings = rig.read(row.query);

      CHECK(shown(readings) == row.message);
      CHECK(rig.script.queries.empty());
    }
  }
}

TEST_CASE("an id of another configuration reads the metric of that name") {
  Rig rig({MetricSpec{}, MetricSpec{.name = "other", .key = "other"}});
  rig.script.replies.emplace("other", Sample{3, kSampledAt});

  const auto by_wrong_id = rig.value({"ml", "depth", {}, MetricId{1}});
  const auto by_unknown_id = rig.value({"ml", "other", {}, MetricId{9}});

  CHECK(by_wrong_id == Value(7.0));
  CHECK(by_unknown_id == Value(3.0));
}

TEST_CASE("two metrics in different namespaces may share a name") {
  Rig rig({MetricSpec{.namespaces = {"ml"}, .key = "of ml"},
           MetricSpec{.namespaces = {"api", "web"}, .key = "of web"}});

  rig.value({"web", "depth", {}});
  rig.value({"ml", "depth", {}});
  rig.value({"api", "depth", {}});

  CHECK(queries(rig) == std::vector<std::string>{"of web", "of ml"});
}

TEST_CASE("a selector that binds nothing is rejected before the backend is queried") {
  Rig rig({per_queue()});

  const auto missing = rig.read();
  const auto undeclared = rig.read({"ml", "depth", {{"pod", Operator::equals, {"x"}}}});

  CHECK(shown(missing) ==
        "bad_request: metric ml/depth: label queue has no value; write queue=VALUE in the selector "
        "(its pattern is [a-z]+)");
  CHECK(shown(undeclared) ==
        "bad_request: metric ml/depth: label \"pod\" is not declared; this metric declares queue");
  CHECK(rig.script.queries.empty());
}

}  // namespace
}  // namespace weir::scalers::read
