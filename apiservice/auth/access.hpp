// May a caller do what they ask: the question, the decision and Kubernetes' refusal texts. Who
// decides is an Authorizer.
#pragma once

#include "apiservice/auth/identity.hpp"
#include "apiservice/meta/status.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"

#include <string>
#include <string_view>

namespace weir::apiservice {

struct Decision {
  bool is_allowed = false;
  std::string reason;     // shown behind a refusal when it is not empty
  std::string failure{};  // not empty: nothing was decided, and why; the answer is 500
};

class Authorizer {
 public:
  Authorizer() = default;
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;
  virtual ~Authorizer() = default;
  // Decides by `deadline`; whatever keeps it from deciding is a failure, never leave.
  [[nodiscard]] virtual awaitable<Decision> decide(UserInfo caller,
                                                   RequestInfo asked,
                                                   Deadline deadline) = 0;
  // Whether decide() would allow it at once, without asking anybody. False: it may still allow it.
  [[nodiscard]] virtual bool allowed_from_cache(const UserInfo& /*caller*/,
                                                const RequestInfo& /*asked*/) {
    return false;
  }
};

// Of `weir serve --standalone`: whoever proved an identity may read, anonymous callers may not.
class StandaloneAuthorizer final : public Authorizer {
 public:
  [[nodiscard]] awaitable<Decision> decide(UserInfo caller,
                                           RequestInfo asked,
                                           Deadline deadline) override;
};

// `user`: who acts.
[[nodiscard]] Status forbidden(std::string_view user,
                               const RequestInfo& asked,
                               const Decision& decision);

}  // namespace weir::apiservice
