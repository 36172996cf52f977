// An ApiServer of external metrics over a scripted source, authorizer and token authenticator,
// driven request by request on a real loop. Each fake records its arguments and checks the deadline
// of the request. Only this file knows how an ApiServer is constructed and called.
#pragma once

#include "apiservice/api_server.hpp"
#include "apiservice/groups/external.hpp"
#include "test/rigs/loop.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
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
  [[nodiscard]] awaitable<apiservice::Decision> decide(apiservice::UserInfo caller,
                                                       apiservice::RequestInfo request_attributes,
                                                       Deadline deadline) override {
    callers.push_back(std::move(caller));
    attributes.push_back(std::move(request_attributes));
    CHECK(deadline.at == kRequestDeadline.at);
    co_return decision;
  }
  [[nodiscard]] bool allowed_from_cache(const apiservice::UserInfo& caller,
                                        const apiservice::RequestInfo& wanted) override {
    return std::ranges::any_of(cached, [&](const CachedPermission& permission) {
      return caller.user == permission.user && wanted.verb == permission.verb &&
             wanted.resource == permission.resource && wanted.name_space == permission.name_space;
    });
  }

  apiservice::Decision decision{true, "", ""};
  std::vector<CachedPermission> cached;
  std::vector<apiservice::UserInfo> callers;        // of each decide(), in order
  std::vector<apiservice::RequestInfo> attributes;  // likewise
};

// Accepts the token "good", which carol of group g holds.
class ScriptedTokens final : public apiservice::TokenAuthenticator {
 public:
  [[nodiscard]] awaitable<std::optional<apiservice::UserInfo>> authenticate(
      scalers::Secret token,
      Deadline deadline) override {
    tokens.push_back(token.reveal());
    CHECK(deadline.at == kRequestDeadline.at);
    if (token.reveal() != "good") co_return std::nullopt;
    co_return apiservice::UserInfo{"carol", "7", {"g"}, {}};
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
  explicit ApiRig(ApiRigSettings settings = {}, apiservice::Endpoints endpoints = {})
      : server({.rules = rules,
                .tokens = settings.has_token_authenticator ? &token_authenticator : nullptr,
                .authorizer = authorizer,
                .max_in_flight = settings.max_in_flight},
               {apiservice::external_metrics_group({"queue-len"}, &external)},
               std::move(endpoints)) {}

  // Sends the request through the whole chain, and records its user in `user`.
  apiservice::Response send(apiservice::Request request) {
    user.clear();
    apiservice::RequestInfo info = server.request_info(request);
    return run(loop, server.respond(request, info, kRequestDeadline, user));
  }
  // The response to a GET of alice through the front proxy.
  apiservice::Response get(std::string path, Parameters query = {}) {
    return send(proxied_request("GET", std::move(path), std::move(query)));
  }

  // One more request is in flight for as long as the returned object lives.
  [[nodiscard]] apiservice::ApiServer::InFlight hold_in_flight() {
    return apiservice::ApiServer::InFlight(server);
  }

  Loop loop{1};
  ScriptedSource source;
  ScriptedAuthorizer authorizer;
  ScriptedTokens token_authenticator;
  apiservice::FrontProxyRules rules{.allowed_names = {},
                                    .username_headers = {"x-remote-user"},
                                    .group_headers = {"x-remote-group"},
                                    .extra_header_prefixes = {}};
  apiservice::ExternalMetrics external{source};
  apiservice::ApiServer server;
  std::string user;  // of the last send(); empty when the server named none
};

}  // namespace weir::test
