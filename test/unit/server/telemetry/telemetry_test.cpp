#include "server/telemetry/telemetry.hpp"

#include "test/rigs/server_telemetry.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
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

std::string metric_path(const std::string& metric) {
  return "/apis/external.metrics.k8s.io/v1beta1/namespaces/ml/" + metric;
}

// The page's lines that begin so.
Texts lines(Telemetry& telemetry,
            std::string_view prefix,
            std::optional<Telemetry::Config> config = {},
            std::vector<scalers::BackendState> backends = {}) {
  std::istringstream page(telemetry.page({kNow, config, std::nullopt, std::move(backends)}));
  Texts out;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(prefix)) out.push_back(line);
  }
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
      telemetry.set_metrics(configured());

      telemetry.count(row.asked, 200, 3ms);

      CHECK(lines(telemetry, "apiserver_request_total") == Texts{row.labels});
    }
  }
}

TEST_CASE("reads and explanations of a metric are counted apart") {
  ServerTelemetry telemetry;
  telemetry.set_metrics(configured());

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

TEST_CASE("names that are not configured make no series, however many are asked") {
  ServerTelemetry telemetry;
  telemetry.set_metrics(configured());

  for (int i = 0; i < 100; ++i) {
    telemetry.count(request(metric_path("x" + std::to_string(i))), 404, 1ms);
    telemetry.question_done({"x" + std::to_string(i), "depth", "ml"}, {}, 1ms);
    telemetry.answer_reused({"broker", "x" + std::to_string(i), "ml"}, Reuse::cached);
    telemetry.value_given({"prom", "own", "x" + std::to_string(i)}, {{}, 1, kNow});
    telemetry.value_given({"prom", "everywhere", "x" + std::to_string(i)}, {{}, 1, kNow});
  }

  CHECK(lines(telemetry, "apiserver_request_total").size() == 1);
  CHECK(lines(telemetry, "apiserver_request_total").front().ends_with("} 100"));
  CHECK(lines(telemetry, "weir_query_total").empty());
  CHECK(lines(telemetry, "weir_value{") ==
        Texts{R"(weir_value{metric="everywhere",namespace="*"} 1)"});
}

TEST_CASE("a duration falls into Kubernetes' buckets") {
  ServerTelemetry telemetry;

  telemetry.count(request("/version"), 200, 30ms);
  const auto buckets = lines(telemetry, "apiserver_request_duration_seconds_bucket");

  CHECK(buckets.size() == 24);
  CHECK(std::ranges::count_if(buckets, [](const auto& one) { return one.ends_with(" 0"); }) == 2);
}

TEST_CASE("reads are counted by what they came to") {
  ServerTelemetry telemetry;
  telemetry.set_metrics(configured());
  const ReadOf depth{"broker", "depth", "ml"};

  telemetry.question_done(depth, {}, 4ms);
  telemetry.question_done(depth, Errc::no_value, 4ms);
  telemetry.question_done(depth, Errc::overloaded, 0ms);
  telemetry.answer_reused(depth, Reuse::cached);
  telemetry.answer_reused(depth, Reuse::cached);
  telemetry.answer_reused(depth, Reuse::shared);

  const std::string name = R"(weir_query_total{backend="broker",metric="depth",outcome=")";
  CHECK(lines(telemetry, "weir_query_total") == Texts{name + "cached\"} 2",
                                                      name + "no_value\"} 1",
                                                      name + "ok\"} 1",
                                                      name + "overloaded\"} 1",
                                                      name + "shared\"} 1"});
  CHECK(lines(telemetry, R"(weir_query_duration_seconds_count{backend="broker")") ==
        Texts{R"(weir_query_duration_seconds_count{backend="broker"} 2)"});
}

