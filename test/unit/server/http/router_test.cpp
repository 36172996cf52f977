#include "server/http/router.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server {
namespace {

using apiservice::Attributes;
using apiservice::Caller;
using apiservice::Decision;
using apiservice::Request;
using apiservice::Response;
using Readings = scalers::Result<std::vector<scalers::Reading>>;

class SilentSource final : public scalers::Source {
 public:
  [[nodiscard]] awaitable<Readings> read(scalers::Query /*query*/, Deadline /*deadline*/) override {
    ++asked;
    co_return std::vector<scalers::Reading>{{{}, 1, WallTime{}}};
  }
  int asked = 0;
};

class ScriptedAuthorizer final : public apiservice::Authorizer {
 public:
  [[nodiscard]] awaitable<Decision> decide(Caller /*caller*/,
                                           Attributes attributes,
                                           Deadline /*deadline*/) override {
    asked.push_back(std::move(attributes));
    co_return Decision{is_allowed, "", ""};
  }
  bool is_allowed = false;
  std::vector<Attributes> asked;
};

struct World {
  Loop loop{1};
  SilentSource source;
  ScriptedAuthorizer authorizer;
  apiservice::FrontProxyRules rules;
  apiservice::ApiService api{rules, nullptr, authorizer, source, apiservice::make_discovery({})};
  Health health;
  Router router{health, api, [] { return std::string("a page\n"); }};
  std::string user;

  Response ask(std::string path, bool shows_bad_certificate = false) {
    Request request;
    request.method = "GET";
    request.path = std::move(path);
    if (shows_bad_certificate) {
      request.peer.emplace();
      request.peer->by_client_ca = apiservice::Trust::untrusted;
    }
    std::optional<Response> out;
    boost::asio::co_spawn(
        loop.get_executor(),
        router.answer(request, Deadline::after(SteadyTime{}, Duration{1000}), user),
        [&](const std::exception_ptr& failure, Response response) {
          if (!failure) out = std::move(response);
        });
    loop.restart();
    loop.run();
    REQUIRE(out);
    return std::move(*out);
  }
};

struct Row {
  std::string_view name;
  std::string path;
  bool shows_bad_certificate;
  bool is_allowed;
  int status;
  std::string_view asked_path;  // empty: the authorizer is not asked
};

TEST_CASE("health is everybody's, and all the rest is asked for first") {
  const Row rows[] = {
      {"case 76: livez needs no rights", "/livez", false, false, 200, ""},
      {"readyz with a bad certificate", "/readyz", true, false, 200, ""},
      {"healthz", "/healthz", false, false, 200, ""},
      {"case 81: one check without rights", "/healthz/ping", false, false, 403, "/healthz/ping"},
      {"case 81: one check with rights", "/healthz/ping", false, true, 200, "/healthz/ping"},
      {"one check with a bad certificate", "/healthz/ping", true, true, 401, ""},
      {"an unknown check without rights", "/livez/x", false, false, 403, "/livez/x"},
      {"an unknown check with rights", "/livez/x", false, true, 404, "/livez/x"},
      {"readyz with a slash", "/readyz/", false, false, 403, "/readyz/"},
      {"case 82: metrics", "/metrics", false, false, 403, "/metrics"},
      {"metrics with rights", "/metrics", false, true, 200, "/metrics"},
      {"metrics with a bad certificate", "/metrics", true, true, 401, ""},
      {"below metrics", "/metrics/x", false, true, 404, "/metrics/x"},
      {"case 85: nowhere without rights", "/nope", false, false, 403, "/nope"},
      {"case 85: nowhere with rights", "/nope", false, true, 404, "/nope"},
      {"discovery without rights", "/apis", false, false, 403, "/apis"},
      {"discovery with rights", "/apis", false, true, 200, "/apis"},
      {"discovery with a bad certificate", "/apis", true, true, 401, ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      World world;
      world.authorizer.is_allowed = row.is_allowed;

      const Response response = world.ask(row.path, row.shows_bad_certificate);

      CHECK(response.status == row.status);
      CHECK(world.source.asked == 0);
      REQUIRE(world.authorizer.asked.size() == (row.asked_path.empty() ? 0U : 1U));
      CHECK((row.asked_path.empty() || world.authorizer.asked[0].path == row.asked_path));
    }
  }
}

TEST_CASE("case 117: livez stays well and readyz fails once the shutdown began") {
  World world;
  world.health.begin_shutdown();

  CHECK(world.ask("/livez").status == 200);
  CHECK(world.ask("/readyz").status == 500);
}

TEST_CASE("telemetry is a text page of GET alone") {
  World world;
  world.authorizer.is_allowed = true;

  const Response response = world.ask("/metrics");

  CHECK(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(response.body == "a page\n");
  CHECK(world.user == "system:anonymous");
}

TEST_CASE("a metric is read through the API by who may") {
  World world;
  world.authorizer.is_allowed = true;

  const Response response = world.ask("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/m");

  CHECK(response.status == 200);
  CHECK(world.source.asked == 1);
}

}  // namespace
}  // namespace weir::server
