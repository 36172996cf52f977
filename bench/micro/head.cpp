#include "server/http/head.hpp"

#include "bench/micro/paths.hpp"
#include "bench/micro/sample.hpp"

#include <variant>

namespace weir::bench {
namespace {

class HeadPath final : public Path {
 public:
  void run() override {
    const auto head = server::parse_head(bytes_);
    const auto* accepted = std::get_if<server::Head>(&head);
    expect(accepted != nullptr && accepted->request.headers.size() == 15, "another head");
  }

 private:
  std::string bytes_{kHead};
};

}  // namespace

std::unique_ptr<Path> make_head() { return std::make_unique<HeadPath>(); }

}  // namespace weir::bench
