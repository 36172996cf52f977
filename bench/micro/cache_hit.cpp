#include "apiservice/meta/label_selector.hpp"
#include "bench/micro/paths.hpp"
#include "bench/micro/sample.hpp"
#include "bench/micro/warm_server.hpp"

namespace weir::bench {
namespace {

class CacheHitPath final : public Path {
 public:
  void run() override {
    const auto readings = server_.finish(server_.source().read(query_, server_.deadline()));
    expect(readings && readings->front().value == 1234, "another reading");
  }

 private:
  WarmServer server_;
  scalers::Query query_{std::string(kNamespace),
                        std::string(kMetric),
                        apiservice::parse_selector(kSelector).value()};
};

}  // namespace

std::unique_ptr<Path> make_cache_hit() { return std::make_unique<CacheHitPath>(); }

}  // namespace weir::bench
