// An ApiService over a scripted source, authorizer and token authenticator, driven request by
// request on a real loop. Each fake records its arguments and checks the deadline of the request.
// Only this file knows how an ApiService is constructed and called.
#pragma once

#include "apiservice/api_server.hpp"
#include "test/rigs/loop.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::test {

// The deadline of every request of a rig.
inline constexpr Deadline kRequestDeadline{SteadyTime{}, SteadyTime{} + Duration{2500}};

class ScriptedSource final : public scalers::Source {
 public:
  using Readings = scalers::Result<std::vector<scalers::Reading>>;

  [[nodiscard]] awaitable<Readings> read(scalers::Query query, Deadline deadline) override {
    queries.push_back(std::move(query));
    CHECK(deadline.at == kRequestDeadline.at);
    co_return reply;
  }

  // 42, measured at 2026-11-21T00:00:00Z, unless a test scripts another reply.
  Readings reply =
      std::vector<scalers::Reading>{{{}, 42, WallTime{std::chrono::seconds{1'795'219'200}}}};
  std::vector<scalers::Query> queries;
};

// A decision that the authorizer has cached: `user` may `verb` the resource.
struct CachedPermission {
  std::string user;
  std::string verb;
  std::string resource;
  std::string name_space;
};

// Allows everything unless a test scripts another decision; has nothing cached.
class ScriptedAuthorizer final : public apiservice::Authorizer {
 public:
  [[nodiscard]] awaitable<apiservice::Decision> decide(apiservice::Caller caller,
                                                       apiservice::Attributes request_attributes,
                                                       Deadline deadline) override {
    callers.push_back(std::move(caller));
    attributes.push_back(std::move(request_attributes));
    CHECK(deadline.at == kRequestDeadline.at);
    co_return decision;
  }
  [[nodiscard]] bool is_allowed_already(const apiservice::Caller& caller,
                                        const apiservice::Attributes& wanted) override {
    return std::ranges::any_of(cached, [&](const CachedPermission& permission) {
      return caller.user == permission.user && wanted.verb == permission.verb &&
             wanted.resource == permission.resource && wanted.name_space == permission.name_space;
    });
  }

  apiservice::Decision decision{true, "", ""};
  std::vector<CachedPermission> cached;
  std::vector<apiservice::Caller> callers;         // of each decide(), in order
  std::vector<apiservice::Attributes> attributes;  // likewise
};

// Accepts the token "good", which carol of group g holds.
class ScriptedTokens final : public apiservice::TokenAuthenticator {
 public:
  [[nodiscard]] awaitable<std::optional<apiservice::Caller>> judge(scalers::Secret token,
                                                                   Deadline deadline) override {
    tokens.push_back(token.reveal());
    CHECK(deadline.at == kRequestDeadline.at);
    if (token.reveal() != "good") co_return std::nullopt;
    co_return apiservice::Caller{"carol", "7", {"g"}, {}};
  }

  std::vector<std::string> tokens;  // of each call, in order
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

// A request of alice, group g1, whom a trusted front proxy names. `path` is decoded.
inline apiservice::Request proxied_request(std::string method,
                                           std::string path,
                                           Parameters query = {}) {
  apiservice::Request out;
  out.method = std::move(method);
  out.path = std::move(path);
  out.query = std::move(query);
  out.headers = {{"x-remote-user", "alice"}, {"x-remote-group", "g1"}};
  out.peer.emplace().by_request_header_ca = apiservice::Trust::trusted;
  return out;
}

struct ApiRigSettings {
  std::size_t max_in_flight = 0;  // 0: no limit
  bool has_token_authenticator = true;
};

struct ApiRig {
  explicit ApiRig(ApiRigSettings settings = {})
      : service(rules,
                settings.has_token_authenticator ? &token_authenticator : nullptr,
                authorizer,
                source,
                discovery,
                settings.max_in_flight) {}

  // Sends the request through every step of the service, and records its user in `user`.
  apiservice::Response send(apiservice::Request request) {
    user.clear();
    return run(loop, respond(service, std::move(request), user));
  }
  // The response to a GET of alice through the front proxy.
  apiservice::Response get(std::string path, Parameters query = {}) {
    return send(proxied_request("GET", std::move(path), std::move(query)));
  }

  struct CacheAdmission {
    bool is_admitted = false;
    std::string user;  // empty unless the request is admitted
  };
  // Whether the service admits the request from cached decisions, without waiting for anything.
  CacheAdmission admit_from_cache(const apiservice::Request& request) {
    const auto counted = hold_in_flight();
    CacheAdmission out;
    out.is_admitted = service.is_admitted(request, out.user);
    return out;
  }

  // Starts to admit the request and destroys it before the first step runs. nullopt: admitted.
  std::optional<apiservice::Response> admit_and_destroy(apiservice::Request request) {
    auto lent = std::make_unique<apiservice::Request>(std::move(request));
    auto admission = service.refuse(*lent, kRequestDeadline);
    lent.reset();
    return run(loop, std::move(admission));
  }

  // One more request is in flight for as long as the returned object lives.
  [[nodiscard]] apiservice::ApiService::InFlight hold_in_flight() {
    return apiservice::ApiService::InFlight(service);
  }

  Loop loop{1};
  ScriptedSource source;
  ScriptedAuthorizer authorizer;
  ScriptedTokens token_authenticator;
  apiservice::FrontProxyRules rules{.allowed_names = {},
                                    .username_headers = {"x-remote-user"},
                                    .group_headers = {"x-remote-group"},
                                    .extra_header_prefixes = {}};
  const apiservice::Discovery discovery = apiservice::make_discovery({"queue-len"});
  apiservice::ApiService service;
  std::string user;  // of the last send(); empty when the service named none

 private:
  // The service's entry points in the order in which server/router.cpp calls them.
  static awaitable<apiservice::Response> respond(apiservice::ApiService& service,
                                                 apiservice::Request request,
                                                 std::string& user) {
    const apiservice::ApiService::InFlight counted(service);
    if (!service.is_admitted(request, user)) {
      auto refusal = co_await service.refuse(request, kRequestDeadline, &user);
      if (refusal) co_return std::move(*refusal);
    }
    auto response = co_await service.answer(request, kRequestDeadline);
    co_return response;
  }
};

}  // namespace weir::test
