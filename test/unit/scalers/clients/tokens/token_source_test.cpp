// When a token is fetched, renewed and dropped, and how a failure is cached.
#include "scalers/clients/tokens/token_source.hpp"

#include "scalers/signal.hpp"
#include "test/rigs/folder.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

using namespace std::chrono_literals;

// Gives `outcome` once `gate` is raised.
class FakeProvider final : public Provider {
 public:
  explicit FakeProvider(Loop& loop) : gate(std::make_shared<Signal>(loop)) {}

  [[nodiscard]] awaitable<Result<Grant>> fetch(Deadline /*deadline*/) override {
    ++fetches;
    const auto opened = gate;
    const bool is_open = co_await opened->wait(20s);
    REQUIRE(is_open);
    co_return outcome;
  }
  [[nodiscard]] std::vector<SecretFile> files() const override { return watched; }

  std::shared_ptr<Signal> gate;
  Result<Grant> outcome = Grant{Secret("one"), {}, {}, 100s};
  std::vector<SecretFile> watched;
  int fetches = 0;
};

struct Site {
  Site() {
    auto owned = std::make_unique<FakeProvider>(loop);
    provider = owned.get();
    provider->gate->raise();
    source = std::make_shared<TokenSource>(loop, clock, std::move(owned));
  }
  [[nodiscard]] Deadline deadline() const { return Deadline::after(clock.steady(), 20s); }
  void reject() { TokenSource::reject(source, source->last()); }
  std::string get() {
    const auto grant = test::run(loop, TokenSource::get(source, deadline()));
    test::settle(loop);
    if (grant) return (*grant)->secret.reveal();
    return std::string(name_of(grant.error().code)) + ": " + grant.error().message();
  }
  void close_gate() { provider->gate = std::make_shared<Signal>(loop); }
  void give(const std::string& token) { provider->outcome = Grant{Secret(token), {}, {}, 100s}; }
  void fail(Errc code) { provider->outcome = Error{code, "no", "words"}; }

  Loop loop;
  test::FakeClock clock;
  FakeProvider* provider = nullptr;
  std::shared_ptr<TokenSource> source;
};

}  // namespace

TEST_CASE("a token is fetched once and serves until four fifths of its life") {
  Site site;

  CHECK(site.get() == "one");
  site.give("two");
  site.clock.advance(79'999ms);

  CHECK(site.get() == "one");
  CHECK(site.provider->fetches == 1);
}

TEST_CASE("from four fifths of its life on a token is renewed while the old one serves") {
  Site site;
  CHECK(site.get() == "one");
  site.give("two");
  site.close_gate();
  site.clock.advance(80s);

  CHECK(site.get() == "one");
  CHECK(site.get() == "one");
  CHECK(site.provider->fetches == 2);
  site.provider->gate->raise();
  test::settle(site.loop);

  CHECK(site.get() == "two");
  CHECK(site.provider->fetches == 2);
}

TEST_CASE("reads that need the first token wait for one fetch together") {
  Site site;
  site.close_gate();
  const auto first = test::start(site.loop, TokenSource::get(site.source, site.deadline()));
  const auto second = test::start(site.loop, TokenSource::get(site.source, site.deadline()));
  test::settle(site.loop);
  CHECK(site.provider->fetches == 1);

  site.provider->gate->raise();
  const auto one = test::finish(site.loop, first);
  const auto two = test::finish(site.loop, second);

  REQUIRE(one.has_value());
  REQUIRE(two.has_value());
  CHECK(*one == *two);
}

TEST_CASE("a renewal that fails leaves the old token until it ends, and then is the error") {
  Site site;
  CHECK(site.get() == "one");
  site.fail(Errc::unreachable);
  site.clock.advance(90s);

  CHECK(site.get() == "one");
  CHECK(site.provider->fetches == 2);
  CHECK(site.get() == "one");
  CHECK(site.provider->fetches == 2);  // 2 s have not passed
  site.clock.advance(2s);
  CHECK(site.get() == "one");
  CHECK(site.provider->fetches == 3);
  CHECK(site.source->failure()->message() == "no: words");
  CHECK(site.source->failed_at() == site.clock.steady());
  CHECK(site.source->is_serving());
  site.clock.advance(4s);  // 95 s: a reserve of a twentieth before the end

  CHECK(site.get() == "refused: no: words");
  CHECK_FALSE(site.source->is_serving());
}

TEST_CASE("a failure is cached by its kind, and every kind is a refusal for the read") {
  struct Row {
    Errc code;
    Duration pause;
  };
  const Row rows[] = {
      {Errc::refused, 30s},
      {Errc::unreachable, 2s},
      {Errc::timed_out, 2s},
      {Errc::tls, 10s},
      {Errc::overloaded, 10s},
      {Errc::bad_reply, 10s},
  };
  for (const Row& row : rows) {
    INFO(name_of(row.code));
    Site site;
    site.fail(row.code);
    CHECK(site.get() == "refused: no: words");
    site.give("two");
    site.clock.advance(row.pause - 1ms);

    CHECK(site.get() == "refused: no: words");
    CHECK(site.provider->fetches == 1);
    site.clock.advance(1ms);

    CHECK(site.get() == "two");
  }
}

TEST_CASE("a changed credential file ends the pause of a refusal") {
  const test::Folder folder;
  Site site;
  site.provider->watched = {SecretFile(folder.write("secret", "old"))};
  site.fail(Errc::refused);
  CHECK(site.get() == "refused: no: words");
  site.give("two");
  CHECK(site.get() == "refused: no: words");

  folder.write("secret", "new");

  CHECK(site.get() == "two");
}

TEST_CASE("a credential file that changes while a login is under way has not been refused") {
  const test::Folder folder;
  Site site;
  site.provider->watched = {SecretFile(folder.write("secret", "old"))};
  site.fail(Errc::refused);
  site.close_gate();
  const auto waiting = test::start(site.loop, TokenSource::get(site.source, site.deadline()));
  test::settle(site.loop);
  REQUIRE(site.provider->fetches == 1);

  folder.write("secret", "new");
  site.provider->gate->raise();

  CHECK_FALSE(test::finish(site.loop, waiting).has_value());
  site.give("two");
  CHECK(site.get() == "two");
}

TEST_CASE("a read whose deadline passes leaves the fetch to the next one") {
  Site site;
  site.close_gate();

  const auto late =
      test::run(site.loop,
                TokenSource::get(site.source, Deadline::after(site.clock.steady(), 1ms)));

  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == Errc::refused);
  CHECK(late.error().detail == "the login did not get a response in time");
  site.provider->gate->raise();
  test::settle(site.loop);
  CHECK(site.get() == "one");
  CHECK(site.provider->fetches == 1);
}

