// When a backend goes down and comes up, and since when it is back, by its answers alone.
#include "scalers/read/backend_health.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace weir::scalers::read {
namespace {

using namespace std::chrono_literals;
using Change = BackendHealth::Change;

constexpr SteadyTime kStart{1h};

Answer answer(Result<Samples> samples, SteadyTime at) {
  return {std::move(samples), at, WallTime{}, SteadyTime{}, Duration{2500}};
}
Answer value(SteadyTime at) { return answer(Sample{7, WallTime{}}, at); }
Answer error(Errc code, SteadyTime at) { return answer(Error{code, "", ""}, at); }

TEST_CASE("a backend is down once and up once, only by its own failures") {
  BackendHealth health;

  CHECK(health.observe(value(kStart), kStart) == Change::none);
  CHECK(health.observe(error(Errc::no_value, kStart), kStart) == Change::none);
  CHECK_FALSE(health.is_down());
  CHECK(health.observe(error(Errc::unreachable, kStart + 1s), kStart + 1s) == Change::down);
  CHECK(health.observe(error(Errc::tls, kStart + 2s), kStart + 2s) == Change::none);
  CHECK(health.is_down());
  CHECK(health.observe(error(Errc::unknown_object, kStart + 3s), kStart + 3s) == Change::up);
  CHECK_FALSE(health.is_down());
}

TEST_CASE("a query that Weir may have rejected itself neither starts nor ends an outage") {
  const auto code = GENERATE(Errc::bad_request, Errc::overloaded);
  BackendHealth health;

  CHECK(health.observe(error(code, kStart), kStart) == Change::none);
  CHECK(health.observe(error(Errc::unreachable, kStart + 1s), kStart + 1s) == Change::down);
  CHECK(health.observe(error(code, kStart + 2s), kStart + 2s) == Change::none);
  CHECK(health.is_down());
  CHECK(health.observe(value(kStart + 3s), kStart + 3s) == Change::up);
  CHECK(health.time_since_recovery(value(kStart + 4s), std::nullopt, kStart + 4s) == 1s);
}

TEST_CASE("a server that refuses a query responds") {
  const auto code = GENERATE(Errc::bad_request, Errc::overloaded);
  BackendHealth health;
  REQUIRE(health.observe(error(Errc::unreachable, kStart), kStart) == Change::down);

  const Answer refused = answer(Error{code, "", "parse error"}, kStart + 1s);

  CHECK(health.observe(refused, kStart + 1s) == Change::up);
}

TEST_CASE("a slow query does not mean that the backend is down while another gets a response") {
  BackendHealth health;

  CHECK(health.observe(value(kStart + 1s), kStart + 1s) == Change::none);
  CHECK(health.observe(error(Errc::timed_out, kStart), kStart + 2s) == Change::none);
  CHECK(health.observe(error(Errc::timed_out, kStart + 2s), kStart + 4s) == Change::down);
}

TEST_CASE("what the last query showed is known for a minute") {
  BackendHealth health;
  const auto up = [&](Duration after) { return health.is_up(kStart + after); };

  CHECK(up(0s) == std::nullopt);
  health.observe(value(kStart), kStart);
  CHECK(up(59s) == true);
  CHECK(up(60s) == std::nullopt);
  // Sent by nobody: it shows nothing.
  health.observe(error(Errc::overloaded, kStart + 61s), kStart + 61s);
  CHECK(up(61s) == std::nullopt);
  health.observe(error(Errc::unreachable, kStart + 62s), kStart + 62s);
  CHECK(up(121s) == false);
  CHECK(up(122s) == std::nullopt);
  // It is still down: the next response ends the outage.
  CHECK(health.observe(value(kStart + 200s), kStart + 200s) == Change::up);
  CHECK(up(200s) == true);
}

TEST_CASE("a refusal of credentials is known for a minute, also beside other answers") {
  BackendHealth health;
  const auto refused = [&](Duration after) { return health.was_refused(kStart + after); };

  CHECK_FALSE(refused(0s));
  health.observe(error(Errc::refused, kStart), kStart);
  health.observe(value(kStart + 30s), kStart + 30s);
  CHECK(refused(59s));
  CHECK_FALSE(refused(60s));
}

TEST_CASE("the time since recovery counts from the first response after an outage") {
  BackendHealth health;
  const auto since = [&](SteadyTime now) {
    return health.time_since_recovery(value(now), std::nullopt, now);
  };

  CHECK(since(kStart) == std::nullopt);
  health.observe(error(Errc::unreachable, kStart), kStart);
  CHECK(since(kStart + 5s) == 0s);
  health.observe(value(kStart + 5s), kStart + 5s);
  CHECK(since(kStart + 8s) == 3s);
}

TEST_CASE("rejected credentials are not an outage, and a recovered connection is") {
  BackendHealth health;

  CHECK(health.observe(error(Errc::refused, kStart), kStart) == Change::down);
  CHECK(health.observe(value(kStart + 1s), kStart + 1s) == Change::up);
  CHECK(health.time_since_recovery(value(kStart + 2s), std::nullopt, kStart + 2s) == std::nullopt);
  CHECK(health.time_since_recovery(value(kStart + 2s), kStart + 1s, kStart + 2s) == 1s);
}

}  // namespace
}  // namespace weir::scalers::read
