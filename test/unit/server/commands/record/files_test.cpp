// What `weir record` writes: CSV lines and the page, from a timeline written by hand.
#include "server/commands/record/csv.hpp"
#include "server/commands/record/page.hpp"
#include "server/commands/record/plot.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <string>

namespace weir::server::record {
namespace {

using namespace std::chrono_literals;

const WallTime kNoon = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + 12h;

Sample sample(double at, std::vector<scalers::Reading> readings) {
  const auto span =
      std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(at));
  return {at, kNoon + span, 0.25, std::move(readings), ""};
}

Sample failed(double at, std::string error) {
  Sample out = sample(at, {});
  out.error = std::move(error);
  return out;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

TEST_CASE("each reading is a line, with its age when it arrived") {
  const Sample read =
      sample(5, {{{{"queue", "a"}}, 1500, kNoon + 4s}, {{{"queue", "b"}}, 0.5, kNoon}});

  CHECK(csv_head() ==
        "time,elapsed_seconds,kind,name,labels,value,timestamp,age_seconds,took_ms,"
        "current_replicas,desired_replicas,conditions,error\r\n");
  CHECK(csv_of("ml/depth", read) ==
        "2026-11-22T12:00:05Z,5.000,metric,ml/"
        "depth,queue=a,1500,2026-11-22T12:00:04Z,1.250,250.0,,,,\r\n"
        "2026-11-22T12:00:05Z,5.000,metric,ml/"
        "depth,queue=b,0.5,2026-11-22T12:00:00Z,5.250,250.0,,,,\r\n");
}

TEST_CASE("an error is a line without a value, quoted where it must be") {
  CHECK(csv_of("ml/depth?queue in (a,b)", failed(0, "queue \"a\"\nis gone")) ==
        "2026-11-22T12:00:00Z,0.000,metric,\"ml/depth?queue in (a,b)\",,,,,250.0,,,,"
        "\"queue \"\"a\"\"\nis gone\"\r\n");
}

TEST_CASE("an HPA is a line, and a missing field is empty") {
  const HpaSample known{
      1,
      kNoon,
      0,
      {3, 5, {{"ScalingActive", "True", "ValidMetricFound", "m"}, {"AbleToScale", "True", "", ""}}},
      ""};
  const HpaSample unknown{2, kNoon, 0, {}, "it is gone"};

  CHECK(csv_of("ml/worker", known) ==
        "2026-11-22T12:00:00Z,1.000,hpa,ml/worker,,,,,0.0,3,5,"
        "ScalingActive=True (ValidMetricFound); AbleToScale=True,\r\n");
  CHECK(csv_of("ml/worker", unknown) ==
        "2026-11-22T12:00:00Z,2.000,hpa,ml/worker,,,,,0.0,,,,it is gone\r\n");
}

TEST_CASE("a time in the future is not a negative age") {
  const Sample read = sample(0, {{{}, 1, kNoon + 1h}});

  CHECK(age_of(read, read.readings.front()) == 0);
}

TEST_CASE("a line breaks where there is no value, and never falls to zero there") {
  const Plot plot{"value", 10, {{"x", {{0, 10}, {5, std::nullopt}, {10, 10}}}}, {5}};

  const std::string svg = svg_of(plot);
  CHECK(holds(svg, "d=\"M70.0 10.0h0H470.0M870.0 10.0h0\""));
  CHECK(holds(svg, "<path class=\"error\" d=\"M470.0 185.0v10\"/>"));
  CHECK(holds(svg, "| 1 error<"));
}

TEST_CASE("a line holds its value until the next") {
  const Plot plot{"replicas", 10, {{"current", {{0, 5}, {5, 10}, {10, std::nullopt}}}}, {}};

  CHECK(holds(svg_of(plot), "d=\"M70.0 97.5h0H470.0V10.0H870.0\""));
}

TEST_CASE("the axis spans zero and every value, also below zero and without values") {
  CHECK(holds(svg_of({"v", 1, {{"x", {{0, -3}}}}, {}}), ">-5</text>"));
  CHECK(holds(svg_of({"v", 1, {{"x", {{0, 42}}}}, {}}), ">50</text>"));
  CHECK(holds(svg_of({"v", 1, {}, {}}), ">1</text>"));
  CHECK(nice_ceiling(0) == Approx(1e-9));
  CHECK(nice_ceiling(1) == Approx(1));
  CHECK(nice_ceiling(2.1) == Approx(5));
  CHECK(nice_ceiling(6000) == Approx(10'000));
}

TEST_CASE("the marks of the time axis are round, at most eight") {
  struct Row {
    double seconds;
    double step;
    std::string last;
  };
  const Row rows[] = {{1, 0.2, "1 s"},
                      {16, 2, "16 s"},
                      {26, 5, "25 s"},
                      {119, 15, "105 s"},
                      {480, 60, "8 min"},
                      {3600, 600, "60 min"},
                      {90'000, 14'400, "24 h"},
                      {864'000, 172'800, "240 h"}};

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.seconds) {
      CHECK(time_step(row.seconds) == Approx(row.step));
      CHECK(time_text(std::floor(row.seconds / row.step) * row.step, row.step) == row.last);
    }
  }
  CHECK(holds(svg_of({"v", 26, {}, {}}), ">25 s</text>"));
}

TEST_CASE("failed reads are shaded until the next good one, also in the plot of replicas") {
  HpaState state{2, 4, {}};
  state.least = 1;
  state.most = 9;
  state.metrics = {{"External", "depth", std::nullopt, 5}};
  const Timeline timeline{
      kNoon,
      {{"ml/depth", {sample(0, {{{}, 7, kNoon}}), failed(5, "gone"), sample(10, {{{}, 9, kNoon}})}},
       {"other/depth", {failed(0, "gone"), sample(10, {{{}, 1, kNoon}})}}},
      {{"ml/worker", {{0, kNoon, 0, state, ""}, {10, kNoon, 0, state, ""}}}}};

  const std::string page = page_of(timeline);
  const std::string replicas = page.substr(page.find("HPA ml/worker</h2>"));
  const std::string shade = R"(<rect class="failed" x="470.0" y="10.0" width="400.0")";
  CHECK(holds(page.substr(0, page.find("other/depth")), shade));
  CHECK(holds(replicas, shade));
  CHECK_FALSE(holds(replicas, R"(<rect class="failed" x="70.0")"));
  CHECK(holds(page, "target of HPA ml/worker: 5 x replicas<"));
  CHECK(holds(replicas, "&#9476; min<"));
  CHECK(holds(replicas, "&#9476; max<"));
}

TEST_CASE("the page has a plot of values and a plot of ages for each metric, and fetches nothing") {
  const Timeline timeline{
      kNoon,
      {{"ml/depth", {sample(0, {{{}, 7, kNoon}}), sample(5, {{{}, 9, kNoon}})}}},
      {}};

  const std::string page = page_of(timeline);
  CHECK(holds(page, "<h2>ml/depth</h2>"));
  CHECK(holds(page, "<figcaption>value</figcaption>"));
  CHECK(holds(page, "<figcaption>age in seconds</figcaption>"));
  CHECK(holds(page, R"([{"name":"ml/depth","points":[[0.0," 7"],[5.0," 9"]]}])"));
  CHECK(holds(page, "default-src 'none'"));
  CHECK_FALSE(holds(page, "http://"));
  CHECK_FALSE(holds(page, "https://"));
  CHECK_FALSE(holds(page, "src="));
}

TEST_CASE("the text of a name or an error cannot become markup of the page") {
  const std::string evil = "</script><img src=x onerror=alert(1)>";
  const Timeline timeline{kNoon, {{evil, {failed(0, evil)}}}, {{evil, {{0, kNoon, 0, {}, evil}}}}};

  const std::string page = page_of(timeline);
  CHECK_FALSE(holds(page, "<img"));
  CHECK(holds(page, "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"));
  CHECK(holds(page, "\\u003c/script>"));
}

TEST_CASE("the page shows when an error began and ended; without values there is no age") {
  const Timeline timeline{
      kNoon,
      {{"ml/depth", {failed(0, "no queue"), failed(5, "no queue"), sample(10, {{{}, 1, kNoon}})}}},
      {}};

  const std::string page = page_of(timeline);
  CHECK_FALSE(
      holds(page_of({kNoon, {{"ml/depth", {failed(0, "no queue")}}}, {}}), "age in seconds"));
  CHECK(holds(page,
              "<tr><td>0.0 s</td><td>2026-11-22T12:00:00Z</td><td>no queue</td></tr>\n"
              "<tr><td>10.0 s</td><td>2026-11-22T12:00:10Z</td><td>recovered</td></tr>"));
}

TEST_CASE("the page shows replicas, and why an HPA does not scale") {
  const HpaState state{
      2,
      4,
      {{"ScalingActive", "False", "FailedGetExternalMetric", "queue jobs does not exist"}}};
  const Timeline timeline{kNoon,
                          {},
                          {{"ml/worker", {{0, kNoon, 0, state, ""}, {5, kNoon, 0, {}, "gone"}}}}};

  const std::string page = page_of(timeline);
  CHECK(holds(page, "<h2>HPA ml/worker</h2>"));
  CHECK(holds(page, "ScalingActive=False (FailedGetExternalMetric): queue jobs does not exist"));
  CHECK(holds(page, R"([0.0,"2 replicas, 4 desired"],[5.0,"gone"])"));
}

}  // namespace
}  // namespace weir::server::record
