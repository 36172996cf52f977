// Which requests the HTTP client answers from what it learnt of a server.
#include "scalers/clients/http/guard.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>

namespace weir::scalers::clients {
namespace {

using namespace std::chrono_literals;

HttpRequest request_with(std::string password, std::string realm = "") {
  HttpRequest out;
  out.url = {"http", "broker", 15672, "/api/queues"};
  out.realm = std::move(realm);
  if (!password.empty()) out.basic = std::pair(Secret("weir"), Secret(std::move(password)));
  return out;
}

HttpRequest request_with_token(std::string token) {
  HttpRequest out = request_with("");
  out.headers.push_back({"Authorization", Secret(std::move(token)), true});
  return out;
}

// "sent", or what stands for the request: the status and body of a reply, or an error.
std::string at(HttpGuard& guard, const HttpRequest& request, SteadyTime now) {
  const auto kept = guard.stand_in(request, now);
  if (!kept) return "sent";
  return *kept ? std::to_string((*kept)->status) + " " + (*kept)->body : test::shown(*kept);
}

const HttpReply kUnauthorized{401, "who are you"};
using Reach = HttpGuard::Reach;

const Error kSilent{Errc::timed_out, "it did not accept a connection in time", ""};

TEST_CASE("a refused login is not repeated for 30 s") {
  HttpGuard guard;
  const auto request = request_with("wrong");

  guard.note(request, kUnauthorized, Reach::connected, SteadyTime{});

  CHECK(at(guard, request, SteadyTime{29'999ms}) == "401 who are you");
  CHECK(at(guard, request, SteadyTime{30'000ms}) == "sent");
}

TEST_CASE("other credentials are sent at once") {
  HttpGuard guard;
  guard.note(request_with("wrong"), kUnauthorized, Reach::connected, SteadyTime{});
  guard.note(request_with_token("old"), kUnauthorized, Reach::connected, SteadyTime{});

  CHECK(at(guard, request_with("right"), SteadyTime{1ms}) == "sent");
  CHECK(at(guard, request_with_token("new"), SteadyTime{1ms}) == "sent");
  CHECK(at(guard, request_with_token("old"), SteadyTime{1ms}) == "401 who are you");
}

TEST_CASE("a login whose refusal is not to be kept is shown again at once") {
  HttpGuard guard;
  auto request = request_with_token("early");
  request.is_refusal_kept = false;

  guard.note(request, kUnauthorized, Reach::connected, SteadyTime{});

  CHECK(at(guard, request, SteadyTime{1ms}) == "sent");
}

TEST_CASE("another backend of the same origin is not judged by its neighbour") {
  HttpGuard guard;

  guard.note(request_with("shared", "/team-a"), kUnauthorized, Reach::connected, SteadyTime{});

  CHECK(at(guard, request_with("shared", "/team-b"), SteadyTime{1ms}) == "sent");
}

TEST_CASE("a 401 to a request without credentials is no login") {
  HttpGuard guard;

  guard.note(request_with(""), kUnauthorized, Reach::connected, SteadyTime{});

  CHECK(at(guard, request_with(""), SteadyTime{1ms}) == "sent");
}

TEST_CASE("other statuses are not kept") {
  HttpGuard guard;

  guard.note(request_with("right"), HttpReply{403, "not this one"}, Reach::connected, SteadyTime{});
  guard.note(request_with("right"), HttpReply{500, "broken"}, Reach::connected, SteadyTime{});

  CHECK(at(guard, request_with("right"), SteadyTime{1ms}) == "sent");
}

TEST_CASE("a kept refusal is bounded") {
  HttpGuard guard;
  const auto request = request_with("wrong");

  guard.note(request, HttpReply{401, std::string(100'000, 'x')}, Reach::connected, SteadyTime{});

  CHECK(at(guard, request, SteadyTime{1ms}).size() == 4 + 4096);
}

TEST_CASE("a host that let a connect run out is asked once in 2 s") {
  HttpGuard guard;
  const auto request = request_with("right");

  guard.note(request, kSilent, Reach::silent, SteadyTime{});

  CHECK(at(guard, request, SteadyTime{1'999ms}) ==
        "unreachable: it did not accept a connection in time");
  CHECK(at(guard, request, SteadyTime{2'000ms}) == "sent");
  CHECK(at(guard, request, SteadyTime{2'001ms}) ==
        "unreachable: it did not accept a connection in time");
  CHECK(at(guard, request, SteadyTime{4'000ms}) == "sent");
}

TEST_CASE("a host that answers again is asked by everyone") {
  HttpGuard guard;
  const auto request = request_with("right");
  guard.note(request, kSilent, Reach::silent, SteadyTime{});
  REQUIRE(at(guard, request, SteadyTime{2'000ms}) == "sent");

  guard.note(request, HttpReply{200, "{}"}, Reach::connected, SteadyTime{2'010ms});

  CHECK(at(guard, request, SteadyTime{2'011ms}) == "sent");
}

TEST_CASE("a silent host holds up no other, and a lost answer holds up nobody") {
  HttpGuard guard;
  HttpRequest other = request_with("right");
  other.url.host = "prometheus";

  guard.note(request_with("right"), kSilent, Reach::silent, SteadyTime{});
  guard.note(other,
             Error{Errc::unreachable, "the connection was lost", ""},
             Reach::connected,
             SteadyTime{});

  CHECK(at(guard, other, SteadyTime{1ms}) == "sent");
}

TEST_CASE("a request that tells nothing of its host leaves the breaker as it is") {
  HttpGuard guard;
  const HttpRequest request = request_with("right");
  guard.note(request, kSilent, Reach::silent, SteadyTime{});

  guard.note(request, Error{Errc::unreachable, "no name", ""}, Reach::untold, SteadyTime{1ms});

  CHECK(guard.is_open_for(request));
  CHECK(guard.stand_in(request, SteadyTime{2ms}).has_value());
}

}  // namespace
}  // namespace weir::scalers::clients
