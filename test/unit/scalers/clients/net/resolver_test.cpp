// This program's getaddrinfo is the one below: no test asks a name server, and the look-ups are
// counted.
#include "scalers/clients/net/resolver.hpp"

#include "test/rigs/loop.hpp"
#include "test/rigs/shown.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <netdb.h>

#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

// What the name servers do: know "one.test" and "both.test", keep silent on "silent.test" until
// released.
struct NameServers {
  std::mutex mutex;
  std::condition_variable released;
  bool is_released = false;
  std::map<std::string, int> lookups;
};

NameServers& servers() {
  static NameServers one;
  return one;
}

template <class Address>
addrinfo* address(int family, const char* text, addrinfo* next) {
  auto* out = static_cast<addrinfo*>(std::calloc(1, sizeof(addrinfo)));
  auto* socket_address = static_cast<Address*>(std::calloc(1, sizeof(Address)));
  if constexpr (sizeof(Address) == sizeof(sockaddr_in)) {
    socket_address->sin_family = AF_INET;
    ::inet_pton(family, text, &socket_address->sin_addr);
  } else {
    socket_address->sin6_family = AF_INET6;
    ::inet_pton(family, text, &socket_address->sin6_addr);
  }
  out->ai_family = family;
  out->ai_addrlen = sizeof(Address);
  out->ai_addr = reinterpret_cast<sockaddr*>(socket_address);
  out->ai_next = next;
  return out;
}

int look_up(const std::string& host, int family, addrinfo** results) {
  std::unique_lock lock(servers().mutex);
  ++servers().lookups[host];
  if (host == "silent.test") {
    servers().released.wait_for(lock, std::chrono::seconds{15}, [] {
      return servers().is_released;
    });
  }
  if (host == "try-again.invalid") return EAI_AGAIN;
  if (host.ends_with(".invalid")) return EAI_NONAME;
  if (host == "six.test") {
    if (family == AF_INET) return EAI_NODATA;
    *results = address<sockaddr_in6>(AF_INET6, "2001:db8::6", nullptr);
    return 0;
  }
  const bool is_loopback = host == "loopback.test";
  *results = address<sockaddr_in>(AF_INET, is_loopback ? "127.0.0.1" : "192.0.2.1", nullptr);
  if (host == "both.test" && family == AF_INET6) {
    freeaddrinfo(*results);
    *results = address<sockaddr_in6>(AF_INET6, "2001:db8::1", nullptr);
  } else if (host == "both.test") {
    *results = address<sockaddr_in>(AF_INET, "192.0.2.1", *results);
    if (family == AF_UNSPEC) *results = address<sockaddr_in6>(AF_INET6, "2001:db8::1", *results);
  }
  return 0;
}

}  // namespace

extern "C" int getaddrinfo(const char* host,
                           const char*,
                           const addrinfo* hints,
                           addrinfo** results) {
  return look_up(host, hints->ai_family, results);
}

extern "C" void freeaddrinfo(addrinfo* results) {
  while (results != nullptr) {
    addrinfo* next = results->ai_next;
    std::free(results->ai_addr);
    std::free(results);
    results = next;
  }
}

namespace weir::scalers::clients {
namespace {

using test::shown;
using namespace std::chrono_literals;

struct Site {
  Site() {
    const std::lock_guard lock(servers().mutex);
    servers().lookups.clear();
    servers().is_released = false;
  }
  ~Site() { release(); }

  test::Pending<Result<Addresses>> begin(const std::string& host, Duration budget = 15s) {
    auto out = test::start(loop, resolver.resolve(host, test::within(budget)));
    test::settle(loop);
    return out;
  }
  Result<Addresses> resolve(const std::string& host, Duration budget = 15s) {
    return test::finish(loop, begin(host, budget));
  }
  Result<Addresses> look_up(const std::string& host, Family family) {
    return test::finish(loop, test::start(loop, resolver.look_up(host, family, test::within(15s))));
  }
  void release() {
    const std::lock_guard lock(servers().mutex);
    servers().is_released = true;
    servers().released.notify_all();
  }
  int lookups(const std::string& host) {
    const std::lock_guard lock(servers().mutex);
    return servers().lookups[host];
  }

