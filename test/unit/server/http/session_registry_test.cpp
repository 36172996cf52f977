#include "server/http/session_registry.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace weir::server {
namespace {

using namespace std::chrono_literals;

const SteadyTime kNow{1h};

PeerAddress at(int number) {
  return PeerAddress(boost::asio::ip::make_address("10.0.0." + std::to_string(number)));
}

// A session that stays in the registry until the test is over, as one whose coroutine has not run.
class Session final : public TrackedSession {
 public:
  Session(SessionRegistry& registry, const PeerAddress& address, SteadyTime now)
      : registry_(registry), id_(registry.enter(this, address, now)), waiting_since_(now) {}
  ~Session() override { registry_.leave(id_); }

  void expire(SteadyTime /*now*/) override {}
  void close() override { is_closed = true; }
  void begin_handshake() override { has_turn = true; }
  [[nodiscard]] bool is_idle() const override { return false; }
  [[nodiscard]] std::optional<SteadyTime> waiting_since() const override {
    return is_closed ? std::nullopt : std::optional(waiting_since_);
  }

  void certify(SteadyTime now) {
    registry_.wait_for_turn(id_, now);
    registry_.end_handshake(id_, true, now);
  }
  void wait_for_turn(SteadyTime now) { registry_.wait_for_turn(id_, now); }

  bool is_closed = false;
  bool has_turn = false;

 private:
  SessionRegistry& registry_;
  ConnectionId id_;
  SteadyTime waiting_since_;
};

class Rig {
 public:
  explicit Rig(std::size_t pool) { registry.set_pool(pool); }

  // As the listener does it; nullptr: turned away.
  Session* connect(int address, SteadyTime now) {
    if (!registry.make_room(now)) return nullptr;
    return sessions_.emplace_back(std::make_unique<Session>(registry, at(address), now)).get();
  }
  void connect_many(int count, int address, SteadyTime now) {
    for (int n = 0; n < count; ++n) (void)connect(address, now);
  }
  [[nodiscard]] std::size_t closed() const {
    std::size_t out = 0;
    for (const auto& session : sessions_) out += session->is_closed ? 1 : 0;
    return out;
  }

  Telemetry telemetry;
  SessionRegistry registry{telemetry};

 private:
  std::vector<std::unique_ptr<Session>> sessions_;
};

TEST_CASE(
    "S40: strangers have an eighth of the connections, and lose what is older than a second") {
  Rig rig(80);
  Session* probe = rig.connect(1, kNow);
  rig.connect_many(30, 2, kNow);

  rig.registry.expire(kNow + 999ms);
  CHECK(rig.registry.strangers() == 31);
  rig.registry.expire(kNow + 1s);
  CHECK(rig.registry.strangers() == 10);
  CHECK(rig.closed() == 21);
  CHECK_FALSE(probe->is_closed);
}

TEST_CASE("S40: half of the connections is all that strangers have, however young they are") {
  Rig rig(80);
  rig.connect_many(200, 2, kNow);

  CHECK(rig.registry.strangers() == 40);
  CHECK(rig.closed() == 160);
}

TEST_CASE("S40: one address evicts only its own connections") {
  Rig rig(80);
  Session* certified = rig.connect(1, kNow);
  certified->certify(kNow);
  Session* probe = rig.connect(3, kNow);
  rig.connect_many(1000, 2, kNow + 5s);
  rig.registry.expire(kNow + 10s);

  CHECK_FALSE(certified->is_closed);
  CHECK_FALSE(probe->is_closed);
  CHECK(rig.registry.certified() == 1);
}

TEST_CASE("S40: certified connections are not among the strangers, and have no share") {
  Rig rig(80);
  for (int n = 0; n < 79; ++n) {
    Session* session = rig.connect(1, kNow);
    REQUIRE(session != nullptr);
    session->certify(kNow);
  }
  rig.registry.expire(kNow + 1h);

  CHECK(rig.closed() == 0);
  CHECK(rig.registry.certified() == 79);
}

TEST_CASE("S40: in a full pool what certified connections have beyond seven eighths is lent") {
  Rig rig(80);
  Session* first = rig.connect(1, kNow);
  first->certify(kNow);
  for (int n = 0; n < 79; ++n) rig.connect(1, kNow + 1ms)->certify(kNow + 1ms);

  CHECK(rig.registry.is_full());
  CHECK(rig.connect(2, kNow + 500ms) == nullptr);  // none has been idle for a second
  CHECK(rig.connect(2, kNow + 2s) != nullptr);
  CHECK(first->is_closed);
  CHECK(rig.closed() == 1);
  // Ten of the connections are not lent: the strangers among them lose their own.
  rig.connect_many(100, 2, kNow + 4s);
  CHECK(rig.registry.certified() == 70);
  CHECK(rig.registry.strangers() == 10);
}

TEST_CASE("S40: a smaller pool closes what is too much") {
  Rig rig(80);
  for (int n = 0; n < 20; ++n) rig.connect(1, kNow)->certify(kNow);
  rig.registry.set_pool(16);
  rig.registry.expire(kNow + 2s);

  CHECK(rig.registry.certified() == 16);
  CHECK(rig.registry.pool() == 16);
}

TEST_CASE("S40: a hanging handshake ends for one of another address") {
  Rig rig(2048);
  std::vector<Session*> hanging;
  for (int n = 0; n < 128; ++n) {
    hanging.push_back(rig.connect(10 + n % 4, kNow));
    hanging.back()->wait_for_turn(kNow);
    REQUIRE(hanging.back()->has_turn);
  }
  Session* probe = rig.connect(1, kNow + 300ms);
  probe->wait_for_turn(kNow + 300ms);

  CHECK(probe->has_turn);
  CHECK(rig.closed() == 1);
}

TEST_CASE("a session of a CA that is no longer trusted is a stranger") {
  Rig rig(80);
  Session session(rig.registry, at(1), kNow);
  session.certify(kNow);
  REQUIRE(rig.registry.certified() == 1);

  rig.registry.set_certified(1, false, kNow);
  CHECK(rig.registry.certified() == 0);
  CHECK(rig.registry.strangers() == 1);
}

TEST_CASE("an evicted session that waits for its turn has none") {
  Rig rig(8);
  Session* evicted = rig.connect(1, kNow);
  rig.connect_many(8, 1, kNow);
  REQUIRE(evicted->is_closed);
  evicted->wait_for_turn(kNow);

  CHECK_FALSE(evicted->has_turn);
}

}  // namespace
}  // namespace weir::server
