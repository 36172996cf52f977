#include "apiservice/auth/access.hpp"

#include "bench/micro/paths.hpp"
#include "bench/micro/sample.hpp"
#include "bench/micro/standing.hpp"

namespace weir::bench {
namespace {

class AccessPath final : public Path {
 public:
  void run() override {
    expect(standing_.access().is_allowed_already(caller_, apiservice::attributes_of(request_)),
           "another decision");
  }

 private:
  Standing standing_;
  apiservice::Request request_ = sample_request();
  apiservice::Caller caller_ =
      apiservice::caller_of(apiservice::identity_of(request_, front_proxy_rules())).value();
};

}  // namespace

std::unique_ptr<Path> make_access() { return std::make_unique<AccessPath>(); }

}  // namespace weir::bench
