#include "scalers/read/concurrency_limiter.hpp"

#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::settle;
using test::shown;
using test::start;
using namespace std::chrono_literals;

using Entered = test::Pending<Result<Gate::Permit>>;

struct Entrance {
  Entrance(std::size_t max_in_flight, std::size_t max_waiting)
      : gate(std::make_shared<Gate>(loop, max_in_flight, max_waiting)) {}

  Entered enter(Duration budget = 10s, std::string name_space = "ml") {
    const SteadyTime now{};
    auto out = start(loop, gate->enter(std::move(name_space), Deadline::after(now, budget), now));
    settle(loop);
    return out;
  }

  Entered from(std::string name_space) { return enter(10s, std::move(name_space)); }

  Loop loop;
  std::shared_ptr<Gate> gate;
};

bool has_permit(const Entered& entered) { return entered->has_value() && (*entered)->has_value(); }

TEST_CASE("questions enter at once up to the cap, and wait behind it") {
  Entrance at(2, 10);

  const auto first = at.enter();
  const auto second = at.enter();
  const auto third = at.enter();

  CHECK(has_permit(first));
  CHECK(has_permit(second));
  CHECK_FALSE(third->has_value());
  CHECK(at.gate->in_flight() == 2);
  CHECK(at.gate->waiting() == 1);
}

TEST_CASE("a permit that goes away frees its place") {
  Entrance at(1, 10);
  auto first = at.enter();

  first->reset();
  const auto in_flight_between = at.gate->in_flight();
  const auto second = at.enter();

  CHECK(in_flight_between == 0);
  CHECK(has_permit(second));
}

TEST_CASE("a moved permit frees its place once") {
  Entrance at(1, 10);
  auto first = at.enter();
  auto moved = std::make_unique<Gate::Permit>(std::move(***first));

  first->reset();
  const auto while_held = at.gate->in_flight();
  moved.reset();

  CHECK(while_held == 1);
  CHECK(at.gate->in_flight() == 0);
}

TEST_CASE("a free place goes to the one who waits longest") {
  Entrance at(1, 10);
  auto first = at.enter();
  auto second = at.enter();
  auto third = at.enter();

  first->reset();
  settle(at.loop);
  const bool second_before_third = has_permit(second) && !third->has_value();
  second->reset();
  settle(at.loop);

  CHECK(second_before_third);
  CHECK(has_permit(third));
  CHECK(at.gate->in_flight() == 1);
  CHECK(at.gate->waiting() == 0);
}

TEST_CASE("a place that is handed over cannot be taken by a newcomer") {
  Entrance at(1, 10);
  auto first = at.enter();
  const auto second = at.enter();

  first->reset();
  const auto newcomer = at.enter();

  CHECK(has_permit(second));
  CHECK_FALSE(newcomer->has_value());
}

// Gives up the permits one by one; the order in which the entries of `waiting` got theirs.
std::string served(Entrance& at, Entered holder, std::vector<std::pair<char, Entered>> waiting) {
  std::string out;
  const std::size_t count = waiting.size();
  for (std::size_t turn = 0; turn < count; ++turn) {
    holder->reset();
    settle(at.loop);
    const auto next =
        std::ranges::find_if(waiting, [](const auto& one) { return has_permit(one.second); });
    if (next == waiting.end()) return out + "?";
    out += next->first;
    holder = next->second;
    waiting.erase(next);
  }
  return out;
}

TEST_CASE("namespaces take turns, and each is served in its order") {
  Entrance at(1, 10);
  const auto first = at.from("b");
  std::vector<std::pair<char, Entered>> waiting;
  waiting.emplace_back('1', at.from("b"));
  waiting.emplace_back('2', at.from("b"));
  waiting.emplace_back('3', at.from("b"));
  waiting.emplace_back('a', at.from("a"));
  waiting.emplace_back('c', at.from("c"));
  waiting.emplace_back('d', at.from("c"));

  CHECK(served(at, first, waiting) == "ca1d23");
  CHECK(at.gate->waiting() == 0);
}

