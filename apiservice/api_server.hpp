// The API itself: identity, access, routes, and a metric read handed to the Source. Owned by the
// App; loop thread only.
#pragma once

#include "apiservice/auth/access.hpp"
#include "apiservice/auth/identity.hpp"
#include "apiservice/discovery.hpp"
#include "apiservice/prerendered.hpp"
#include "apiservice/request/http.hpp"
#include "scalers/deadline.hpp"
#include "scalers/explanation.hpp"
#include "scalers/reading.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <optional>
#include <string>

namespace weir::apiservice {

class ApiService {
 public:
  // All but `discovery` outlive the service and every request in it. The rules are read anew at
  // each request. Without `tokens` a bearer token is as good as none. `max_in_flight` 0: no limit.
  // Without `explainer` nothing is explained (404).
  ApiService(const FrontProxyRules& rules,
             TokenAuthenticator* tokens,
             Authorizer& authorizer,
             scalers::Source& source,
             Discovery discovery,
             std::size_t max_in_flight = 0,
             scalers::Explainer* explainer = nullptr)
      : rules_(rules),
        tokens_(tokens),
        authorizer_(authorizer),
        source_(source),
        shelf_(std::move(discovery)),
        max_in_flight_(max_in_flight),
        explainer_(explainer) {}

  // Discovery of the metrics that a new configuration has.
  void set_discovery(Discovery discovery) { shelf_ = Shelf(std::move(discovery)); }

  // One request that is being answered, as long as it lives.
  class InFlight {
   public:
    explicit InFlight(ApiService& api) : api_(api) { ++api_.in_flight_; }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { --api_.in_flight_; }

   private:
    ApiService& api_;
  };

  // Whether refuse() would let the request go on without asking anybody: then it need not be asked.
  // `user` is told who acts, if so.
  [[nodiscard]] bool is_admitted(const Request& request, std::string& user);
  // Who is it, are there too many of them (never of system:masters, which the kube-apiserver's own
  // checks come as), and may they: the refusal, or nullopt when the request may go on. `user` is
  // told who acts, once that is known. `request` is read within the call alone, before the first
  // wait.
  [[nodiscard]] awaitable<std::optional<Response>> refuse(const Request& request,
                                                          Deadline deadline,
                                                          std::string* user = nullptr);
  // The answer to an admitted request; 404 for a path that is not the API's. Errors are JSON:
  // status_in_form() turns them, and those of refuse(), into what the caller wants.
  // `request` is lent until then.
  [[nodiscard]] awaitable<Response> answer(Request& request, Deadline deadline);

 private:
  // What of a request says whether it may go on.
  struct Claim {
    Identity identity;
    std::string token;  // empty when the identity needs none
    Attributes asked;
    std::string target;
  };
  [[nodiscard]] awaitable<std::optional<Response>> judge(Claim claim,
                                                         Deadline deadline,
                                                         std::string* user);
  [[nodiscard]] awaitable<Response> read_metric(Request& request, Route route, Deadline deadline);

  [[nodiscard]] awaitable<Response> explain(Request& request, Route route, Deadline deadline);

  [[nodiscard]] bool is_one_too_many(const Caller& caller) const;

  const FrontProxyRules& rules_;
  TokenAuthenticator* tokens_;
  Authorizer& authorizer_;
  scalers::Source& source_;
  Shelf shelf_;
  std::size_t max_in_flight_;
  scalers::Explainer* explainer_;
  std::size_t in_flight_ = 0;
};

}  // namespace weir::apiservice
