// Which requests get a cached failure instead of being sent.
#include "scalers/clients/http/circuit_breaker.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>

namespace weir::scalers::clients {
namespace {

using namespace std::chrono_literals;

HttpRequest request_with(std::string password, std::string auth_scope = "") {
  HttpRequest out;
  out.url = {"http", "broker", 15672, "/api/queues"};
  out.auth_scope = std::move(auth_scope);
  if (!password.empty()) out.basic = std::pair(Secret("weir"), Secret(std::move(password)));
  return out;
}

HttpRequest request_with_token(std::string token) {
  HttpRequest out = request_with("");
  out.headers.push_back({"Authorization", Secret(std::move(token)), true});
  return out;
}

// "sent", or the cached failure: the status and body of a reply, or an error.
std::string at(HttpCircuitBreaker& breaker, const HttpRequest& request, SteadyTime now) {
  const auto cached = breaker.cached_failure(request, now);
  if (!cached) return "sent";
  return *cached ? std::to_string((*cached)->status) + " " + (*cached)->body : test::shown(*cached);
}

const HttpReply kUnauthorized{401, "who are you"};
using HostState = HttpCircuitBreaker::HostState;

const Error kSilent{Errc::timed_out, "it did not accept a connection in time", ""};

TEST_CASE("a rejected login is not repeated for 30 s") {
  HttpCircuitBreaker breaker;
  const auto request = request_with("wrong");

  breaker.note(request, kUnauthorized, HostState::reachable, SteadyTime{});

  CHECK(at(breaker, request, SteadyTime{29'999ms}) == "401 who are you");
  CHECK(at(breaker, request, SteadyTime{30'000ms}) == "sent");
}

TEST_CASE("other credentials are sent at once") {
  HttpCircuitBreaker breaker;
  breaker.note(request_with("wrong"), kUnauthorized, HostState::reachable, SteadyTime{});
  breaker.note(request_with_token("old"), kUnauthorized, HostState::reachable, SteadyTime{});

  CHECK(at(breaker, request_with("right"), SteadyTime{1ms}) == "sent");
  CHECK(at(breaker, request_with_token("new"), SteadyTime{1ms}) == "sent");
  CHECK(at(breaker, request_with_token("old"), SteadyTime{1ms}) == "401 who are you");
}

TEST_CASE("rejected credentials are sent again when a 401 is not to be cached") {
  HttpCircuitBreaker breaker;
  auto request = request_with_token("early");
  request.caches_unauthorized = false;

  breaker.note(request, kUnauthorized, HostState::reachable, SteadyTime{});

  CHECK(at(breaker, request, SteadyTime{1ms}) == "sent");
}

TEST_CASE("another backend of the same origin is not affected") {
  HttpCircuitBreaker breaker;

  breaker.note(request_with("shared", "/team-a"),
               kUnauthorized,
               HostState::reachable,
               SteadyTime{});

  CHECK(at(breaker, request_with("shared", "/team-b"), SteadyTime{1ms}) == "sent");
}

TEST_CASE("a 401 to a request without credentials is not a login") {
  HttpCircuitBreaker breaker;

  breaker.note(request_with(""), kUnauthorized, HostState::reachable, SteadyTime{});

  CHECK(at(breaker, request_with(""), SteadyTime{1ms}) == "sent");
}

TEST_CASE("other statuses are not cached") {
  HttpCircuitBreaker breaker;

  breaker.note(request_with("right"),
               HttpReply{403, "not this one"},
               HostState::reachable,
               SteadyTime{});
  breaker.note(request_with("right"), HttpReply{500, "broken"}, HostState::reachable, SteadyTime{});

  CHECK(at(breaker, request_with("right"), SteadyTime{1ms}) == "sent");
}

TEST_CASE("a cached 401 is bounded") {
  HttpCircuitBreaker breaker;
  const auto request = request_with("wrong");

  breaker.note(request,
               HttpReply{401, std::string(100'000, 'x')},
               HostState::reachable,
               SteadyTime{});

  CHECK(at(breaker, request, SteadyTime{1ms}).size() == 4 + 4096);
}

TEST_CASE("a rejected login that expired is forgotten by its own request") {
  HttpCircuitBreaker breaker;
  const auto request = request_with("wrong");
  breaker.note(request, kUnauthorized, HostState::reachable, SteadyTime{});
  // Expired logins are dropped now, and not again for a second.
  REQUIRE(at(breaker, request_with("other"), SteadyTime{29'500ms}) == "sent");
  REQUIRE(breaker.is_open_for(request));

  CHECK(at(breaker, request, SteadyTime{30'000ms}) == "sent");

  CHECK_FALSE(breaker.is_open_for(request));
}

TEST_CASE("expired logins are dropped by any request") {
  HttpCircuitBreaker breaker;
  const auto request = request_with("wrong");
  breaker.note(request, kUnauthorized, HostState::reachable, SteadyTime{});

  REQUIRE(at(breaker, request_with("other"), SteadyTime{31'000ms}) == "sent");

  CHECK_FALSE(breaker.is_open_for(request));
}

TEST_CASE("of more than 1,000 rejected logins the least recently used is sent again") {
  HttpCircuitBreaker breaker;
  const auto request = [](int tenant) { return request_with("wrong", std::to_string(tenant)); };
  for (int tenant = 0; tenant < 1000; ++tenant)
    breaker.note(request(tenant), kUnauthorized, HostState::reachable, SteadyTime{});
  REQUIRE(at(breaker, request(0), SteadyTime{1ms}) == "401 who are you");

  breaker.note(request(1000), kUnauthorized, HostState::reachable, SteadyTime{1ms});

  CHECK(at(breaker, request(0), SteadyTime{1ms}) == "401 who are you");
  CHECK(at(breaker, request(1), SteadyTime{1ms}) == "sent");
  CHECK(at(breaker, request(2), SteadyTime{1ms}) == "401 who are you");
  CHECK(at(breaker, request(1000), SteadyTime{1ms}) == "401 who are you");
}

TEST_CASE("the rejected logins of one origin do not displace another's") {
  HttpCircuitBreaker breaker;
  HttpRequest other = request_with("wrong");
  other.url.host = "prometheus";
  breaker.note(other, kUnauthorized, HostState::reachable, SteadyTime{});

  for (int tenant = 0; tenant < 2000; ++tenant) {
    breaker.note(request_with("wrong", std::to_string(tenant)),
                 kUnauthorized,
                 HostState::reachable,
                 SteadyTime{});
  }

  CHECK(at(breaker, other, SteadyTime{1ms}) == "401 who are you");
}

TEST_CASE("after a connect timeout a host gets one attempt in 2 s") {
  HttpCircuitBreaker breaker;
  const auto request = request_with("right");

  breaker.note(request, kSilent, HostState::unreachable, SteadyTime{});

  CHECK(at(breaker, request, SteadyTime{1'999ms}) ==
        "unreachable: it did not accept a connection in time");
  CHECK(at(breaker, request, SteadyTime{2'000ms}) == "sent");
  CHECK(at(breaker, request, SteadyTime{2'001ms}) ==
        "unreachable: it did not accept a connection in time");
  CHECK(at(breaker, request, SteadyTime{4'000ms}) == "sent");
}

TEST_CASE("a host that accepts again gets all requests") {
  HttpCircuitBreaker breaker;
  const auto request = request_with("right");
  breaker.note(request, kSilent, HostState::unreachable, SteadyTime{});
  REQUIRE(at(breaker, request, SteadyTime{2'000ms}) == "sent");

  breaker.note(request, HttpReply{200, "{}"}, HostState::reachable, SteadyTime{2'010ms});

  CHECK(at(breaker, request, SteadyTime{2'011ms}) == "sent");
}

TEST_CASE("a silent host delays no other, and a lost response delays no request") {
  HttpCircuitBreaker breaker;
  HttpRequest other = request_with("right");
  other.url.host = "prometheus";

  breaker.note(request_with("right"), kSilent, HostState::unreachable, SteadyTime{});
  breaker.note(other,
               Error{Errc::unreachable, "the connection was lost", ""},
               HostState::reachable,
               SteadyTime{});

  CHECK(at(breaker, other, SteadyTime{1ms}) == "sent");
}

TEST_CASE("a request that proves nothing about its host does not change the breaker") {
  HttpCircuitBreaker breaker;
  const HttpRequest request = request_with("right");
  breaker.note(request, kSilent, HostState::unreachable, SteadyTime{});

  breaker.note(request,
               Error{Errc::unreachable, "no name", ""},
               HostState::unknown,
               SteadyTime{1ms});

  CHECK(breaker.is_open_for(request));
  CHECK(breaker.cached_failure(request, SteadyTime{2ms}).has_value());
}

}  // namespace
}  // namespace weir::scalers::clients
