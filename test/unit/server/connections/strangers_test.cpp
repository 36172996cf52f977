#include "server/connections/strangers.hpp"

#include <catch2/catch.hpp>

#include <chrono>

namespace weir::server {
namespace {

using namespace std::chrono_literals;

const SteadyTime kNow{1h};

PeerAddress at(const char* text) { return PeerAddress(boost::asio::ip::make_address(text)); }

// Strangers of the numbers from `first` on.
void add(Strangers& strangers, ConnectionId first, int count, const PeerAddress& address) {
  for (int n = 0; n < count; ++n)
    strangers.add(first + static_cast<ConnectionId>(n), address, kNow);
}

TEST_CASE("S40: the address with the most connections loses its oldest") {
  Strangers strangers;
  add(strangers, 1, 1, at("10.0.0.1"));
  add(strangers, 2, 3, at("10.0.0.2"));
  add(strangers, 5, 2, at("10.0.0.3"));

  CHECK(strangers.next_to_evict()->id == 2);
  strangers.remove(2, at("10.0.0.2"));
  CHECK(strangers.size() == 5);
  // Two addresses with two: the oldest of both.
  CHECK(strangers.next_to_evict()->id == 3);
  strangers.remove(3, at("10.0.0.2"));
  CHECK(strangers.next_to_evict()->id == 5);
}

TEST_CASE("without strangers there is none to evict") {
  Strangers strangers;
  CHECK_FALSE(strangers.next_to_evict());
  add(strangers, 1, 1, at("10.0.0.1"));
  strangers.remove(1, at("10.0.0.1"));

  CHECK_FALSE(strangers.next_to_evict());
  CHECK(strangers.size() == 0);
}

TEST_CASE("a connection that was removed already changes nothing") {
  Strangers strangers;
  add(strangers, 1, 1, at("10.0.0.1"));
  strangers.remove(7, at("10.0.0.1"));
  strangers.remove(1, at("10.0.0.2"));

  CHECK(strangers.size() == 1);
  CHECK(strangers.next_to_evict()->id == 1);
}

TEST_CASE(
    "S40: what an address with a certified connection has under way weighs nothing, within the "
    "allowance") {
  Strangers strangers;
  strangers.set_allowance(10);
  strangers.certified_began(at("10.0.0.1"));
  add(strangers, 1, 10, at("10.0.0.1"));
  add(strangers, 11, 2, at("10.0.0.2"));

  CHECK(strangers.next_to_evict()->id == 11);
  add(strangers, 13, 4, at("10.0.0.1"));  // four over the allowance are more than two
  CHECK(strangers.next_to_evict()->id == 1);
}

TEST_CASE("S40: a certified connection counts for ten minutes after its end") {
  Strangers strangers;
  strangers.set_allowance(10);
  add(strangers, 1, 5, at("10.0.0.1"));
  add(strangers, 6, 2, at("10.0.0.2"));
  strangers.certified_began(at("10.0.0.1"));
  strangers.certified_ended(at("10.0.0.1"), kNow);

  strangers.forget(kNow + 10min);
  CHECK(strangers.next_to_evict()->id == 6);
  strangers.forget(kNow + 10min + 1s);
  CHECK(strangers.next_to_evict()->id == 1);
}

TEST_CASE("a changed allowance counts at once") {
  Strangers strangers;
  strangers.certified_began(at("10.0.0.1"));
  add(strangers, 1, 5, at("10.0.0.1"));
  add(strangers, 6, 2, at("10.0.0.2"));

  CHECK(strangers.next_to_evict()->id == 1);
  strangers.set_allowance(4);
  CHECK(strangers.next_to_evict()->id == 6);
}

TEST_CASE("the time of a stranger is that of its beginning") {
  Strangers strangers;
  strangers.add(1, at("10.0.0.1"), kNow);
  strangers.add(2, at("10.0.0.1"), kNow + 1s);

  CHECK(strangers.next_to_evict()->since == kNow);
  CHECK(strangers.next_to_evict()->address == at("10.0.0.1"));
}

TEST_CASE(
    "S40: an address is trusted while a certified connection is open and some minutes after") {
  Strangers strangers;
  CHECK_FALSE(strangers.is_trusted(at("10.0.0.1")));
  add(strangers, 1, 1, at("10.0.0.1"));
  CHECK_FALSE(strangers.is_trusted(at("10.0.0.1")));

  strangers.certified_began(at("10.0.0.1"));
  CHECK(strangers.is_trusted(at("10.0.0.1")));
  CHECK_FALSE(strangers.is_trusted(at("10.0.0.2")));
  strangers.certified_ended(at("10.0.0.1"), kNow);
  strangers.forget(kNow + 10min);
  CHECK(strangers.is_trusted(at("10.0.0.1")));
  strangers.forget(kNow + 10min + 1s);
  CHECK_FALSE(strangers.is_trusted(at("10.0.0.1")));
}

}  // namespace
}  // namespace weir::server
