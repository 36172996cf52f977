#include "apiservice/auth/access.hpp"

#include "bench/micro/paths.hpp"
#include "bench/micro/sample.hpp"
#include "bench/micro/warm_server.hpp"

namespace weir::bench {
namespace {

class AccessPath final : public Path {
 public:
  void run() override {
    expect(server_.access().allowed_from_cache(caller_,
                                               apiservice::request_info_of(request_, served())),
           "another decision");
  }

 private:
  WarmServer server_;
  apiservice::Request request_ = sample_request();
  apiservice::UserInfo caller_ =
      apiservice::effective_user(apiservice::identity_of(request_, front_proxy_rules())).value();
};

}  // namespace

std::unique_ptr<Path> make_access() { return std::make_unique<AccessPath>(); }

}  // namespace weir::bench
