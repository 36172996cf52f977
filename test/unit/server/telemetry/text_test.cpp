#include "server/telemetry/text.hpp"

#include <catch2/catch.hpp>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <string>
#include <string_view>

namespace weir::server {
namespace {

constexpr SeriesFamily kDepth{"depth", "How deep it is.", "gauge"};

std::string text_of(std::string_view metric, double value) {
  std::string out;
  FamilyText(out, kDepth).add({{"metric", metric}, {"namespace", "ml"}}, value);
  return out;
}

// What prometheus-cpp makes of the same.
std::string serialized(std::string_view metric, double value) {
  prometheus::ClientMetric series;
  series.label = {{"metric", std::string(metric)}, {"namespace", "ml"}};
  series.gauge.value = value;
  const prometheus::MetricFamily family{std::string(kDepth.name),
                                        std::string(kDepth.help),
                                        prometheus::MetricType::Gauge,
                                        {series}};
  return prometheus::TextSerializer().Serialize({family});
}

TEST_CASE("a series is written as prometheus-cpp writes it") {
  struct Row {
    std::string_view name;
    std::string_view metric;
    double value;
  };
  const Row rows[] = {
      {"zero", "depth", 0},
      {"below zero", "depth", -3},
      {"minus zero", "depth", -0.0},
      {"a fraction", "depth", 2.5},
      {"more digits than are shown", "depth", 0.1 + 0.2},
      {"a third", "depth", 1.0 / 3},
      {"seconds since 1970", "depth", 1795339587.205841},
      {"fifteen digits", "depth", 999999999999999},
      {"sixteen digits", "depth", 9007199254740992},
      {"seventeen digits", "depth", 12345678901234568.0},
      {"the first with an exponent", "depth", 1e16},
      {"the greatest", "depth", std::numeric_limits<double>::max()},
      {"the least with all digits", "depth", -std::numeric_limits<double>::min()},
      {"the least", "depth", std::numeric_limits<double>::denorm_min()},
      {"small without an exponent", "depth", 0.0001},
      {"small with an exponent", "depth", 0.00001},
      {"an empty label", "", 1},
      {"a quote", R"(a"b)", 1},
      {"a backslash", R"(a\b)", 1},
      {"a line's end", "a\nb", 1},
      {"one behind the other", "\"\"\\\n", 1},
      {"beyond ASCII", "tiefe-\xc3\xbc", 1},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(text_of(row.metric, row.value) == serialized(row.metric, row.value));
    }
  }
}

TEST_CASE("a family's head is written once, before its first series") {
  std::string out;
  FamilyText family(out, kDepth);
  REQUIRE(out.empty());

  family.add({{"metric", "a"}}, 1);
  family.add({{"metric", "b"}}, 2);

  CHECK(out ==
        "# HELP depth How deep it is.\n"
        "# TYPE depth gauge\n"
        "depth{metric=\"a\"} 1\n"
        "depth{metric=\"b\"} 2\n");
}

}  // namespace
}  // namespace weir::server
