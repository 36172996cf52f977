#include "server/connections/handshakes.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

namespace weir::server {
namespace {

using namespace std::chrono_literals;

const SteadyTime kNow{1h};

PeerAddress at(int number) {
  return PeerAddress(boost::asio::ip::make_address("10.0.0." + std::to_string(number)));
}

void add(Handshakes& handshakes,
         ConnectionId first,
         std::size_t count,
         const PeerAddress& address) {
  for (std::size_t n = 0; n < count; ++n) handshakes.add(first + n, address, false);
}

std::size_t begin_all(Handshakes& handshakes, SteadyTime now, bool is_under_pressure = false) {
  std::size_t out = 0;
  while (handshakes.begin_next(now, is_under_pressure)) ++out;
  return out;
}

TEST_CASE("S40: 64 handshakes of an address run at once, the others wait") {
  Handshakes handshakes;
  add(handshakes, 1, 100, at(1));

  CHECK(begin_all(handshakes, kNow) == 64);
  CHECK(handshakes.waiting() == 36);
  handshakes.end(1, at(1), true);
  CHECK(handshakes.begin_next(kNow, false) == 65);
  CHECK_FALSE(handshakes.begin_next(kNow, false));
}

TEST_CASE(
    "S40: the address with the fewest running handshakes is next, then the connection that waits "
    "longest") {
  Handshakes handshakes;
  add(handshakes, 1, 3, at(1));
  add(handshakes, 4, 1, at(2));

  CHECK(handshakes.begin_next(kNow, false) == 1);
  CHECK(handshakes.begin_next(kNow, false) == 4);
  CHECK(handshakes.begin_next(kNow, false) == 2);
  CHECK(handshakes.begin_next(kNow, false) == 3);
}

TEST_CASE("S40: without room the oldest handshake of the address with the most has to end") {
  Handshakes handshakes;
  for (int address = 1; address <= 2; ++address)
    add(handshakes, static_cast<ConnectionId>(100 * address), 64, at(address));
  REQUIRE(begin_all(handshakes, kNow) == Handshakes::kMost);
  CHECK_FALSE(handshakes.next_to_evict(kNow + 1s));  // none waits

  handshakes.add(1, at(9), false);
  CHECK_FALSE(handshakes.begin_next(kNow + 1s, false));
  CHECK_FALSE(handshakes.next_to_evict(kNow + 249ms));
  CHECK(handshakes.next_to_evict(kNow + 250ms) == 100);
  handshakes.end(100, at(1), false);
  CHECK(handshakes.begin_next(kNow + 1s, false) == 1);
}

TEST_CASE("S40: strangers do not take the places of a trusted address") {
  Handshakes handshakes;
  for (ConnectionId id = 100; id < 164; ++id) handshakes.add(id, at(1), true);
  for (ConnectionId id = 200; id < 264; ++id) handshakes.add(id, at(2), true);
  REQUIRE(begin_all(handshakes, kNow) == Handshakes::kMost);

  handshakes.add(1, at(9), false);
  CHECK_FALSE(handshakes.next_to_evict(kNow + 1s));
  handshakes.add(2, at(8), true);
  CHECK(handshakes.next_to_evict(kNow + 1s) == 100);
}

TEST_CASE("S40: an address with as many running handshakes as the others evicts none of theirs") {
  Handshakes handshakes;
  for (int address = 1; address <= 4; ++address)
    add(handshakes, static_cast<ConnectionId>(100 * address), 33, at(address));
  REQUIRE(begin_all(handshakes, kNow) == Handshakes::kMost);

  CHECK_FALSE(handshakes.next_to_evict(kNow + 10s));
}

TEST_CASE("S40: under pressure an address begins 64 at once and 64 a second") {
  Handshakes handshakes;
  for (ConnectionId id = 1; id <= 200; ++id) handshakes.add(id, at(1), false);
  std::size_t begun = 0;
  while (const auto id = handshakes.begin_next(kNow, true)) {
    handshakes.end(*id, at(1), false);
    ++begun;
  }
  CHECK(begun == 64);

  handshakes.tick(kNow + 500ms);
  while (const auto id = handshakes.begin_next(kNow + 500ms, true)) {
    handshakes.end(*id, at(1), false);
    ++begun;
  }
  CHECK(begun == 96);
  CHECK(handshakes.waiting() == 104);
}

TEST_CASE("S40: an address that had its turn longest ago, or none yet, is next among equals") {
  Handshakes handshakes;
  handshakes.add(1, at(1), false);
  REQUIRE(handshakes.begin_next(kNow, true) == 1);
  handshakes.end(1, at(1), false);
  handshakes.add(2, at(2), false);
  REQUIRE(handshakes.begin_next(kNow + 1ms, true) == 2);
  handshakes.end(2, at(2), false);

  handshakes.add(3, at(2), false);
  handshakes.add(4, at(1), false);
  handshakes.add(5, at(3), false);

  CHECK(handshakes.begin_next(kNow + 2ms, true) == 5);
  CHECK(handshakes.begin_next(kNow + 2ms, true) == 4);
  CHECK(handshakes.begin_next(kNow + 2ms, true) == 3);
}

TEST_CASE("S40: under pressure all strangers together begin 256 a second, trusted addresses more") {
  Handshakes handshakes;
  std::size_t begun = 0;
  for (ConnectionId id = 1; id <= 600; ++id)
    handshakes.add(id, at(static_cast<int>(id % 60)), false);
  const auto run = [&](SteadyTime now) {
    while (const auto id = handshakes.begin_next(now, true)) {
      handshakes.end(*id, at(static_cast<int>(*id % 60)), false);
      ++begun;
    }
  };
  run(kNow);
  CHECK(begun == 256);
  run(kNow + 500ms);
  CHECK(begun == 384);

  handshakes.add(700, at(70), true);
  CHECK(handshakes.begin_next(kNow + 500ms, true) == 700);
  handshakes.add(701, at(71), false);
  CHECK_FALSE(handshakes.begin_next(kNow + 500ms, true));
  CHECK(handshakes.begin_next(kNow + 510ms, true) == 701);  // before those that had a turn
}

TEST_CASE("S40: an address that shows a trusted certificate is trusted with its next ones") {
  Handshakes handshakes;
  add(handshakes, 1, 2, at(1));
  add(handshakes, 10, 1, at(2));
  REQUIRE(handshakes.begin_next(kNow, true) == 1);
  REQUIRE(handshakes.begin_next(kNow, true) == 10);
  add(handshakes, 11, 1, at(2));
  handshakes.end(10, at(2), true);

  CHECK(handshakes.begin_next(kNow + 1ms, true) == 11);
}

TEST_CASE("S40: without pressure there is no rate") {
  Handshakes handshakes;
  std::size_t begun = 0;
  for (ConnectionId id = 1; id <= 1000; ++id) {
    handshakes.add(id, at(1), false);
    if (handshakes.begin_next(kNow, false) == id) ++begun;
    handshakes.end(id, at(1), false);
  }
  CHECK(begun == 1000);
}

TEST_CASE("S40: handshakes with a trusted certificate do not count in the rate") {
  Handshakes handshakes;
  std::size_t begun = 0;
  for (ConnectionId id = 1; id <= 1000; ++id) {
    handshakes.add(id, at(1), false);
    if (handshakes.begin_next(kNow, true) == id) ++begun;
    handshakes.end(id, at(1), true);
  }
  CHECK(begun == 1000);
}

TEST_CASE("S40: an address over its rate keeps no other from its turn") {
  Handshakes handshakes;
  add(handshakes, 1, 100, at(1));
  REQUIRE(begin_all(handshakes, kNow, true) == 64);
  for (ConnectionId id = 1; id <= 64; ++id) handshakes.end(id, at(1), false);
  CHECK_FALSE(handshakes.begin_next(kNow, true));

  handshakes.add(101, at(2), false);
  CHECK(handshakes.begin_next(kNow, true) == 101);
}

TEST_CASE("a connection that closes while it waits has no turn") {
  Handshakes handshakes;
  add(handshakes, 1, 2, at(1));
  handshakes.end(1, at(1), false);
  handshakes.end(1, at(1), false);  // again, and of an address without any
  handshakes.end(7, at(2), false);

  CHECK(handshakes.waiting() == 1);
  CHECK(handshakes.begin_next(kNow, false) == 2);
  CHECK_FALSE(handshakes.begin_next(kNow, false));
  CHECK(handshakes.running() == 1);
}

}  // namespace
}  // namespace weir::server
