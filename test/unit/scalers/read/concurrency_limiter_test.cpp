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

using Acquired = test::Pending<Result<ConcurrencyLimiter::Permit>>;

struct Rig {
  Rig(std::size_t max_in_flight, std::size_t max_waiting)
      : limiter(std::make_shared<ConcurrencyLimiter>(loop, max_in_flight, max_waiting)) {}

  Acquired acquire(Duration budget = 10s, std::string name_space = "ml") {
    const SteadyTime now{};
    auto out =
        start(loop, limiter->acquire(std::move(name_space), Deadline::after(now, budget), now));
    settle(loop);
    return out;
  }

  Acquired from(std::string name_space) { return acquire(10s, std::move(name_space)); }

  Loop loop;
  std::shared_ptr<ConcurrencyLimiter> limiter;
};

bool has_permit(const Acquired& acquired) {
  return acquired->has_value() && (*acquired)->has_value();
}

TEST_CASE("queries get a permit at once up to the limit, and wait beyond it") {
  Rig at(2, 10);

  const auto first = at.from("ml");
  const auto second = at.from("shop");
  const auto third = at.from("web");

  CHECK(has_permit(first));
  CHECK(has_permit(second));
  CHECK_FALSE(third->has_value());
  CHECK(at.limiter->in_flight() == 2);
  CHECK(at.limiter->waiting() == 1);
}

TEST_CASE("a destroyed permit frees its place") {
  Rig at(1, 10);
  auto first = at.acquire();

  first->reset();
  const auto in_flight_between = at.limiter->in_flight();
  const auto second = at.acquire();

  CHECK(in_flight_between == 0);
  CHECK(has_permit(second));
}

TEST_CASE("a moved permit frees its place once") {
  Rig at(1, 10);
  auto first = at.acquire();
  auto moved = std::make_unique<ConcurrencyLimiter::Permit>(std::move(***first));

  first->reset();
  const auto while_held = at.limiter->in_flight();
  moved.reset();

  CHECK(while_held == 1);
  CHECK(at.limiter->in_flight() == 0);
}

TEST_CASE("a free place goes to the longest waiter") {
  Rig at(1, 10);
  auto first = at.acquire();
  auto second = at.acquire();
  auto third = at.acquire();

  first->reset();
  settle(at.loop);
  const bool second_before_third = has_permit(second) && !third->has_value();
  second->reset();
  settle(at.loop);

  CHECK(second_before_third);
  CHECK(has_permit(third));
  CHECK(at.limiter->in_flight() == 1);
  CHECK(at.limiter->waiting() == 0);
}

TEST_CASE("a place that is handed over cannot be taken by a new query") {
  Rig at(1, 10);
  auto first = at.acquire();
  const auto second = at.acquire();

  first->reset();
  const auto newcomer = at.acquire();

  CHECK(has_permit(second));
  CHECK_FALSE(newcomer->has_value());
}

// Gives up the permits one by one; the order in which the entries of `waiting` got theirs.
std::string served(Rig& at, Acquired holder, std::vector<std::pair<char, Acquired>> waiting) {
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
  Rig at(1, 10);
  const auto first = at.from("b");
  std::vector<std::pair<char, Acquired>> waiting;
  waiting.emplace_back('1', at.from("b"));
  waiting.emplace_back('2', at.from("b"));
  waiting.emplace_back('3', at.from("b"));
  waiting.emplace_back('a', at.from("a"));
  waiting.emplace_back('c', at.from("c"));
  waiting.emplace_back('d', at.from("c"));

  CHECK(served(at, first, waiting) == "ca1d23");
  CHECK(at.limiter->waiting() == 0);
}

// How many of the permits were given.
std::size_t permits(const std::vector<Acquired>& all) {
  return static_cast<std::size_t>(std::ranges::count_if(all, has_permit));
}

std::vector<Acquired> many_from(Rig& at, const std::string& name_space, std::size_t count) {
  std::vector<Acquired> out;
  while (out.size() < count) out.push_back(at.from(name_space));
  return out;
}

TEST_CASE("one namespace never holds all places, so that another one need not wait for it") {
  Rig at(8, 100);

  const auto loud = many_from(at, "loud", 20);
  const auto quiet = at.from("quiet");
  const auto other = at.from("other");

  CHECK(permits(loud) == 6);
  CHECK(has_permit(quiet));
  CHECK(has_permit(other));
  CHECK(at.limiter->waiting() == 14);
}

TEST_CASE("of two places a namespace holds one, and of one place that one") {
  Rig two(2, 100);
  Rig one(1, 100);

  CHECK(permits(many_from(two, "loud", 3)) == 1);
  CHECK(permits(many_from(one, "loud", 3)) == 1);
}

TEST_CASE("a place that becomes free goes to the namespace that holds the fewest") {
  Rig at(8, 100);
  auto loud = many_from(at, "loud", 20);
  const auto quiet = many_from(at, "quiet", 3);
  CHECK(permits(quiet) == 1);

  for (std::size_t given_back = 0; given_back < 3; ++given_back) {
    loud[given_back]->reset();
    settle(at.loop);
  }

  CHECK(permits(quiet) == 3);
  CHECK(permits(loud) == 3);
  CHECK(at.limiter->in_flight() == 6);
}

