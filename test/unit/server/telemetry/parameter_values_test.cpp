// The last values of metrics with parameters: their labels, their bound, and when they leave.
#include "server/telemetry/telemetry.hpp"
#include "test/rigs/server_telemetry.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

using namespace std::chrono_literals;
using scalers::MetricInfo;
using scalers::ReadOf;
using Texts = std::vector<std::string>;

constexpr WallTime kNow = WallTime{} + 10'000s;
const MetricInfo kPerQueue{"per_queue", {"a", "b"}, {{"queue", false}}, "broker", false};

ReadOf read(std::string_view name_space, std::string_view metric = "per_queue") {
  return {scalers::MetricId{}, nullptr, "broker", metric, name_space};
}

Texts lines(test::ServerTelemetry& telemetry, std::string_view prefix, WallTime now = kNow) {
  return telemetry.lines(prefix, {now, std::nullopt, std::nullopt, {}});
}

TEST_CASE("each parameter set in use has its last value and age, labelled with the parameters") {
  test::ServerTelemetry telemetry;
  telemetry.configure({kPerQueue});

  telemetry.value_reported(read("a"), {{{"queue", "mail"}}, 1, kNow - 9s});
  telemetry.value_reported(read("a"), {{{"queue", "mail"}}, 2, kNow - 3s});
  telemetry.value_reported(read("b"), {{{"queue", "a\"b"}}, 5, kNow});

  CHECK(lines(telemetry, "weir_value{") ==
        Texts{R"(weir_value{label_queue="a\"b",metric="per_queue",namespace="b"} 5)",
              R"(weir_value{label_queue="mail",metric="per_queue",namespace="a"} 2)"});
  CHECK(lines(telemetry, "weir_value_age_seconds{") ==
        Texts{R"(weir_value_age_seconds{label_queue="a\"b",metric="per_queue",namespace="b"} 0)",
              R"(weir_value_age_seconds{label_queue="mail",metric="per_queue",namespace="a"} 3)"});
  CHECK(lines(telemetry, "weir_metric_active{").empty());
}

TEST_CASE("labels that Prometheus would spell alike stay apart") {
  test::ServerTelemetry telemetry;
  telemetry.configure({{"m", {"a"}, {{"x.y/z", false}, {"x_y_z", false}}, "broker", false}});

  telemetry.value_reported(read("a", "m"), {{{"x.y/z", "1"}, {"x_y_z", "2"}}, 7, kNow});

  CHECK(
      lines(telemetry, "weir_value{") ==
      Texts{R"(weir_value{label_x_y_z="1",label_x_y_z_conflict1="2",metric="m",namespace="a"} 7)"});
}

TEST_CASE("a metric of every namespace has one value for all, unless it differs by namespace") {
  test::ServerTelemetry telemetry;
  telemetry.configure(
      {{"m", {"*"}, {{"queue", false}}, "broker", false}, {"own", {"*"}, {}, "broker", true}});

  for (const std::string_view name_space : {"a", "b"}) {
    telemetry.value_reported(read(name_space, "m"), {{{"queue", "mail"}}, 1, kNow});
    telemetry.value_reported(read(name_space, "own"), {{}, 2, kNow});
  }

  CHECK(lines(telemetry, "weir_value{") ==
        Texts{R"(weir_value{label_queue="mail",metric="m",namespace="*"} 1)",
              R"(weir_value{metric="own",namespace="a"} 2)",
              R"(weir_value{metric="own",namespace="b"} 2)"});
}

TEST_CASE("sets are bounded, and those in use stay: a namespace with too many shows its first") {
  test::ServerTelemetry telemetry({.max_parameter_sets = 10});
  telemetry.configure({kPerQueue});
  telemetry.value_reported(read("b"), {{{"queue", "q"}}, 1, kNow});

  for (int i = 0; i < 1000; ++i)
    telemetry.value_reported(read("a"), {{{"queue", std::to_string(i)}}, 1, kNow});

  CHECK(lines(telemetry, "weir_value{") ==
        Texts{R"(weir_value{label_queue="0",metric="per_queue",namespace="a"} 1)",
              R"(weir_value{label_queue="1",metric="per_queue",namespace="a"} 1)",
              R"(weir_value{label_queue="q",metric="per_queue",namespace="b"} 1)"});
}

TEST_CASE("a new set replaces one that no read has reported for two minutes") {
  test::ServerTelemetry telemetry({.max_parameter_sets = 10});
  telemetry.configure({kPerQueue});
  const auto report = [&](const std::string& queue) {
    telemetry.value_reported(read("a"), {{{"queue", queue}}, 1, kNow});
  };
  report("old");
  report("used");
  REQUIRE(lines(telemetry, "weir_value{", kNow).size() == 2);
  report("used");
  REQUIRE(lines(telemetry, "weir_value{", kNow + 119s).size() == 2);

  report("new");
  const auto before = lines(telemetry, "weir_value{", kNow + 120s);
  report("new");
  const auto after = lines(telemetry, "weir_value{", kNow + 121s);

  CHECK(before == Texts{R"(weir_value{label_queue="old",metric="per_queue",namespace="a"} 1)",
                        R"(weir_value{label_queue="used",metric="per_queue",namespace="a"} 1)"});
  CHECK(after == Texts{R"(weir_value{label_queue="new",metric="per_queue",namespace="a"} 1)",
                       R"(weir_value{label_queue="used",metric="per_queue",namespace="a"} 1)"});
}