TEST_CASE("a value has its age, and whether it is above zero") {
  ServerTelemetry telemetry;
  telemetry.set_metrics(configured());

  telemetry.value_given({"broker", "depth", "ml"}, {{}, 2.5, kNow - 3s});
  telemetry.value_given({"broker", "per_queue", "ml"}, {{}, 1, kNow});

  const std::string labels = R"({metric="depth",namespace="ml"} )";
  CHECK(lines(telemetry, "weir_value{") == Texts{"weir_value" + labels + "2.5"});
  CHECK(lines(telemetry, "weir_value_age_seconds{") ==
        Texts{"weir_value_age_seconds" + labels + "3"});
  CHECK(lines(telemetry, "weir_metric_active{") == Texts{"weir_metric_active" + labels + "1"});
}

TEST_CASE("what a reload takes away loses its series, the rest keeps counting") {
  ServerTelemetry telemetry;
  telemetry.set_metrics(configured());
  const auto read_all = [&telemetry] {
    telemetry.count(request(metric_path("depth")), 200, 1ms);
    telemetry.count(request(metric_path("everywhere")), 200, 1ms);
    telemetry.question_done({"broker", "depth", "ml"}, {}, 1ms);
    telemetry.question_done({"prom", "everywhere", "ml"}, {}, 1ms);
    telemetry.value_changed({"broker", "depth", "ml"}, "clamp");
    telemetry.value_changed({"prom", "everywhere", "ml"}, "nan");
    telemetry.value_given({"broker", "depth", "ml"}, {{}, 1, kNow});
  };
  read_all();

  telemetry.set_metrics({{"everywhere", {"*"}, {}, "prom", false}});
  read_all();

  CHECK(lines(telemetry, "weir_value{").empty());
  CHECK(lines(telemetry, "weir_query_total") ==
        Texts{R"(weir_query_total{backend="prom",metric="everywhere",outcome="ok"} 2)"});
  CHECK(lines(telemetry, "weir_policy_total") ==
        Texts{R"(weir_policy_total{backend="prom",metric="everywhere",policy="nan"} 2)"});
  CHECK(lines(telemetry, R"(weir_query_duration_seconds_count{backend="broker")").empty());
  const auto requests = lines(telemetry, "apiserver_request_total");
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].find(R"(resource="",)") != std::string::npos);
  CHECK(requests[1].ends_with("} 2"));
}

TEST_CASE("what was counted stays with its metric when a reload adds others") {
  ServerTelemetry telemetry;
  const MetricInfo depth{"depth", {"a", "b"}, {}, "broker", false};
  telemetry.set_metrics({depth});
  telemetry.count(request(metric_path("depth")), 200, 1ms);
  telemetry.question_done({"broker", "depth", "b"}, {}, 1ms);
  telemetry.value_changed({"broker", "depth", "b"}, "clamp");
  telemetry.fallback_given({"broker", "depth", "b"});
  telemetry.value_given({"broker", "depth", "b"}, {{}, 7, kNow});
  telemetry.value_given({"broker", "depth", "a"}, {{}, 5, kNow});

  telemetry.set_metrics({{"lag", {"a"}, {}, "broker", false},
                         {"depth", {"c"}, {}, "another", false},
                         depth,
                         {"age", {"b"}, {}, "a_third", false}});

  CHECK(lines(telemetry, "apiserver_request_total{").size() == 1);
  CHECK(lines(telemetry, "apiserver_request_total{").front().find(R"(resource="depth")") !=
        std::string::npos);
  CHECK(lines(telemetry, "weir_query_total{") ==
        Texts{R"(weir_query_total{backend="broker",metric="depth",outcome="ok"} 1)"});
  CHECK(lines(telemetry, "weir_policy_total{") ==
        Texts{R"(weir_policy_total{backend="broker",metric="depth",policy="clamp"} 1)"});
  CHECK(lines(telemetry, "weir_fallback_total{") ==
        Texts{R"(weir_fallback_total{backend="broker",metric="depth"} 1)"});
  CHECK(lines(telemetry, "weir_value{") == Texts{R"(weir_value{metric="depth",namespace="a"} 5)",
                                                 R"(weir_value{metric="depth",namespace="b"} 7)"});
}

