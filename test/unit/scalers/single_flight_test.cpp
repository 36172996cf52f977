// Who joins whom, who is woken when, and what is left when the work or its owner goes away.
#include "scalers/single_flight.hpp"

#include "test/rigs/loop.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace weir::scalers {
namespace {

using test::finish;
using test::Pending;
using test::settle;
using test::start;
using namespace std::chrono_literals;

using Numbers = SingleFlight<std::string, int>;

// What a waiter sees: whether it was woken in time, and the value.
struct Seen {
  bool is_done;
  std::optional<int> value;
};

constexpr SteadyTime kNow{1h};

awaitable<Seen> wait_for(Numbers::InFlightPtr in_flight, Duration budget) {
  const bool is_done = co_await in_flight->wait(Deadline::after(kNow, budget), kNow);
  co_return Seen{is_done, in_flight->value()};
}

// Work that waits for `release`, and then throws.
awaitable<void> fail_after(std::shared_ptr<Signal> release, Numbers::InFlightPtr in_flight) {
  const Numbers::Run run(std::move(in_flight));
  const bool is_released = co_await release->wait(20s);
  if (is_released) throw std::runtime_error("no number");
}

struct Rig {
  Pending<Seen> begin(const Numbers::InFlightPtr& in_flight, Duration budget = 20s) {
    return start(*loop, wait_for(in_flight, budget));
  }
  Numbers::Joined join_or_start(const std::string& key = "a") {
    return numbers->join_or_start(key, kNow, 1s);
  }

