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

constexpr SteadyTime kNow{1h};

Texts lines(ServerTelemetry& telemetry,
            std::string_view prefix,
            std::vector<scalers::BackendState> backends = {},
            SteadyTime now = kNow) {
  Texts out = telemetry.lines(prefix,
                              {.now = WallTime{},
                               .config = std::nullopt,
                               .serving_certificate_expires = std::nullopt,
                               .backends = std::move(backends),
                               .steady_now = now});
  std::ranges::sort(out);
  return out;
}

scalers::BackendState backend(std::string name) {
  return {std::move(name), 0, std::make_shared<scalers::read::BackendHealth>(), 0, 0, {}};
}

// A query of the backend ended: with this error, or with a value.
void observe(const scalers::BackendState& state, std::optional<Errc> error, SteadyTime at) {
  scalers::Result<scalers::Samples> samples{scalers::Sample{7, WallTime{}}};
  if (error) samples = scalers::Error{*error, "", ""};
  state.health->observe({std::move(samples), at, {}, {}, {}}, at);
}

TEST_CASE("a backend has series for its state and its connections") {
  ServerTelemetry telemetry;
  scalers::BackendState broker = backend("broker");
  broker.in_flight = 3;
  broker.waiting = 2;
  observe(broker, Errc::unreachable, kNow);
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

TEST_CASE("without a query for a minute a backend is neither up nor down") {
  ServerTelemetry telemetry;
  const scalers::BackendState broker = backend("broker");
  const auto up = [&](SteadyTime now) {
    return lines(telemetry, "weir_backend_up{", {broker}, now);
  };

  CHECK(up(kNow).empty());
  observe(broker, Errc::timed_out, kNow);
  CHECK(up(kNow + 59s) == Texts{R"(weir_backend_up{backend="broker"} 0)"});
  CHECK(up(kNow + 60s).empty());
  observe(broker, std::nullopt, kNow + 70s);
  CHECK(up(kNow + 70s) == Texts{R"(weir_backend_up{backend="broker"} 1)"});
  CHECK(up(kNow + 130s).empty());
}

TEST_CASE("refused credentials are shown while queries or Weir itself try them") {
  ServerTelemetry telemetry;
  scalers::BackendState broker = backend("broker");
  const auto refused = [&](SteadyTime now) {
    return lines(telemetry, "weir_backend_credentials_refused{", {broker}, now);
  };
  const Texts yes{R"(weir_backend_credentials_refused{backend="broker"} 1)"};
  const Texts no{R"(weir_backend_credentials_refused{backend="broker"} 0)"};
  const scalers::Error why{Errc::refused, "the credentials are refused", ""};

  CHECK(refused(kNow).empty());
  observe(broker, std::nullopt, kNow);
  CHECK(refused(kNow) == no);
  // By a query, which nobody repeats.
  broker.connections.refused_credentials = scalers::RefusedCredentials{why, ""};
  observe(broker, Errc::refused, kNow + 1s);
  CHECK(refused(kNow + 60s) == yes);
  CHECK(refused(kNow + 61s).empty());
  // Other queries get a value, as those to another vhost do.
  observe(broker, std::nullopt, kNow + 90s);
  CHECK(refused(kNow + 90s) == no);
  // On a connection beside the one in use, without a query.
  broker.connections.refused_credentials->tried_at = kNow + 200s;
  CHECK(refused(kNow + 259s) == yes);
  CHECK(refused(kNow + 260s).empty());
}

TEST_CASE("a backend shows until when its token is used, once it has one") {
  ServerTelemetry telemetry;
  scalers::BackendState broker = backend("broker");
  const auto end = [&] { return lines(telemetry, "weir_backend_token", {broker}); };

  CHECK(end().empty());
  broker.connections.token_ends_at = WallTime(1'769'858'400'900ms);
  CHECK(end() ==
        Texts{R"(weir_backend_token_expiry_timestamp_seconds{backend="broker"} 1769858400)"});
  broker.connections.token_ends_at.reset();
  CHECK(end().empty());
}

TEST_CASE("a backend shows files that cannot be used") {
  ServerTelemetry telemetry;
  const scalers::BackendState broker = backend("broker");
  REQUIRE(broker.health->note_file_problem("the credential file /x is empty"));

  CHECK(lines(telemetry, "weir_backend_files", {broker}) ==
        Texts{R"(weir_backend_files_unusable{backend="broker"} 1)"});
}

TEST_CASE("a failing read has a series with its labels, until a minute without reads") {
  ServerTelemetry telemetry;
  scalers::BackendState broker = backend("broker");
  broker.failing = std::make_shared<scalers::read::FailingReads>();
  const auto fails = [&](std::string labels, SteadyTime at) {
    const scalers::Error error{Errc::unknown_object, "no such queue", ""};
    std::ignore =
        broker.failing->note({"ml", "depth", labels}, "of " + labels, error, false, false, at);
  };
  fails("queue=b", kNow);
  fails("queue=a\"", kNow - 59s);
  fails("queue=gone", kNow - 60s);

  CHECK(lines(telemetry, "weir_metric_failing{", {broker}) ==
        Texts{R"(weir_metric_failing{backend="broker",code="unknown_object",)"
              R"(labels="queue=a\"",metric="depth",namespace="ml"} 1)",
              R"(weir_metric_failing{backend="broker",code="unknown_object",)"
              R"(labels="queue=b",metric="depth",namespace="ml"} 1)"});
}

TEST_CASE("a backend that a reload removed has no series, and starts from zero when it returns") {
  ServerTelemetry telemetry;
  scalers::BackendState broker = backend("broker");
  observe(broker, std::nullopt, kNow);
  broker.connections.opened = 4;
  broker.connections.closed = {{"idle", 1}};
  REQUIRE(lines(telemetry, "weir_backend_up{", {broker}).size() == 1);
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
                        kNow) != nullptr);
  scalers::BackendState nameless = backend("");
  nameless.failing = failing;

  CHECK(lines(telemetry, "weir_backend_", {nameless}).empty());
  CHECK(lines(telemetry, "weir_metric_failing{", {nameless}) ==
        Texts{R"(weir_metric_failing{backend="",code="misconfigured",labels="",metric="m",)"
              R"(namespace="ml"} 1)"});
}

}  // namespace
}  // namespace weir::server
