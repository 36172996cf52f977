#include "apiservice/meta/label_selector.hpp"
#include "bench/micro/paths.hpp"

namespace weir::bench {
namespace {

class SelectorPath final : public Path {
 public:
  void run() override {
    const auto found = apiservice::parse_selector(text_);
    expect(found && found->size() == 2, "other requirements");
  }

 private:
  std::string text_ = "queue=ml.requests,tenant in (blue,green)";
};

}  // namespace

std::unique_ptr<Path> make_selector() { return std::make_unique<SelectorPath>(); }

}  // namespace weir::bench
