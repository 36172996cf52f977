#include "server/telemetry/telemetry.hpp"

#include "test/rigs/server_telemetry.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

using namespace std::chrono_literals;
using scalers::Errc;
using scalers::MetricInfo;
using scalers::ReadOf;
using scalers::Reuse;
using test::ServerTelemetry;
using Texts = std::vector<std::string>;

constexpr WallTime kNow = WallTime{} + 1000s;

std::vector<MetricInfo> configured() {
  return {{"depth", {"ml"}, {}, "broker", false},
          {"per_queue", {"ml"}, {{"queue", false}}, "broker", false},
          {"everywhere", {"*"}, {}, "prom", false},
          {"own", {"*"}, {}, "prom", true}};
}

apiservice::Request request(std::string path, std::string method = "GET") {
  apiservice::Request out;
  out.method = std::move(method);
  out.path = std::move(path);
  return out;
}

// A read of another configuration than that in force: the counts find it by its names.
ReadOf read(std::string_view backend, std::string_view metric, std::string_view name_space) {
  return {scalers::MetricId{}, nullptr, backend, metric, name_space};
}

std::string metric_path(const std::string& metric) {
  return "/apis/external.metrics.k8s.io/v1beta1/namespaces/ml/" + metric;
}

Texts lines(ServerTelemetry& telemetry,
            std::string_view prefix,
            std::optional<Telemetry::Config> config = {}) {
  Texts out = telemetry.lines(prefix, {kNow, config, std::nullopt, {}});
  std::ranges::sort(out);
  return out;
}

TEST_CASE("a request is counted under Kubernetes' labels") {
  struct Row {
    std::string_view name;
    apiservice::Request asked;
    std::string labels;
  };
  const std::string group = R"(group="external.metrics.k8s.io",)";
  const auto line = [](const std::string& group_text,
                       const std::string& resource,
                       const std::string& scope,
                       const std::string& subresource,
                       const std::string& verb,
                       const std::string& version) {
    return R"(apiserver_request_total{code="200",component="apiserver",dry_run="",)" + group_text +
           "resource=\"" + resource + "\",scope=\"" + scope + "\",subresource=\"" + subresource +
           "\",verb=\"" + verb + "\",version=\"" + version + "\"} 1";
  };
  const std::string none = R"(group="",)";
  const Row rows[] = {
      {"a metric",
       request(metric_path("depth")),
       line(group, "depth", "namespace", "", "LIST", "v1beta1")},
      {"a metric that is not configured",
       request(metric_path("nope")),
       line(group, "", "namespace", "", "LIST", "v1beta1")},
      {"another resource",
       request("/apis/external.metrics.k8s.io/v1beta1/x"),
       line(group, "", "", "", "GET", "v1beta1")},
      {"health", request("/readyz/ping"), line(none, "", "", "/readyz", "GET", "")},
      {"nowhere", request("/depth"), line(none, "", "", "", "GET", "")},
      {"a verb of its own", request("/depth", "DEPTH"), line(none, "", "", "", "other", "")},
      {"deleting a metric",
       request(metric_path("depth"), "DELETE"),
       line(group, "depth", "namespace", "", "DELETECOLLECTION", "v1beta1")},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ServerTelemetry telemetry;
      telemetry.configure(configured());

      telemetry.count(row.asked, 200, 3ms);

      CHECK(lines(telemetry, "apiserver_request_total") == Texts{row.labels});
    }
  }
}

TEST_CASE("reads and explanations of a metric are counted apart") {
  ServerTelemetry telemetry;
  telemetry.configure(configured());

  for (const std::string& path : {metric_path("depth"), metric_path("depth") + "/explain"}) {
    telemetry.count(request(path, "POST"), 405, 1ms);
    telemetry.count(request(path), 200, 1ms);
  }

  const auto counted = [&](const std::string& subresource, const std::string& verb) {
    return std::ranges::count_if(lines(telemetry, "apiserver_request_total{"),
                                 [&](const auto& one) {
                                   return one.find("subresource=\"" + subresource + "\",verb=\"" +
                                                   verb + "\"") != one.npos &&
                                          one.ends_with("} 1");
                                 });
  };
  CHECK(counted("", "LIST") == 1);
  CHECK(counted("explain", "GET") == 1);
  CHECK(counted("", "POST") == 1);
  CHECK(counted("explain", "POST") == 1);
}