TEST_CASE("a metric that moves to another backend counts anew") {
  ServerTelemetry telemetry;
  telemetry.set_metrics({{"depth", {"ml"}, {}, "broker", false}});
  telemetry.question_done({"broker", "depth", "ml"}, {}, 1ms);
  telemetry.value_given({"broker", "depth", "ml"}, {{}, 7, kNow});

  telemetry.set_metrics({{"depth", {"ml"}, {}, "another", false}});
  telemetry.question_done({"broker", "depth", "ml"}, {}, 1ms);  // begun before the reload
  telemetry.question_done({"another", "depth", "ml"}, {}, 1ms);

  CHECK(lines(telemetry, "weir_query_total{") ==
        Texts{R"(weir_query_total{backend="another",metric="depth",outcome="ok"} 1)"});
  CHECK(lines(telemetry, "weir_value{").empty());
}

TEST_CASE("namesakes for other namespaces share a count and outlive each other") {
  ServerTelemetry telemetry;
  const MetricInfo first{"depth", {"a"}, {}, "broker", false};
  const MetricInfo second{"depth", {"b"}, {}, "broker", false};
  telemetry.set_metrics({first, second});
  telemetry.question_done({"broker", "depth", "a"}, {}, 1ms);
  telemetry.question_done({"broker", "depth", "b"}, {}, 1ms);

  telemetry.set_metrics({second});
  telemetry.question_done({"broker", "depth", "b"}, {}, 1ms);

  CHECK(lines(telemetry, "weir_query_total") ==
        Texts{R"(weir_query_total{backend="broker",metric="depth",outcome="ok"} 3)"});
}

TEST_CASE("what is under way is a gauge by kind") {
  ServerTelemetry telemetry;

  telemetry.request_began(Verb::list);
  telemetry.request_began(Verb::remove);
  telemetry.request_began(Verb::get);
  telemetry.request_ended(Verb::get);

  const std::string name = "apiserver_current_inflight_requests{request_kind=\"";
  CHECK(lines(telemetry, "apiserver_current_inflight_requests{") ==
        Texts{name + "mutating\"} 1", name + "readOnly\"} 1"});
}

TEST_CASE("the configuration's state stays while it is not known") {
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

}  // namespace
TEST_CASE("a backend shows how it fares and what became of its connections") {
  ServerTelemetry telemetry;
  scalers::BackendState broker{"broker", true, 3, 2, {}};
  broker.connections.opened = 4;
  broker.connections.closed = {{"idle", 1}, {"unreachable", 2}};
  broker.connections.failed = {{"tls", 5}};
  broker.connections.is_breaker_open = true;

  const auto shown = [&](std::string_view prefix) {
    return lines(telemetry, prefix, {}, {broker});
  };

  CHECK(shown("weir_backend_") == Texts{R"(weir_backend_in_flight{backend="broker"} 3)",
                                        R"(weir_backend_queue{backend="broker"} 2)",
                                        R"(weir_backend_up{backend="broker"} 0)"});
  CHECK(shown("weir_breaker_open{") == Texts{R"(weir_breaker_open{backend="broker"} 1)"});
  CHECK(shown("weir_connections_") ==
        Texts{R"(weir_connections_closed_total{backend="broker",reason="idle"} 1)",
              R"(weir_connections_closed_total{backend="broker",reason="unreachable"} 2)",
              R"(weir_connections_failed_total{backend="broker",reason="tls"} 5)",
              R"(weir_connections_opened_total{backend="broker"} 4)"});
}

TEST_CASE("a backend that a reload took away has no series, one counted anew begins at zero") {
  ServerTelemetry telemetry;
  scalers::BackendState broker{"broker", false, 0, 0, {}};
  broker.connections.opened = 4;
  broker.connections.closed = {{"idle", 1}};
  REQUIRE(lines(telemetry, "weir_connections_", {}, {broker}).size() == 2);

  broker.connections = {};
  broker.connections.opened = 1;

  CHECK(lines(telemetry, "weir_connections_", {}, {broker}) ==
        Texts{R"(weir_connections_opened_total{backend="broker"} 1)"});
  CHECK(lines(telemetry, "weir_backend_up{").empty());
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

}  // namespace weir::server
