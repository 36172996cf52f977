// Authorization: the interface of an Authorizer, its decision, and Kubernetes' text of a 403.
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
  std::string reason;     // appended to the text of a 403 when it is not empty
  std::string failure{};  // not empty: why the decision is missing; the response is 500
};

class Authorizer {
 public:
  Authorizer() = default;
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;
  virtual ~Authorizer() = default;
  // Decides by `deadline`. An error is a failure, never a permission.
  [[nodiscard]] virtual awaitable<Decision> decide(UserInfo caller,
                                                   RequestInfo info,
                                                   Deadline deadline) = 0;
  // Whether decide() would allow the request from its cache, without a SubjectAccessReview. False:
  // decide() may still allow it.
  [[nodiscard]] virtual bool allowed_from_cache(const UserInfo& /*caller*/,
                                                const RequestInfo& /*info*/) {
    return false;
  }
};

// The authorizer of `weir serve --standalone`: authenticated callers may read, anonymous ones may
// not.
class StandaloneAuthorizer final : public Authorizer {
 public:
  [[nodiscard]] awaitable<Decision> decide(UserInfo caller,
                                           RequestInfo info,
                                           Deadline deadline) override;
};

// The 403 of a denied request; `user` is the effective user.
[[nodiscard]] Status forbidden(std::string_view user,
                               const RequestInfo& info,
                               const Decision& decision);

}  // namespace weir::apiservice