TEST_CASE("names that are not configured make no series, however many are read") {
  ServerTelemetry telemetry;
  telemetry.configure(configured());

  for (int i = 0; i < 100; ++i) {
    telemetry.count(request(metric_path("x" + std::to_string(i))), 404, 1ms);
    telemetry.query_done(read("x" + std::to_string(i), "depth", "ml"), {}, 1ms);
    telemetry.answer_reused(read("broker", "x" + std::to_string(i), "ml"), Reuse::cached);
    telemetry.value_reported(read("prom", "own", "x" + std::to_string(i)), {{}, 1, kNow});
    telemetry.value_reported(read("prom", "everywhere", "x" + std::to_string(i)), {{}, 1, kNow});
  }

  CHECK(lines(telemetry, "apiserver_request_total").size() == 1);
  CHECK(lines(telemetry, "apiserver_request_total").front().ends_with("} 100"));
  CHECK(lines(telemetry, "weir_queries_total").empty());
  CHECK(lines(telemetry, R"(weir_value{metric="everywhere")") ==
        Texts{R"(weir_value{metric="everywhere",namespace="*"} 1)"});
}

TEST_CASE("a duration falls into Kubernetes' buckets") {
  ServerTelemetry telemetry;

  telemetry.count(request("/version"), 200, 30ms);
  const auto buckets = lines(telemetry, "apiserver_request_duration_seconds_bucket");

  CHECK(buckets.size() == 24);
  CHECK(std::ranges::count_if(buckets, [](const auto& one) { return one.ends_with(" 0"); }) == 2);
}

TEST_CASE("reads are counted by namespace and outcome") {
  ServerTelemetry telemetry;
  telemetry.configure(configured());
  const ReadOf depth = read("broker", "depth", "ml");

  telemetry.query_done(depth, {}, 4ms);
  telemetry.query_done(depth, Errc::no_value, 4ms);
  telemetry.query_done(depth, Errc::overloaded, 0ms);
  telemetry.answer_reused(depth, Reuse::cached);
  telemetry.answer_reused(depth, Reuse::cached);
  telemetry.answer_reused(depth, Reuse::shared);

  const std::string name =
      R"(weir_queries_total{backend="broker",metric="depth",namespace="ml",outcome=")";
  CHECK(lines(telemetry, "weir_queries_total") == Texts{name + "cached\"} 2",
                                                        name + "no_value\"} 1",
                                                        name + "ok\"} 1",
                                                        name + "overloaded\"} 1",
                                                        name + "shared\"} 1"});
  CHECK(lines(telemetry, R"(weir_query_duration_seconds_count{backend="broker")") ==
        Texts{R"(weir_query_duration_seconds_count{backend="broker"} 2)"});
}

TEST_CASE("a value has its age, and whether it is above zero") {
  ServerTelemetry telemetry;
  telemetry.configure(configured());

  telemetry.value_reported(read("broker", "depth", "ml"), {{}, 2.5, kNow - 3s});

  const std::string labels = R"({metric="depth",namespace="ml"} )";
  CHECK(lines(telemetry, "weir_value{") == Texts{"weir_value" + labels + "2.5"});
  CHECK(lines(telemetry, "weir_value_age_seconds{") ==
        Texts{"weir_value_age_seconds" + labels + "3"});
  CHECK(lines(telemetry, "weir_metric_active{") == Texts{"weir_metric_active" + labels + "1"});
}