  Loop loop;
  Resolver resolver{loop};
};

struct Row {
  std::string_view name;
  std::string host;
  Addresses addresses;
  int look_ups;
};

TEST_CASE("a host has its addresses, and a numeric one needs no lookup") {
  const Row rows[] = {
      {"IPv4", "127.0.0.1", {"127.0.0.1"}, 0},
      {"IPv6", "::1", {"::1"}, 0},
      {"IPv6 in full", "2001:0db8::0001", {"2001:0db8::0001"}, 0},
      {"a name", "one.test", {"192.0.2.1"}, 1},
      {"both families in the resolver's order, each once",
       "both.test",
       {"2001:db8::1", "192.0.2.1"},
       1},
      {"a name that looks like a number", "127.0.0.256", {"192.0.2.1"}, 1},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Site site;

      const auto addresses = site.resolve(row.host);

      REQUIRE(shown(addresses) == "a value");
      CHECK(*addresses == row.addresses);
      CHECK(site.lookups(row.host) == row.look_ups);
    }
  }
}

TEST_CASE("a name that does not resolve is unreachable, and the error does not contain it") {
  Site site;

  const auto unknown = site.resolve("nobody.invalid");
  const auto later = site.resolve("try-again.invalid");

  CHECK(shown(unknown) ==
        "unreachable: its host name does not resolve (Name or service not known)");
  CHECK(shown(later) ==
        "unreachable: its host name does not resolve (Temporary failure in name resolution)");
}

TEST_CASE("concurrent lookups of a name are one lookup") {
  Site site;
  std::vector<test::Pending<Result<Addresses>>> waiting(100);

  for (auto& one : waiting) one = site.begin("silent.test");
  site.release();
  std::size_t answered = 0;
  for (auto& one : waiting) answered += test::finish(site.loop, one).has_value() ? 1 : 0;

  CHECK(answered == 100);
  CHECK(site.lookups("silent.test") == 1);
}

TEST_CASE("an address is cached, and a failure briefly") {
  Site site;

  const auto first = site.resolve("one.test");
  const auto again = site.resolve("one.test");
  const auto failed = site.resolve("nobody.invalid");
  const auto failed_again = site.resolve("nobody.invalid");

  CHECK(shown(first) == "a value");
  CHECK(shown(again) == "a value");
  CHECK(site.lookups("one.test") == 1);
  CHECK(shown(failed) == shown(failed_again));
  CHECK(site.lookups("nobody.invalid") == 1);
}

TEST_CASE("the addresses of one family") {
  struct FamilyRow {
    std::string_view name;
    std::string host;
    Family family;
    std::string outcome;
  };
  const FamilyRow rows[] = {
      {"all", "both.test", Family::all, "2001:db8::1 192.0.2.1"},
      {"IPv4", "both.test", Family::ipv4, "192.0.2.1"},
      {"IPv6", "both.test", Family::ipv6, "2001:db8::1"},
      {"a name with both", "both.test", Family::ipv4_or_else_ipv6, "192.0.2.1"},
      {"a name with IPv6 alone", "six.test", Family::ipv4_or_else_ipv6, "2001:db8::6"},
      {"no IPv4 address",
       "six.test",
       Family::ipv4,
       "unreachable: its host name does not resolve (No address associated with hostname)"},
      {"a failed lookup of IPv4 is none of IPv6",
       "try-again.invalid",
       Family::ipv4_or_else_ipv6,
       "unreachable: its host name does not resolve (Temporary failure in name resolution)"},
      {"a numeric host", "::1", Family::ipv4, "::1"},
  };

  for (const FamilyRow& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Site site;

      const auto addresses = site.look_up(row.host, row.family);

      CHECK((addresses ? fmt::format("{}", fmt::join(*addresses, " ")) : shown(addresses)) ==
            row.outcome);
    }
  }
}

TEST_CASE("a lookup of now asks the name servers again after a second") {
  Site site;
  CHECK(shown(site.resolve("one.test")) == "a value");
  CHECK(shown(site.look_up("one.test", Family::ipv4)) == "a value");
  CHECK(site.lookups("one.test") == 2);  // of another family

  CHECK(shown(site.look_up("one.test", Family::ipv4)) == "a value");
  CHECK(site.lookups("one.test") == 2);

  const auto limit = std::chrono::steady_clock::now() + 15s;
  while (site.lookups("one.test") == 2 && std::chrono::steady_clock::now() < limit)
    (void)site.look_up("one.test", Family::ipv4);
  CHECK(site.lookups("one.test") == 3);
  CHECK(shown(site.resolve("one.test")) == "a value");
  CHECK(site.lookups("one.test") == 3);
}

TEST_CASE("a silent name server ends at the deadline and delays no other name") {
  Site site;

  const auto silent = site.begin("silent.test", 200ms);
  const auto other = site.resolve("one.test");
  const bool other_came_first = !silent->has_value();
  const auto late = test::finish(site.loop, silent);

  CHECK(shown(other) == "a value");
  CHECK(other_came_first);
  CHECK(shown(late) == "timed_out: its host name is still being resolved");
}

TEST_CASE("the result of a late lookup is cached for the next one") {
  Site site;

  const auto late = site.resolve("silent.test", 10ms);
  const auto joined = site.begin("silent.test");
  site.release();

  CHECK(late.error().code == Errc::timed_out);
  CHECK(shown(test::finish(site.loop, joined)) == "a value");
  CHECK(site.lookups("silent.test") == 1);
}

TEST_CASE("close() ends every wait, and later lookups at once") {
  Site site;
  const auto waiting = site.begin("silent.test");

  site.resolver.close();
  const auto ended = test::finish(site.loop, waiting);
  const auto later = site.resolve("one.test");

  CHECK(shown(ended) == "unreachable: the lookup was canceled");
  CHECK(shown(later) == "unreachable: the lookup was canceled");
  CHECK(site.lookups("one.test") == 0);
}

TEST_CASE("a resolver and its loop may end while a name server is silent") {
  Site outer;
  {
    Site site;
    static_cast<void>(site.begin("silent.test"));
  }
  outer.release();

  CHECK(shown(outer.resolve("one.test")) == "a value");
}

}  // namespace
}  // namespace weir::scalers::clients
