#include "apiservice/encoding/quantity.hpp"

#include "bench/micro/paths.hpp"

#include <array>

namespace weir::bench {
namespace {

constexpr std::array kValues{0.0, 42.0, 1500.0, 1e6, 0.25, 0.1, 12.3456, 123456789.0};

class QuantityPath final : public Path {
 public:
  void run() override {
    out_.clear();
    for (const double value : kValues) apiservice::append_quantity(out_, value);
    expect(out_ == "04215001M250m100m12346m123456789", "other texts");
  }

 private:
  std::string out_;
};

}  // namespace

std::unique_ptr<Path> make_quantity() { return std::make_unique<QuantityPath>(); }

}  // namespace weir::bench