TEST_CASE("a reload removes the series of removed metrics, and the others continue") {
  ServerTelemetry telemetry;
  telemetry.configure(configured());
  const auto read_all = [&telemetry] {
    telemetry.count(request(metric_path("depth")), 200, 1ms);
    telemetry.count(request(metric_path("everywhere")), 200, 1ms);
    telemetry.query_done(read("broker", "depth", "ml"), {}, 1ms);
    telemetry.query_done(read("prom", "everywhere", "ml"), {}, 1ms);
    telemetry.value_changed(read("broker", "depth", "ml"), "clamp");
    telemetry.value_changed(read("prom", "everywhere", "ml"), "nan");
    telemetry.value_reported(read("broker", "depth", "ml"), {{}, 1, kNow});
  };
  read_all();

  telemetry.configure({{"everywhere", {"*"}, {}, "prom", false}});
  read_all();

  CHECK(lines(telemetry, "weir_value{").empty());
  CHECK(
      lines(telemetry, "weir_queries_total") ==
      Texts{
          R"(weir_queries_total{backend="prom",metric="everywhere",namespace="*",outcome="ok"} 2)"});
  CHECK(
      lines(telemetry, "weir_policy_changes_total") ==
      Texts{
          R"(weir_policy_changes_total{backend="prom",metric="everywhere",namespace="*",policy="nan"} 2)"});
  CHECK(lines(telemetry, R"(weir_query_duration_seconds_count{backend="broker")").empty());
  const auto requests = lines(telemetry, "apiserver_request_total");
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].find(R"(resource="",)") != std::string::npos);
  CHECK(requests[1].ends_with("} 2"));
}

TEST_CASE("counts stay with their metric when a reload adds metrics") {
  ServerTelemetry telemetry;
  const MetricInfo depth{"depth", {"a", "b"}, {}, "broker", false};
  telemetry.configure({depth});
  telemetry.count(request(metric_path("depth")), 200, 1ms);
  telemetry.query_done(read("broker", "depth", "b"), {}, 1ms);
  telemetry.value_changed(read("broker", "depth", "b"), "clamp");
  telemetry.fallback_used(read("broker", "depth", "b"));
  telemetry.value_reported(read("broker", "depth", "b"), {{}, 7, kNow});
  telemetry.value_reported(read("broker", "depth", "a"), {{}, 5, kNow});

  telemetry.configure({{"lag", {"a"}, {}, "broker", false},
                       {"depth", {"c"}, {}, "another", false},
                       depth,
                       {"age", {"b"}, {}, "a_third", false}});

  CHECK(lines(telemetry, "apiserver_request_total{").size() == 1);
  CHECK(lines(telemetry, "apiserver_request_total{").front().find(R"(resource="depth")") !=
        std::string::npos);
  CHECK(
      lines(telemetry, "weir_queries_total{") ==
      Texts{R"(weir_queries_total{backend="broker",metric="depth",namespace="b",outcome="ok"} 1)"});
  CHECK(
      lines(telemetry, "weir_policy_changes_total{") ==
      Texts{
          R"(weir_policy_changes_total{backend="broker",metric="depth",namespace="b",policy="clamp"} 1)"});
  CHECK(lines(telemetry, "weir_fallback_total{") ==
        Texts{R"(weir_fallback_total{backend="broker",metric="depth",namespace="b"} 1)"});
  CHECK(lines(telemetry, "weir_value{") == Texts{R"(weir_value{metric="depth",namespace="a"} 5)",
                                                 R"(weir_value{metric="depth",namespace="b"} 7)"});
}

TEST_CASE("a metric that moves to another backend starts again from zero") {
  ServerTelemetry telemetry;
  telemetry.configure({{"depth", {"ml"}, {}, "broker", false}});
  telemetry.query_done(read("broker", "depth", "ml"), {}, 1ms);
  telemetry.value_reported(read("broker", "depth", "ml"), {{}, 7, kNow});

  telemetry.configure({{"depth", {"ml"}, {}, "another", false}});
  telemetry.query_done(read("broker", "depth", "ml"), {}, 1ms);  // begun before the reload
  telemetry.query_done(read("another", "depth", "ml"), {}, 1ms);

  CHECK(
      lines(telemetry, "weir_queries_total{") ==
      Texts{
          R"(weir_queries_total{backend="another",metric="depth",namespace="ml",outcome="ok"} 1)"});
  CHECK(lines(telemetry, "weir_value{").empty());
}

