// When a server that failed is tried again.
#include "scalers/clients/net/breaker.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace weir::scalers::clients {
namespace {

using namespace std::chrono_literals;

const Error kGone{Errc::unreachable, "cannot connect", ""};
const Error kRefused{Errc::refused, "the credentials are refused", ""};

// "try", or the cached error.
std::string at(Breaker& breaker, SteadyTime now) {
  const auto failure = breaker.cached_failure(now);
  return failure ? test::shown(*failure) : "try";
}

TEST_CASE("a server without failures is tried") {
  Breaker breaker({100ms, 500ms});

  CHECK(at(breaker, SteadyTime{}) == "try");
  CHECK_FALSE(breaker.is_tripped());
}

TEST_CASE("after a failure its error is returned until the pause is over") {
  Breaker breaker({100ms, 500ms});

  breaker.note_failure(kGone, SteadyTime{});

  CHECK(at(breaker, SteadyTime{99ms}) == "unreachable: cannot connect");
  CHECK(at(breaker, SteadyTime{100ms}) == "try");
  CHECK(breaker.is_tripped());
}

TEST_CASE("during an attempt after a failure other queries get the cached error") {
  Breaker breaker({100ms, 500ms});
  breaker.note_failure(kGone, SteadyTime{});
  REQUIRE(at(breaker, SteadyTime{150ms}) == "try");

  CHECK(at(breaker, SteadyTime{150ms}) == "unreachable: cannot connect");
  CHECK(at(breaker, SteadyTime{249ms}) == "unreachable: cannot connect");
  CHECK(at(breaker, SteadyTime{250ms}) == "try");
}

TEST_CASE("the pause doubles with each failure, up to the longest") {
  Breaker breaker({100ms, 500ms});
  breaker.note_failure(kGone, SteadyTime{});
  breaker.note_failure(kGone, SteadyTime{});

  CHECK(at(breaker, SteadyTime{199ms}) == "unreachable: cannot connect");
  CHECK(at(breaker, SteadyTime{200ms}) == "try");

  breaker.note_failure(kGone, SteadyTime{});
  breaker.note_failure(kGone, SteadyTime{});

  CHECK(at(breaker, SteadyTime{499ms}) == "unreachable: cannot connect");
  CHECK(at(breaker, SteadyTime{500ms}) == "try");
}

TEST_CASE("a success forgets the failure, and the length of its pause") {
  Breaker breaker({100ms, 500ms});
  breaker.note_failure(kGone, SteadyTime{});
  breaker.note_failure(kGone, SteadyTime{});

  breaker.note_success();

  CHECK(at(breaker, SteadyTime{}) == "try");
  breaker.note_failure(kGone, SteadyTime{});
  CHECK(at(breaker, SteadyTime{100ms}) == "try");
}

TEST_CASE("rejected credentials are not sent again for 30 s") {
  Breaker breaker({100ms, 500ms});

  breaker.note_failure(kRefused, SteadyTime{});

  CHECK(breaker.is_refused());
  CHECK(at(breaker, SteadyTime{29'999ms}) == "refused: the credentials are refused");
  CHECK(at(breaker, SteadyTime{30'000ms}) == "try");
}

TEST_CASE("a failure after rejected credentials starts with a short pause") {
  Breaker breaker({100ms, 500ms});
  breaker.note_failure(kRefused, SteadyTime{});

  breaker.note_failure(kGone, SteadyTime{});

  CHECK_FALSE(breaker.is_refused());
  CHECK(at(breaker, SteadyTime{500ms}) == "try");
}

TEST_CASE("a cached time-out is reported as an unreachable server") {
  Breaker breaker({100ms, 500ms});

  breaker.note_failure({Errc::timed_out, "no answer", ""}, SteadyTime{});

  CHECK(at(breaker, SteadyTime{1ms}) == "unreachable: no answer");
}

}  // namespace
}  // namespace weir::scalers::clients