TEST_CASE("in a full queue a namespace with fewer waiters displaces the last of the longest") {
  Entrance at(1, 3);
  const auto first = at.from("loud");
  const auto loud = std::vector{at.from("loud"), at.from("loud"), at.from("loud")};

  const auto quiet = at.from("quiet");
  const auto full = at.gate->waiting();

  CHECK(shown(**loud[2]) ==
        "overloaded: 1 questions are under way and 3 wait; raise maxInFlight or maxWaiting, or ask "
        "less often");
  CHECK_FALSE(quiet->has_value());
  CHECK(full == 3);
  CHECK(served(at, first, {{'1', loud[0]}, {'2', loud[1]}, {'q', quiet}}) == "q12");
}

TEST_CASE("a full queue that is shared alike takes no more of either") {
  Entrance at(1, 3);
  const auto first = at.from("a");
  const auto waiting = std::vector{at.from("a"), at.from("a"), at.from("b")};

  const auto more_of_a = at.from("a");
  const auto more_of_b = at.from("b");

  REQUIRE(more_of_a->has_value());
  CHECK((**more_of_a).error().code == Errc::overloaded);
  REQUIRE(more_of_b->has_value());
  CHECK((**more_of_b).error().code == Errc::overloaded);
  CHECK(at.gate->waiting() == 3);
}

TEST_CASE("a full gate refuses at once") {
  Entrance at(1, 1);
  const auto first = at.enter();
  const auto second = at.enter();

  const auto third = at.enter();

  REQUIRE(third->has_value());
  CHECK(shown(**third) ==
        "overloaded: 1 questions are under way and 1 wait; raise maxInFlight or maxWaiting, or ask "
        "less often");
  CHECK(at.gate->waiting() == 1);
}

TEST_CASE("a gate without a queue refuses the first that cannot enter") {
  Entrance at(1, 0);
  const auto first = at.enter();

  const auto second = at.enter();

  REQUIRE(second->has_value());
  CHECK((**second).error().code == Errc::overloaded);
}

TEST_CASE("a wait past the deadline ends, and frees its place in the queue") {
  Entrance at(1, 1);
  const auto first = at.enter();

  const auto late = test::finish(at.loop, at.enter(5ms));
  const auto next = at.enter();

  CHECK(shown(late) == "timed_out: 1 questions are under way before it");
  CHECK_FALSE(next->has_value());
  CHECK(at.gate->waiting() == 1);
}

TEST_CASE("a question whose deadline has passed waits for nothing") {
  Entrance at(1, 1);
  const auto first = at.enter();

  const auto late = test::finish(at.loop, at.enter(0ms));

  CHECK(late.error().code == Errc::timed_out);
}

TEST_CASE("one that gave up is passed over") {
  Entrance at(1, 10);
  auto first = at.enter();
  const auto gives_up = at.enter(5ms);
  const auto third = at.enter();

  const auto late = test::finish(at.loop, gives_up);
  first->reset();
  settle(at.loop);

  CHECK(late.error().code == Errc::timed_out);
  CHECK(has_permit(third));
}

TEST_CASE("a loop that is destroyed takes those who wait with it") {
  auto gate = std::shared_ptr<Gate>();
  std::weak_ptr<Gate> kept;

  {
    Entrance at(1, 10);
    kept = at.gate;
    gate = at.gate;
    const auto first = at.enter();
    const auto second = at.enter();
    const auto third = at.enter();
    CHECK(gate->waiting() == 2);
  }

  CHECK(gate->waiting() == 0);
}

TEST_CASE("a permit outlives its gate's other owners") {
  Entrance at(1, 10);
  auto first = at.enter();
  const std::weak_ptr<Gate> kept = at.gate;

  at.gate.reset();
  const bool is_alive = !kept.expired();
  first->reset();

  CHECK(is_alive);
  CHECK(kept.expired());
}

}  // namespace
}  // namespace weir::scalers::read