TEST_CASE("of all sets in use none is replaced, also not by another namespace") {
  test::ServerTelemetry telemetry({.max_parameter_sets = 5});
  telemetry.configure({{"m", {"*"}, {}, "broker", true}});

  for (const std::string_view name_space : {"a", "b", "c", "d", "e", "f"})
    telemetry.value_reported(read(name_space, "m"), {{}, 1, kNow});

  CHECK(lines(telemetry, "weir_value{").size() == 5);
  CHECK(lines(telemetry, R"(weir_value{metric="m",namespace="f")").empty());
}

TEST_CASE("without capacity there are no parameter sets") {
  test::ServerTelemetry telemetry({.max_parameter_sets = 0});
  telemetry.configure({kPerQueue});

  telemetry.value_reported(read("a"), {{{"queue", "mail"}}, 1, kNow});

  CHECK(lines(telemetry, "weir_value{").empty());
}

TEST_CASE("a set is dropped an hour after its last read, or with its metric") {
  test::ServerTelemetry telemetry;
  telemetry.configure({kPerQueue, {"other", {"a"}, {{"queue", false}}, "broker", false}});
  const auto report = [&](std::string_view metric) {
    telemetry.value_reported(read("a", metric), {{{"queue", "mail"}}, 1, kNow});
  };
  report("per_queue");
  report("other");
  REQUIRE(lines(telemetry, "weir_value{", kNow).size() == 2);

  report("per_queue");  // a fallback may hold a value of any age
  CHECK(lines(telemetry, "weir_value{", kNow + 59min).size() == 2);
  CHECK(lines(telemetry, "weir_value{", kNow + 60min) ==
        Texts{R"(weir_value{label_queue="mail",metric="per_queue",namespace="a"} 1)"});
  telemetry.configure({});
  CHECK(lines(telemetry, "weir_value{", kNow + 61min).empty());
}

TEST_CASE("a set whose labels a reload changes is dropped, so that no series is duplicated") {
  test::ServerTelemetry telemetry;
  telemetry.configure(
      {{"own", {"*"}, {}, "broker", true}, {"m", {"*"}, {{"queue", false}}, "broker", false}});
  telemetry.value_reported(read("ml", "own"), {{}, 1, kNow});
  telemetry.value_reported(read("ml", "m"), {{{"queue", "mail"}}, 1, kNow});

  telemetry.configure(
      {{"own", {"ml"}, {}, "broker", true}, {"m", {"ml"}, {{"queue", false}}, "broker", false}});
  telemetry.value_reported(read("ml", "own"), {{}, 2, kNow});
  telemetry.value_reported(read("ml", "m"), {{{"queue", "mail"}}, 2, kNow});

  CHECK(lines(telemetry, "weir_value{") ==
        Texts{R"(weir_value{metric="own",namespace="ml"} 2)",
              R"(weir_value{label_queue="mail",metric="m",namespace="ml"} 2)"});
}

TEST_CASE("a filtered metric's value without labels is dropped like a set") {
  test::ServerTelemetry telemetry;
  telemetry.configure({{"m", {"a"}, {}, "broker", false, true}});
  telemetry.value_reported(read("a", "m"), {{}, 0, kNow});

  REQUIRE(lines(telemetry, "weir_value{") == Texts{R"(weir_value{metric="m",namespace="a"} 0)"});
  CHECK(lines(telemetry, "weir_value{", kNow + 60min).empty());
}

TEST_CASE("a set whose label names a reload changes is dropped at once") {
  test::ServerTelemetry telemetry;
  telemetry.configure({kPerQueue});
  telemetry.value_reported(read("a"), {{{"queue", "mail"}}, 1, kNow});

  telemetry.configure({{"per_queue", {"a", "b"}, {{"queue_name", false}}, "broker", false}});

  CHECK(lines(telemetry, "weir_value{").empty());
}

TEST_CASE("a set stays over a reload that moves its metric or splits its namespaces") {
  test::ServerTelemetry telemetry;
  telemetry.configure({kPerQueue});
  telemetry.value_reported(read("a"), {{{"queue", "mail"}}, 1, kNow});
  telemetry.value_reported(read("b"), {{{"queue", "mail"}}, 2, kNow});

  telemetry.configure({{"first", {"a"}, {{"queue", false}}, "broker", false},
                       {"per_queue", {"b"}, {{"queue", false}}, "broker", false},
                       {"per_queue", {"a"}, {{"queue", false}}, "broker", false}});
  telemetry.value_reported(read("a"), {{{"queue", "mail"}}, 3, kNow});
  telemetry.value_reported(read("a", "first"), {{{"queue", "mail"}}, 4, kNow});

  CHECK(lines(telemetry, "weir_value{") ==
        Texts{R"(weir_value{label_queue="mail",metric="first",namespace="a"} 4)",
              R"(weir_value{label_queue="mail",metric="per_queue",namespace="a"} 3)",
              R"(weir_value{label_queue="mail",metric="per_queue",namespace="b"} 2)"});
}

}  // namespace
}  // namespace weir::server