TEST_CASE("a namespace alone is told of its share when it waits in vain") {
  Rig at(8, 100);
  const auto loud = many_from(at, "loud", 6);

  const auto late = test::finish(at.loop, at.acquire(5ms, "loud"));

  CHECK(shown(late) ==
        "timed_out: still queued, the namespace has its share of maxInFlight 8, 6 queries");
}

TEST_CASE("a waiter of a namespace with its share gets the place that the namespace gives back") {
  Rig at(8, 100);
  auto loud = many_from(at, "loud", 7);
  CHECK(permits(loud) == 6);

  loud[0]->reset();
  settle(at.loop);

  CHECK(has_permit(loud[6]));
  CHECK(at.limiter->in_flight() == 6);
  CHECK(at.limiter->waiting() == 0);
}

TEST_CASE("in a full queue a namespace with fewer waiters displaces the last of the longest") {
  Rig at(1, 3);
  const auto first = at.from("loud");
  const auto loud = std::vector{at.from("loud"), at.from("loud"), at.from("loud")};

  const auto quiet = at.from("quiet");
  const auto full = at.limiter->waiting();

  CHECK(shown(**loud[2]) ==
        "overloaded: queries in flight: 1, waiting: 3; raise maxInFlight or maxWaiting, or query "
        "less often");
  CHECK_FALSE(quiet->has_value());
  CHECK(full == 3);
  CHECK(served(at, first, {{'1', loud[0]}, {'2', loud[1]}, {'q', quiet}}) == "q12");
}

TEST_CASE("a full queue that is shared equally accepts no more of either namespace") {
  Rig at(1, 3);
  const auto first = at.from("a");
  const auto waiting = std::vector{at.from("a"), at.from("a"), at.from("b")};

  const auto more_of_a = at.from("a");
  const auto more_of_b = at.from("b");

  REQUIRE(more_of_a->has_value());
  CHECK((**more_of_a).error().code == Errc::overloaded);
  REQUIRE(more_of_b->has_value());
  CHECK((**more_of_b).error().code == Errc::overloaded);
  CHECK(at.limiter->waiting() == 3);
}

TEST_CASE("a full limiter rejects at once") {
  Rig at(1, 1);
  const auto first = at.acquire();
  const auto second = at.acquire();

  const auto third = at.acquire();

  REQUIRE(third->has_value());
  CHECK(shown(**third) ==
        "overloaded: queries in flight: 1, waiting: 1; raise maxInFlight or maxWaiting, or query "
        "less often");
  CHECK(at.limiter->waiting() == 1);
}

TEST_CASE("a limiter without a queue rejects the first query beyond the limit") {
  Rig at(1, 0);
  const auto first = at.acquire();

  const auto second = at.acquire();

  REQUIRE(second->has_value());
  CHECK((**second).error().code == Errc::overloaded);
}

TEST_CASE("a wait past the deadline ends, and frees its place in the queue") {
  Rig at(1, 1);
  const auto first = at.acquire();

  const auto late = test::finish(at.loop, at.acquire(5ms));
  const auto next = at.acquire();

  CHECK(shown(late) == "timed_out: still queued, maxInFlight 1 is reached");
  CHECK_FALSE(next->has_value());
  CHECK(at.limiter->waiting() == 1);
}

TEST_CASE("a query whose deadline has passed does not wait") {
  Rig at(1, 1);
  const auto first = at.acquire();

  const auto late = test::finish(at.loop, at.acquire(0ms));

  CHECK(late.error().code == Errc::timed_out);
}

TEST_CASE("a waiter that gave up is skipped") {
  Rig at(1, 10);
  auto first = at.acquire();
  const auto gives_up = at.acquire(5ms);
  const auto third = at.acquire();

  const auto late = test::finish(at.loop, gives_up);
  first->reset();
  settle(at.loop);

  CHECK(late.error().code == Errc::timed_out);
  CHECK(has_permit(third));
}

TEST_CASE("a destroyed loop destroys its waiters") {
  auto limiter = std::shared_ptr<ConcurrencyLimiter>();
  std::weak_ptr<ConcurrencyLimiter> kept;

  {
    Rig at(1, 10);
    kept = at.limiter;
    limiter = at.limiter;
    const auto first = at.acquire();
    const auto second = at.acquire();
    const auto third = at.acquire();
    CHECK(limiter->waiting() == 2);
  }

  CHECK(limiter->waiting() == 0);
}

TEST_CASE("a permit outlives its limiter's other owners") {
  Rig at(1, 10);
  auto first = at.acquire();
  const std::weak_ptr<ConcurrencyLimiter> kept = at.limiter;

  at.limiter.reset();
  const bool is_alive = !kept.expired();
  first->reset();

  CHECK(is_alive);
  CHECK(kept.expired());
}

}  // namespace
}  // namespace weir::scalers::read