TEST_CASE("a token that the server refuses is renewed before the next read, but not a young one") {
  Site site;
  CHECK(site.get() == "one");
  site.give("two");
  site.clock.advance(29s);
  site.reject();
  CHECK(site.get() == "one");
  CHECK(site.provider->fetches == 1);
  site.clock.advance(1s);
  const GrantPtr refused = site.source->last();

  TokenSource::reject(site.source, refused);
  test::settle(site.loop);

  CHECK(site.provider->fetches == 2);
  CHECK(site.get() == "two");
  site.clock.advance(60s);
  TokenSource::reject(site.source, refused);  // of a request that took long
  CHECK(site.get() == "two");
  CHECK(site.provider->fetches == 2);
}

TEST_CASE("while the provider does not renew a refused token, refusals start no more logins") {
  Site site;
  CHECK(site.get() == "one");
  site.clock.advance(30s);
  site.fail(Errc::refused);

  for (int reads = 0; reads < 3; ++reads) {
    site.reject();
    CHECK(site.get() == "one");
  }

  CHECK(site.provider->fetches == 2);
}

TEST_CASE("a renewal that does not end refusals doubles the age of the next one, to 10 min") {
  Site site;
  site.provider->outcome = Grant{Secret("one"), {}, {}, 3600s};
  CHECK(site.get() == "one");
  int fetches = 1;
  for (const Duration age : {30s, 60s, 120s, 240s, 480s, 600s, 600s}) {
    INFO(age.count());
    site.reject();
    site.clock.advance(age - 1ms);
    site.reject();
    test::settle(site.loop);
    CHECK(site.provider->fetches == fetches);
    site.clock.advance(1ms);

    site.reject();
    test::settle(site.loop);

    CHECK(site.provider->fetches == ++fetches);
  }
}

TEST_CASE("a token that served without a refusal makes the age to renew a refused one 30 s again") {
  struct Row {
    std::string name;
    Duration life;
    Duration served;
    int renewals;
  };
  const Row rows[] = {
      {"for 10 min", 3600s, 600s, 0},
      {"until its regular renewal", 100s, 80s, 1},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    Site site;
    site.provider->outcome = Grant{Secret("one"), {}, {}, row.life};
    CHECK(site.get() == "one");
    site.clock.advance(30s);
    site.reject();
    test::settle(site.loop);
    REQUIRE(site.provider->fetches == 2);  // the next age is 60 s

    site.clock.advance(row.served);
    CHECK(site.get() == "one");
    CHECK(site.provider->fetches == 2 + row.renewals);
    if (row.renewals == 0) {
      site.reject();
      test::settle(site.loop);
      REQUIRE(site.provider->fetches == 3);  // by 30 s, and the next age is 60 s
      site.clock.advance(60s);
    } else {
      site.clock.advance(30s);
    }
    const int before = site.provider->fetches;
    site.reject();
    test::settle(site.loop);

    CHECK(site.provider->fetches == before + 1);
  }
}

TEST_CASE("a source that is gone lets its fetch end") {
  Site site;
  site.close_gate();
  const auto waiting = test::start(site.loop, TokenSource::get(site.source, site.deadline()));
  test::settle(site.loop);
  const auto gate = site.provider->gate;

  site.source.reset();
  gate->raise();

  CHECK(test::finish(site.loop, waiting).has_value());
}

}  // namespace weir::scalers::clients
