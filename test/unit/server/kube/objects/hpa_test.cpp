#include "server/kube/objects/hpa.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {
namespace {

using test::shown;

std::string hpa(std::string_view target, std::string_view more = "") {
  return R"({"kind":"HorizontalPodAutoscaler","spec":{"minReplicas":2,"maxReplicas":9,)" +
         std::string(more) +
         R"("metrics":[{"type":"Resource"},{"external":{"metric":{"name":"other"}}},)"
         R"({"type":"External","external":{"metric":{"name":"depth"},"target":)" +
         std::string(target) + R"(}}]},"status":{"currentReplicas":3}})";
}

TEST_CASE("the target of an external metric is found") {
  const auto average = parse_hpa(hpa(R"({"type":"AverageValue","averageValue":"500m"})"), "depth");
  const auto value = parse_hpa(
      hpa(R"({"type":"Value","value":"20"})",
          R"("behavior":{"scaleUp":{"tolerance":"0"},"scaleDown":{"tolerance":"200m"}},)"),
      "depth");

  REQUIRE(average.has_value());
  CHECK(average->is_average);
  CHECK(average->target == Approx(0.5));
  CHECK(average->quantity == "500m");
  CHECK(average->current_replicas == 3);
  CHECK(average->min_replicas == 2);
  CHECK(average->max_replicas == 9);
  CHECK(average->up_tolerance == kDefaultTolerance);
  REQUIRE(value.has_value());
  CHECK_FALSE(value->is_average);
  CHECK(value->up_tolerance == 0);
  CHECK(value->down_tolerance == Approx(0.2));
}

TEST_CASE("a selector is written as the HPA controller sends it") {
  CHECK(selector_text("null").empty());
  CHECK(selector_text("{}").empty());
  CHECK(selector_text(R"({"matchLabels":{"queue":"ml.embed","a":"b"}})") == "a=b,queue=ml.embed");
  CHECK(
      selector_text(R"({"matchLabels":{"m":"1"},"matchExpressions":[)"
                    R"({"key":"z","operator":"In","values":["y","x","y"]},)"
                    R"({"key":"k","operator":"NotIn","values":["v"]},)"
                    R"({"key":"e","operator":"Exists"},{"key":"d","operator":"DoesNotExist"}]})") ==
      "!d,e,k notin (v),m=1,z in (x,y)");
}

// Field report 11: the kube-apiserver stores such selectors, and the HPA controller refuses them.
TEST_CASE("labels of a selector that no label can have are named") {
  const std::string rule =
      "at most 63 letters, digits, -, _ and ., with a letter or digit at both ends";

  const auto found = bad_labels(
      R"({"matchLabels":{"a":"","b":"team/a","c":"x","que ue":"topic+sub"},"matchExpressions":[)"
      R"({"key":"d","operator":"NotIn","values":["ok","-x"]},{"key":"/e","operator":"Exists"}]})");

  CHECK(found == std::vector<BadLabel>{{"b", "team/a"},
                                       {"que ue", std::nullopt},
                                       {"que ue", "topic+sub"},
                                       {"d", "-x"},
                                       {"/e", std::nullopt}});
  CHECK(bad_labels("null").empty());
  CHECK(bad_labels(R"({"matchLabels":{"x.io/queue":"ml.embed"}})").empty());
  CHECK(text_of(BadLabel{"b", "team/a"}) ==
        "no label can have the value \"team/a\" of b (a value has " + rule + ")");
  CHECK(text_of(BadLabel{"que ue", std::nullopt}) ==
        "no label can have the key \"que ue\" (a key has " + rule +
            ", after an optional DNS name and /)");
}

TEST_CASE("an object that is not an HPA with that metric is an error that says so") {
  CHECK(shown(parse_hpa("{", "depth")) ==
        "bad_reply: the response is not a HorizontalPodAutoscaler with metrics");
  CHECK(shown(parse_hpa(R"({"kind":"Status"})", "depth")) ==
        "bad_reply: the response is not a HorizontalPodAutoscaler with metrics");
  CHECK(shown(parse_hpa(hpa("{}"), "length")) ==
        "unknown_object: the HPA has no external metric \"length\"");
  CHECK(shown(parse_hpa(hpa(R"({"type":"Value","value":"many"})"), "depth")) ==
        "bad_reply: the target \"many\" of that metric is not a quantity above 0");
  CHECK(shown(parse_hpa(hpa(R"({"type":"Value","value":"0"})"), "depth")) ==
        "bad_reply: the target \"0\" of that metric is not a quantity above 0");
}

TEST_CASE("the formula is that of the HPA controller") {
  struct Row {
    std::string_view name;
    bool is_average;
    double target;
    std::int64_t current;
    double value;
    std::int64_t wanted;
    std::int64_t bounded;
  };
  const Row rows[] = {
      {"average: a share each", true, 10, 3, 61, 7, 7},
      {"average: the current replicas do not matter", true, 10, 6, 51, 6, 6},
      {"average: within the tolerance above", true, 10, 3, 33, 3, 3},
      {"average: above the tolerance", true, 10, 3, 33.1, 4, 4},
      {"average: within the tolerance below", true, 10, 3, 27, 3, 3},
      {"average: below the tolerance", true, 10, 5, 44, 5, 5},
      {"average: nothing", true, 10, 3, 0, 0, 2},
      {"average: too much", true, 10, 3, 1000, 100, 9},
      {"average: from zero", true, 10, 0, 1, 1, 2},
      {"value: a ratio of the replicas", false, 10, 3, 20, 6, 6},
      {"value: rounded up", false, 10, 3, 12, 4, 4},
      {"value: within the tolerance", false, 10, 3, 10.9, 3, 3},
      {"value: from zero", false, 10, 0, 25, 3, 3},
      {"average: a negative value counts as an overflow", true, 10, 3, -5, 2'147'483'647, 9},
      {"value: a negative value wants none", false, 10, 3, -5, 0, 2},
      {"more than an int32 holds", true, 1e-9, 3, 9e15, 2'147'483'647, 9},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const HpaMetric metric{row.is_average, row.target, "", "", row.current, 2, 9, 0.1, 0.1};

      const ImpliedReplicas implied = implied_replicas(metric, row.value);

      CHECK(implied.wanted == row.wanted);
      CHECK(implied.bounded == row.bounded);
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
