// The order of the API's checks, discovery, and errors of the source.
#include "apiservice/api_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using scalers::Errc;
using scalers::Error;
using Readings = scalers::Result<std::vector<scalers::Reading>>;

class FailingSource final : public scalers::Source {
 public:
  [[nodiscard]] awaitable<Readings> read(scalers::Query /*query*/, Deadline /*deadline*/) override {
    ++asked;
    co_return error;
  }

  Error error{Errc::unreachable, "metric default/m: prometheus prom: no connection", ""};
  int asked = 0;
};

class ScriptedAuthorizer final : public Authorizer {
 public:
  [[nodiscard]] awaitable<Decision> decide(Caller caller,
                                           Attributes attributes,
                                           Deadline /*deadline*/) override {
    callers.push_back(std::move(caller));
    asked.push_back(std::move(attributes));
    co_return next;
  }

  Decision next{true, "", ""};
  std::vector<Caller> callers;
  std::vector<Attributes> asked;
};

awaitable<Response> go_through(ApiService& api, Request request) {
  const Deadline deadline = Deadline::after(SteadyTime{}, Duration{2500});
  auto refusal = co_await api.refuse(request, deadline);
  if (refusal) co_return std::move(*refusal);
  auto response = co_await api.answer(request, deadline);
  co_return response;
}

struct World {
  Loop loop{1};
  FailingSource source;
  ScriptedAuthorizer authorizer;
  FrontProxyRules rules{.allowed_names = {},
                        .username_headers = {"x-remote-user"},
                        .group_headers = {"x-remote-group"},
                        .extra_header_prefixes = {}};
  Discovery discovery = make_discovery({"queue-len"});
  ApiService api{rules, nullptr, authorizer, source, discovery};

  Response ask(Request request) {
    std::optional<Response> out;
    boost::asio::co_spawn(loop.get_executor(),
                          go_through(api, std::move(request)),
                          [&](const std::exception_ptr& failure, Response response) {
                            if (!failure) out = std::move(response);
                          });
    loop.restart();
    loop.run();
    REQUIRE(out);
    return std::move(*out);
  }
};

const std::string kBase = "/apis/external.metrics.k8s.io/v1beta1";
const std::string kMetric = kBase + "/namespaces/default/queue-len";

Request request(std::string method,
                std::string path,
                std::vector<std::pair<std::string, std::string>> query = {}) {
  Request out;
  out.method = std::move(method);
  out.path = std::move(path);
  out.query = std::move(query);
  out.headers = {{"x-remote-user", "alice"}, {"x-remote-group", "g1"}};
  return out;
}

PeerCertificate certificate(Trust trust) {
  PeerCertificate out;
  out.by_request_header_ca = trust;
  return out;
}

struct Order {
  std::string_view name;
  Request request;
};

std::vector<Order> wrong_requests() {
  return {
      {"a good read", request("GET", kMetric)},
      {"a bad selector", request("GET", kMetric, {{"labelSelector", ",a"}})},
      {"a watch", request("GET", kMetric, {{"watch", "true"}})},
      {"another method", request("POST", kMetric)},
      {"an unknown resource", request("GET", kBase + "/x")},
      {"an unknown path", request("GET", "/nope")},
      {"discovery", request("GET", kBase)},
  };
}

TEST_CASE("a request is judged without it: it may be gone once it was asked about") {
  World world;
  auto asked = std::make_unique<Request>(request("GET", kMetric));
  std::optional<Response> refusal{Response{}};

  auto judged = world.api.refuse(*asked, Deadline::after(SteadyTime{}, Duration{2500}));
  asked.reset();
  boost::asio::co_spawn(world.loop.get_executor(),
                        std::move(judged),
                        [&](const std::exception_ptr& failure, std::optional<Response> out) {
                          if (!failure) refusal = std::move(out);
                        });
  world.loop.run();

  CHECK_FALSE(refusal);
  REQUIRE(world.authorizer.asked.size() == 1);
  CHECK(world.authorizer.asked[0].resource == "queue-len");
}

TEST_CASE("401 comes before everything else, and nobody is asked") {
  for (const Order& row : wrong_requests()) {
    DYNAMIC_SECTION(row.name) {
      World world;
      world.authorizer.next = {false, ""};
      Request shown = row.request;
      shown.peer = certificate(Trust::untrusted);

      const Response response = world.ask(shown);

      CHECK(response.status == 401);
      CHECK(response.body ==
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
            R"("message":"Unauthorized","reason":"Unauthorized","code":401})"
            "\n");
      CHECK(world.authorizer.asked.empty());
      CHECK(world.source.asked == 0);
    }
  }
}