TEST_CASE("metrics of one name for other namespaces are counted apart") {
  ServerTelemetry telemetry;
  const MetricInfo first{"depth", {"a"}, {}, "broker", false};
  const MetricInfo second{"depth", {"b"}, {}, "broker", false};
  telemetry.configure({first, second});
  telemetry.query_done(read("broker", "depth", "a"), {}, 1ms);
  telemetry.query_done(read("broker", "depth", "b"), {}, 1ms);

  telemetry.configure({second});
  telemetry.query_done(read("broker", "depth", "b"), {}, 1ms);

  CHECK(
      lines(telemetry, "weir_queries_total") ==
      Texts{R"(weir_queries_total{backend="broker",metric="depth",namespace="b",outcome="ok"} 2)"});
}

TEST_CASE("the counts of a namespace stay when it moves to another entry of the same name") {
  ServerTelemetry telemetry;
  telemetry.configure({{"depth", {"a", "b"}, {}, "broker", false}});
  telemetry.query_done(read("broker", "depth", "a"), {}, 1ms);
  telemetry.query_done(read("broker", "depth", "b"), {}, 1ms);
  telemetry.value_reported(read("broker", "depth", "b"), {{}, 7, kNow});

  telemetry.configure(
      {{"depth", {"a"}, {}, "broker", false}, {"depth", {"b"}, {}, "broker", false}});
  telemetry.query_done(read("broker", "depth", "b"), {}, 1ms);

  const std::string name = R"(weir_queries_total{backend="broker",metric="depth",namespace=")";
  CHECK(lines(telemetry, "weir_queries_total") ==
        Texts{name + R"(a",outcome="ok"} 1)", name + R"(b",outcome="ok"} 2)"});
  CHECK(lines(telemetry, "weir_value{") == Texts{R"(weir_value{metric="depth",namespace="b"} 7)"});
}

TEST_CASE("requests in flight are a gauge by kind") {
  ServerTelemetry telemetry;

  telemetry.request_began(Verb::list);
  telemetry.request_began(Verb::remove);
  telemetry.request_began(Verb::options);
  telemetry.request_began(Verb::other);
  telemetry.request_began(Verb::get);
  telemetry.request_ended(Verb::get);

  const std::string name = "apiserver_current_inflight_requests{request_kind=\"";
  CHECK(lines(telemetry, "apiserver_current_inflight_requests{") ==
        Texts{name + "mutating\"} 3", name + "readOnly\"} 1"});
}

TEST_CASE("the configuration's state is unchanged while it is unknown") {
  ServerTelemetry telemetry;

  CHECK(lines(telemetry, "weir_config_last_reload_successful ", {{true, kNow}}) ==
        Texts{"weir_config_last_reload_successful 1"});
  CHECK(lines(telemetry, "weir_config_last_reload_successful ", {{false, kNow}}) ==
        Texts{"weir_config_last_reload_successful 0"});
  CHECK(lines(telemetry, "weir_config_last_reload_successful ") ==
        Texts{"weir_config_last_reload_successful 0"});
  CHECK(lines(telemetry, "weir_config_last_reload_success_timestamp_seconds ") ==
        Texts{"weir_config_last_reload_success_timestamp_seconds 1000"});
}

TEST_CASE("the process' own numbers and the build are there") {
  ServerTelemetry telemetry;

  CHECK(lines(telemetry, "weir_build_info{") ==
        Texts{R"(weir_build_info{version=")" WEIR_VERSION "\"} 1"});
  for (const std::string_view name : {"process_resident_memory_bytes ",
                                      "process_virtual_memory_bytes ",
                                      "process_open_fds ",
                                      "process_max_fds ",
                                      "process_threads ",
                                      "process_start_time_seconds "}) {
    DYNAMIC_SECTION(name) {
      const auto found = lines(telemetry, name);
      REQUIRE(found.size() == 1);
      CHECK(std::stod(found.front().substr(name.size())) > 0);
    }
  }
  CHECK(lines(telemetry, "process_cpu_seconds_total ").size() == 1);
}

TEST_CASE("the loop's lag is a histogram") {
  ServerTelemetry telemetry;

  telemetry.loop_was_late(2ms);

  CHECK(lines(telemetry, "weir_event_loop_lag_seconds_count") ==
        Texts{"weir_event_loop_lag_seconds_count 1"});
  CHECK(lines(telemetry, R"(weir_event_loop_lag_seconds_bucket{le="0.001"})")
            .front()
            .ends_with(" 0"));
}

}  // namespace
}  // namespace weir::server
