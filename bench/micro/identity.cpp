#include "apiservice/auth/identity.hpp"

#include "bench/micro/paths.hpp"
#include "bench/micro/sample.hpp"

namespace weir::bench {
namespace {

class IdentityPath final : public Path {
 public:
  void run() override {
    const auto caller = apiservice::effective_user(apiservice::identity_of(request_, rules_));
    expect(caller && caller->groups.size() == 3, "another caller");
  }

 private:
  apiservice::FrontProxyRules rules_ = front_proxy_rules();
  apiservice::Request request_ = sample_request();
};

}  // namespace

std::unique_ptr<Path> make_identity() { return std::make_unique<IdentityPath>(); }

}  // namespace weir::bench
