// The chain that every request passes, from its RequestInfo to an encoded response: open endpoints,
// timeout, identity, in-flight limit, access, then an endpoint or the handler of an API group.
// Owned by the App; loop thread only.
#pragma once

#include "apiservice/auth/access.hpp"
#include "apiservice/auth/identity.hpp"
#include "apiservice/endpoints.hpp"
#include "apiservice/groups/group.hpp"
#include "apiservice/prerendered.hpp"
#include "apiservice/request/http.hpp"
#include "apiservice/request/request_info.hpp"
#include "apiservice/version.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::apiservice {

struct ApiServerSettings {
  const FrontProxyRules& rules;  // read again at each request
  TokenAuthenticator* tokens;    // null: bearer tokens are ignored
  Authorizer& authorizer;
  std::size_t max_in_flight = 0;  // 0: no limit
  VersionInfo version = {};       // of /version
};

class ApiServer {
 public:
  // What `settings` refers to outlives the server and every request in it, as do the handlers of
  // `groups` and what `endpoints` refers to. `endpoints` come before the documents of the groups.
  ApiServer(ApiServerSettings settings, std::vector<ApiGroup> groups, Endpoints endpoints = {});

  // The same groups with the resources of a new configuration.
  void set_groups(std::vector<ApiGroup> groups);

  // What the request asks for; computed once per request.
  [[nodiscard]] RequestInfo request_info(const Request& request) const;

  // The response, with Status in the caller's media type. `user` is set to the
  // effective user once it is known. All references must stay valid until the response is returned.
  [[nodiscard]] awaitable<Response> respond(Request& request,
                                            RequestInfo& info,
                                            Deadline deadline,
                                            std::string& user);

  // Every endpoint, in the order of RequestInfo's `endpoint`, and every served group version, in
  // that of its `group_version`: telemetry's rows. They stay the same over set_groups().
  [[nodiscard]] const Endpoints& endpoints() const { return endpoints_; }
  [[nodiscard]] const std::vector<GroupVersion>& group_versions() const { return served_; }
  [[nodiscard]] const PrerenderedDocuments& documents() const { return *documents_; }

  // Counts one request as in flight for as long as it exists.
  class InFlight {
   public:
    explicit InFlight(ApiServer& server) : server_(server) { ++server_.in_flight_; }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { --server_.in_flight_; }

   private:
    ApiServer& server_;
  };

 private:
  // Admits a request whose user and permission are known without waiting; `user` is set then.
  [[nodiscard]] bool try_admit_from_cache(const Request& request,
                                          const RequestInfo& info,
                                          std::string& user);
  // 401, 429, 403 or 500; nullopt when the request may go on.
  [[nodiscard]] awaitable<std::optional<Response>> authenticate_and_authorize(Request& request,
                                                                              RequestInfo& info,
                                                                              Deadline deadline,
                                                                              std::string& user);
  // The response to an admitted request; errors are JSON.
  [[nodiscard]] awaitable<Response> route(Request& request,
                                          RequestInfo& info,
                                          Negotiation& negotiation,
                                          Deadline deadline);
  [[nodiscard]] const Endpoint* endpoint_of(const RequestInfo& info) const;
  // Never true for system:masters, because the kube-apiserver's own checks are sent as that group.
  [[nodiscard]] bool is_over_limit(const UserInfo& user) const;

  ApiServerSettings settings_;
  Endpoints own_endpoints_;  // those of the constructor
  std::vector<GroupVersion> served_;
  std::vector<GroupHandler*> handlers_;  // of each served group version
  // On the heap, because its endpoints refer to it.
  std::unique_ptr<const PrerenderedDocuments> documents_;
  Endpoints endpoints_;
  std::size_t in_flight_ = 0;
};

}  // namespace weir::apiservice