TEST_CASE("case 124: 403 comes before 404, 405 and 400, and the source is not asked") {
  for (const Order& row : wrong_requests()) {
    DYNAMIC_SECTION(row.name) {
      World world;
      world.authorizer.next = {false, ""};
      Request shown = row.request;
      shown.peer = certificate(Trust::trusted);

      const Response response = world.ask(shown);

      CHECK(response.status == 403);
      CHECK(world.authorizer.asked.size() == 1);
      CHECK(world.source.asked == 0);
    }
  }
}

TEST_CASE("405 comes before a bad selector, and 404 before 405") {
  World world;
  Request post = request("POST", kMetric, {{"labelSelector", ",a"}});
  Request watch = request("GET", kMetric, {{"watch", "1"}, {"labelSelector", ",a"}});
  Request lost = request("POST", kBase + "/x");
  Request nowhere = request("POST", "/nope");
  post.peer = watch.peer = lost.peer = nowhere.peer = certificate(Trust::trusted);

  CHECK(world.ask(post).status == 405);
  CHECK(world.ask(watch).status == 405);
  CHECK(world.ask(lost).status == 404);
  CHECK(world.ask(nowhere).status == 404);
  CHECK(world.source.asked == 0);
}

TEST_CASE("case 86: the authorizer is asked about the caller that was identified") {
  World world;
  world.authorizer.next = {false, "no"};
  Request proxied = request("GET", kMetric);
  proxied.peer = certificate(Trust::trusted);

  const Response anonymous = world.ask(request("GET", kMetric));
  const Response alice = world.ask(proxied);

  REQUIRE(world.authorizer.callers.size() == 2);
  CHECK(world.authorizer.callers[0].user == "system:anonymous");
  CHECK(world.authorizer.callers[1].user == "alice");
  CHECK(world.authorizer.callers[1].groups ==
        std::vector<std::string>{"g1", "system:authenticated"});
  CHECK(world.authorizer.asked[1].verb == "list");
  CHECK(world.authorizer.asked[1].resource == "queue-len");
  CHECK(world.authorizer.asked[1].name_space == "default");
  CHECK(anonymous.status == 403);
  CHECK(alice.body ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
        R"("queue-len.external.metrics.k8s.io is forbidden: User \"alice\" cannot list resource )"
        R"(\"queue-len\" in API group \"external.metrics.k8s.io\" in the namespace \"default\": )"
        R"(no","reason":"Forbidden","details":{"group":"external.metrics.k8s.io",)"
        R"("kind":"queue-len"},"code":403})"
        "\n");
}

TEST_CASE("case 61: discovery is answered while every backend is down, and asks none") {
  struct Row {
    std::string_view name;
    std::string path;
    std::string Discovery::*document;
  };
  const Row rows[] = {
      {"case 65: the groups", "/apis", &Discovery::group_list},
      {"the groups with a slash", "/apis/", &Discovery::group_list},
      {"case 66: the group", "/apis/external.metrics.k8s.io", &Discovery::group},
      {"case 60: the resources", kBase, &Discovery::resource_list},
      {"the resources with a slash", kBase + "/", &Discovery::resource_list},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      World world;
      Request asked = request("GET", row.path, {{"timeout", "32s"}});
      asked.peer = certificate(Trust::trusted);

      const Response response = world.ask(asked);

      CHECK(response.status == 200);
      CHECK(response.content_type == "application/json");
      CHECK(response.body == world.discovery.*(row.document));
      CHECK(world.source.asked == 0);
    }
  }
}

TEST_CASE("an error of the source is a Status with its own code and text") {
  struct Row {
    std::string_view name;
    Error error;
    int status;
    std::string_view tail;
  };
  const Row rows[] = {
      {"unknown metric",
       {Errc::unknown_metric, "there is no metric ns/m", ""},
       404,
       R"("message":"there is no metric ns/m","reason":"NotFound","code":404})"},
      {"an undeclared label",
       {Errc::bad_request, "label \"x\" is not declared", ""},
       400,
       R"("message":"label \"x\" is not declared","reason":"BadRequest","code":400})"},
      {"no value, with the remote's words",
       {Errc::no_value, "metric ns/m: no value", "<empty>"},
       503,
       R"("message":"metric ns/m: no value: \u003cempty\u003e","reason":"ServiceUnavailable",)"
       R"("code":503})"},
      {"case 116: the deadline",
       {Errc::timed_out, "no answer in 2.5 s", ""},
       504,
       R"("message":"no answer in 2.5 s","reason":"Timeout","code":504})"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      World world;
      world.source.error = row.error;
      Request asked = request("GET", kMetric);
      asked.peer = certificate(Trust::trusted);

      const Response response = world.ask(asked);

      CHECK(response.status == row.status);
      CHECK(response.content_type == "application/json");
      CHECK(response.body ==
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)" +
                std::string(row.tail) + "\n");
      CHECK(world.source.asked == 1);
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