  std::unique_ptr<Loop> loop = std::make_unique<Loop>();
  std::unique_ptr<Numbers> numbers = std::make_unique<Numbers>(*loop);
};

TEST_CASE("the first caller starts the work, and later callers with its key join") {
  Rig rig;

  const auto first = rig.join_or_start("a");
  const auto second = rig.join_or_start("a");
  const auto other = rig.join_or_start("b");

  CHECK(first.is_started);
  CHECK_FALSE(second.is_started);
  CHECK(second.in_flight == first.in_flight);
  CHECK(other.is_started);
  CHECK(other.in_flight != first.in_flight);
  CHECK(rig.numbers->size() == 2);
  CHECK(rig.numbers->find("a") == first.in_flight);
  CHECK(rig.numbers->find("c") == nullptr);
  CHECK(first.in_flight->started == kNow);
  CHECK(first.in_flight->budget == 1s);
}

TEST_CASE("completion wakes every waiter with the value, and removes the key") {
  Rig rig;
  const auto work = rig.join_or_start().in_flight;
  const auto one = rig.begin(work);
  const auto two = rig.begin(rig.join_or_start().in_flight);
  settle(*rig.loop);
  const bool is_early = one->has_value() || two->has_value();

  work->complete(7);
  settle(*rig.loop);

  CHECK_FALSE(is_early);
  REQUIRE(one->has_value());
  REQUIRE(two->has_value());
  CHECK((*one)->value == 7);
  CHECK((*two)->value == 7);
  CHECK(rig.numbers->size() == 0);
  CHECK(rig.join_or_start().is_started);
}

TEST_CASE("a wait after the completion returns the value at once") {
  Rig rig;
  const auto work = rig.join_or_start().in_flight;
  work->complete(7);

  const auto late = rig.begin(work, 0ms);
  settle(*rig.loop);

  REQUIRE(late->has_value());
  CHECK((*late)->is_done);
  CHECK((*late)->value == 7);
}

TEST_CASE("a waiter stops at its deadline, and the work continues for the others") {
  Rig rig;
  const auto work = rig.join_or_start().in_flight;
  const auto patient = rig.begin(work);

  const auto hasty = finish(*rig.loop, rig.begin(work, 5ms));
  const bool is_patient_waiting = !patient->has_value();
  const bool is_joined = !rig.join_or_start().is_started;
  work->complete(7);

  CHECK_FALSE(hasty.is_done);
  CHECK_FALSE(hasty.value.has_value());
  CHECK(is_patient_waiting);
  CHECK(is_joined);
  CHECK(finish(*rig.loop, patient).value == 7);
}

TEST_CASE("work that may not be joined gives its key to new work, and still wakes its waiters") {
  Rig rig;
  const auto old = rig.join_or_start().in_flight;
  const auto waiter = rig.begin(old);
  settle(*rig.loop);

  const auto replaced = rig.numbers->join_or_start("a", kNow + 1s, 2s, [&](const auto& found) {
    return found.started > kNow;
  });
  const auto joined = rig.numbers->join_or_start("a", kNow + 1s, 2s, [&](const auto& found) {
    return found.started > kNow;
  });
  old->complete(7);
  const auto still_in_flight = rig.numbers->find("a");

  CHECK(replaced.is_started);
  CHECK(replaced.in_flight != old);
  CHECK(joined.in_flight == replaced.in_flight);
  CHECK(still_in_flight == replaced.in_flight);
  CHECK_FALSE(replaced.in_flight->value().has_value());
  CHECK(finish(*rig.loop, waiter).value == 7);
}

TEST_CASE("only the first completion of the work has an effect") {
  Rig rig;
  const auto completed = rig.join_or_start("a").in_flight;
  const auto abandoned = rig.join_or_start("b").in_flight;

  completed->complete(7);
  const auto newer = rig.join_or_start("a").in_flight;
  completed->complete(8);
  completed->abandon();
  abandoned->abandon();
  abandoned->complete(9);

  CHECK(completed->value() == 7);
  CHECK_FALSE(abandoned->value().has_value());
  CHECK(rig.numbers->find("a") == newer);
}

TEST_CASE("work that throws wakes its waiters without a value, and frees its key") {
  Rig rig;
  const auto release = std::make_shared<Signal>(*rig.loop);
  const auto work = rig.join_or_start().in_flight;
  const auto one = rig.begin(work);
  const auto two = rig.begin(work);
  boost::asio::co_spawn(rig.loop->get_executor(), fail_after(release, work), rethrow);
  settle(*rig.loop);
  const bool is_early = one->has_value() || two->has_value();

  release->raise();
  CHECK_THROWS_WITH(settle(*rig.loop), "no number");
  settle(*rig.loop);

  CHECK_FALSE(is_early);
  REQUIRE(one->has_value());
  REQUIRE(two->has_value());
  CHECK((*one)->is_done);
  CHECK_FALSE((*one)->value.has_value());
  CHECK_FALSE((*two)->value.has_value());
  CHECK(rig.join_or_start().is_started);
}

TEST_CASE("the owner's end wakes the waiters, and a later completion does not touch the owner") {
  Rig rig;
  const auto work = rig.join_or_start().in_flight;
  const auto waiter = rig.begin(work);
  settle(*rig.loop);

  rig.numbers.reset();
  settle(*rig.loop);
  work->complete(7);

  REQUIRE(waiter->has_value());
  CHECK((*waiter)->is_done);
  CHECK_FALSE((*waiter)->value.has_value());
  CHECK_FALSE(work->value().has_value());
}

TEST_CASE("replaced work may be completed after the owner's end") {
  Rig rig;
  const auto old = rig.join_or_start().in_flight;
  const auto waiter = rig.begin(old);
  const auto replaced =
      rig.numbers->join_or_start("a", kNow, 1s, [](const auto&) { return false; });
  settle(*rig.loop);

  rig.numbers.reset();
  old->complete(7);

  CHECK(replaced.is_started);
  CHECK(finish(*rig.loop, waiter).value == 7);
}

TEST_CASE("the loop may destroy the work and its waiters in any order") {
  Rig rig;
  const auto release = std::make_shared<Signal>(*rig.loop);
  std::weak_ptr<Numbers::InFlight> kept;
  {
    const auto work = rig.join_or_start().in_flight;
    kept = work;
    const auto before = rig.begin(work);
    boost::asio::co_spawn(rig.loop->get_executor(), fail_after(release, work), rethrow);
    const auto after = rig.begin(work);
    settle(*rig.loop);
    CHECK_FALSE(before->has_value());
    CHECK_FALSE(after->has_value());
  }

  rig.loop.reset();

  CHECK(kept.expired());
  CHECK(rig.numbers->size() == 0);
}

TEST_CASE("work may end while only the map references it") {
  Rig rig;
  static_cast<void>(rig.join_or_start());
  auto& in_flight = *rig.numbers->find("a");

  in_flight.complete(7);

  CHECK(rig.numbers->size() == 0);
  CHECK(rig.join_or_start().is_started);
}

}  // namespace
}  // namespace weir::scalers
