#include "apiservice/auth/access.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

Decision decided(UserInfo caller) {
  Loop loop(1);
  StandaloneAuthorizer authorizer;
  Decision out{true, "not asked", ""};
  boost::asio::co_spawn(
      loop.get_executor(),
      authorizer.decide(std::move(caller), {}, Deadline::after(SteadyTime{}, Duration{1000})),
      [&](const std::exception_ptr& failure, Decision decision) {
        if (!failure) out = std::move(decision);
      });
  loop.run();
  return out;
}

UserInfo caller(std::string user, std::vector<std::string> groups) {
  return {std::move(user), {}, std::move(groups), {}};
}

TEST_CASE("standalone: an authenticated caller may read") {
  const Decision decision = decided(caller("alice", {"system:authenticated"}));

  CHECK(decision.is_allowed);
  CHECK(decision.reason.empty());
}

TEST_CASE("S12: standalone denies anonymous callers, by name or by group") {
  struct Row {
    std::string_view name;
    UserInfo caller;
  };
  const Row rows[] = {
      {"nobody", caller("system:anonymous", {"system:unauthenticated"})},
      {"by name alone", caller("system:anonymous", {"g1"})},
      {"by group alone", caller("alice", {"g1", "system:unauthenticated"})},
      {"masters by group", caller("system:anonymous", {"system:masters"})},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Decision decision = decided(row.caller);

      CHECK_FALSE(decision.is_allowed);
      CHECK(decision.reason ==
            "--standalone serves only callers with a client certificate or behind the front proxy");
    }
  }
}

struct Refusal {
  std::string_view name;
  RequestInfo info;
  std::string reason;
  std::string_view message;
};

TEST_CASE("a forbidden resource is named with verb, group and namespace") {
  const auto info_for = [](std::string verb, std::string resource, std::string name_space) {
    RequestInfo out;
    out.is_resource = true;
    out.verb = std::move(verb);
    out.group = "external.metrics.k8s.io";
    out.version = "v1beta1";
    out.resource = std::move(resource);
    out.name_space = std::move(name_space);
    return out;
  };
  RequestInfo named = info_for("get", "queue-len", "ns");
  named.name = "x";
  RequestInfo status = info_for("get", "namespaces", "ns");
  status.name = "ns";
  status.subresource = "status";
  RequestInfo hostile = named;
  hostile.name = "<\"&\n";
  hostile.name_space = "<\"&\n";
  const Refusal rows[] = {
      {"what a caller sent is quoted as Go does, and escaped in the authorizer's text",
       hostile,
       "<b>",
       "queue-len.external.metrics.k8s.io \"<\\\"&\\n\" is forbidden: User \"u\" cannot get "
       "resource \"queue-len\" in API group \"external.metrics.k8s.io\" in the namespace "
       "\"&lt;\\\"&amp;\\n\": <b>"},
      {"a metric",
       info_for("list", "queue-len", "ns"),
       "",
       "queue-len.external.metrics.k8s.io is forbidden: User \"u\" cannot list resource "
       "\"queue-len\" in API group \"external.metrics.k8s.io\" in the namespace \"ns\""},
      {"case 101: with a reason",
       info_for("watch", "queue-len", "ns"),
       "no",
       "queue-len.external.metrics.k8s.io is forbidden: User \"u\" cannot watch resource "
       "\"queue-len\" in API group \"external.metrics.k8s.io\" in the namespace \"ns\": no"},
      {"no namespace",
       info_for("list", "queue-len", ""),
       "",
       "queue-len.external.metrics.k8s.io is forbidden: User \"u\" cannot list resource "
       "\"queue-len\" in API group \"external.metrics.k8s.io\" at the cluster scope"},
      {"a name",
       named,
       "",
       "queue-len.external.metrics.k8s.io \"x\" is forbidden: User \"u\" cannot get resource "
       "\"queue-len\" in API group \"external.metrics.k8s.io\" in the namespace \"ns\""},
      {"case 122: a subresource",
       status,
       "",
       "namespaces.external.metrics.k8s.io \"ns\" is forbidden: User \"u\" cannot get resource "
       "\"namespaces/status\" in API group \"external.metrics.k8s.io\" in the namespace \"ns\""},
  };

  for (const Refusal& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Status status_of_row =
          forbidden("u", row.info, {.is_allowed = false, .reason = row.reason});

      CHECK(status_of_row.code == 403);
      CHECK(status_of_row.reason == "Forbidden");
      CHECK(status_of_row.message == row.message);
      REQUIRE(status_of_row.details);
      CHECK(status_of_row.details->group == "external.metrics.k8s.io");
      CHECK(status_of_row.details->kind == row.info.resource);
    }
  }
}

TEST_CASE("a forbidden path is named with its verb, and the details are empty") {
  RequestInfo metrics;
  metrics.verb = "get";
  metrics.path = "/metrics";
  RequestInfo post = metrics;
  post.verb = "post";
  post.path = "/a b";
  const Refusal rows[] = {
      {"case 82", metrics, "", "forbidden: User \"system:anonymous\" cannot get path \"/metrics\""},
      {"with a reason",
       post,
       "no",
       "forbidden: User \"system:anonymous\" cannot post path \"/a b\": no"},
  };

  for (const Refusal& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Status status =
          forbidden("system:anonymous", row.info, {.is_allowed = false, .reason = row.reason});

      CHECK(status.code == 403);
      CHECK(status.message == row.message);
      REQUIRE(status.details);
      CHECK(status.details->group.empty());
      CHECK(status.details->kind.empty());
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
