// The series of backends, from their states.
#include "server/telemetry/telemetry.hpp"
#include "test/rigs/server_telemetry.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace weir::server {
namespace {

using namespace std::chrono_literals;
using scalers::Errc;
using test::ServerTelemetry;
using Texts = std::vector<std::string>;

Texts lines(ServerTelemetry& telemetry,
            std::string_view prefix,
            std::vector<scalers::BackendState> backends = {}) {
  Texts out =
      telemetry.lines(prefix, {WallTime{}, std::nullopt, std::nullopt, std::move(backends)});
  std::ranges::sort(out);
  return out;
}

TEST_CASE("a backend has series for its state and its connections") {
  ServerTelemetry telemetry;
  scalers::BackendState broker{"broker",
                               0,
                               std::make_shared<scalers::read::BackendHealth>(),
                               3,
                               2,
                               {}};
  const scalers::read::Answer unreachable{scalers::Error{Errc::unreachable, "", ""},
                                          {},
                                          {},
                                          {},
                                          {}};
  REQUIRE(broker.health->observe(unreachable, SteadyTime{1s}) ==
          scalers::read::BackendHealth::Change::down);
  broker.connections.opened = 4;
  broker.connections.closed = {{"idle", 1}, {"unreachable", 2}};
  broker.connections.failed = {{"tls", 5}};
  broker.connections.is_breaker_open = true;

  const auto shown = [&](std::string_view prefix) { return lines(telemetry, prefix, {broker}); };

  CHECK(shown("weir_backend_") == Texts{R"(weir_backend_credentials_refused{backend="broker"} 0)",
                                        R"(weir_backend_files_unusable{backend="broker"} 0)",
                                        R"(weir_backend_in_flight{backend="broker"} 3)",
                                        R"(weir_backend_queue{backend="broker"} 2)",
                                        R"(weir_backend_up{backend="broker"} 0)"});
  CHECK(shown("weir_breaker_open{") == Texts{R"(weir_breaker_open{backend="broker"} 1)"});
  CHECK(shown("weir_connections_") ==
        Texts{R"(weir_connections_closed_total{backend="broker",reason="idle"} 1)",
              R"(weir_connections_closed_total{backend="broker",reason="unreachable"} 2)",
              R"(weir_connections_failed_total{backend="broker",reason="tls"} 5)",
              R"(weir_connections_opened_total{backend="broker"} 4)"});
}

TEST_CASE("a backend shows refused credentials, and files that cannot be used") {
  ServerTelemetry telemetry;
  scalers::BackendState broker{"broker",
                               0,
                               std::make_shared<scalers::read::BackendHealth>(),
                               0,
                               0,
                               {}};
  broker.connections.refused_credentials =
      scalers::RefusedCredentials{{Errc::refused, "the credentials are refused", ""}, ""};
  REQUIRE(broker.health->note_file_problem("the credential file /x is empty"));

  CHECK(lines(telemetry, "weir_backend_credentials", {broker}) ==
        Texts{R"(weir_backend_credentials_refused{backend="broker"} 1)"});
  CHECK(lines(telemetry, "weir_backend_files", {broker}) ==
        Texts{R"(weir_backend_files_unusable{backend="broker"} 1)"});
}

TEST_CASE("a failing read has a series with its labels, until a minute without reads") {
  ServerTelemetry telemetry;
  const SteadyTime now{1h};
  scalers::BackendState broker{"broker",
                               0,
                               std::make_shared<scalers::read::BackendHealth>(),
                               0,
                               0,
                               {},
                               std::make_shared<scalers::read::FailingReads>()};
  const auto fails = [&](std::string labels, SteadyTime at) {
    const scalers::Error error{Errc::unknown_object, "no such queue", ""};
    std::ignore =
        broker.failing->note({"ml", "depth", labels}, "of " + labels, error, false, false, at);
  };
  fails("queue=b", now);
  fails("queue=a\"", now - 59s);
  fails("queue=gone", now - 60s);

  CHECK(telemetry.lines("weir_metric_failing{",
                        {.now = WallTime{},
                         .config = std::nullopt,
                         .serving_certificate_expires = std::nullopt,
                         .backends = {broker},
                         .steady_now = now}) ==
        Texts{R"(weir_metric_failing{backend="broker",code="unknown_object",)"
              R"(labels="queue=a\"",metric="depth",namespace="ml"} 1)",
              R"(weir_metric_failing{backend="broker",code="unknown_object",)"
              R"(labels="queue=b",metric="depth",namespace="ml"} 1)"});
}

TEST_CASE("a backend that a reload removed has no series, and starts from zero when it returns") {
  ServerTelemetry telemetry;
  scalers::BackendState broker{"broker",
                               0,
                               std::make_shared<scalers::read::BackendHealth>(),
                               0,
                               0,
                               {}};
  broker.connections.opened = 4;
  broker.connections.closed = {{"idle", 1}};
  REQUIRE(lines(telemetry, "weir_connections_", {broker}).size() == 2);

  broker.connections = {};
  broker.connections.opened = 1;

  CHECK(lines(telemetry, "weir_connections_", {broker}) ==
        Texts{R"(weir_connections_opened_total{backend="broker"} 1)"});
  CHECK(lines(telemetry, "weir_backend_up{").empty());
}

TEST_CASE("metrics of skipped files fail without a backend that has series") {
  ServerTelemetry telemetry;
  const auto failing = std::make_shared<scalers::read::FailingReads>();
  REQUIRE(failing->note({"ml", "m", "", {}},
                        "key",
                        scalers::Error{Errc::misconfigured, "", ""},
                        false,
                        false,
                        SteadyTime{}) != nullptr);
  const scalers::BackendState
      nameless{"", 0, std::make_shared<scalers::read::BackendHealth>(), 0, 0, {}, failing};

  CHECK(lines(telemetry, "weir_backend_", {nameless}).empty());
  CHECK(lines(telemetry, "weir_metric_failing{", {nameless}) ==
        Texts{R"(weir_metric_failing{backend="",code="misconfigured",labels="",metric="m",)"
              R"(namespace="ml"} 1)"});
}

}  // namespace
}  // namespace weir::server
