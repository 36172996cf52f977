// The two forms of one value that HPA controllers ask for.
#include "apiservice/groups/external_values.hpp"
#include "bench/micro/paths.hpp"
#include "bench/micro/sample.hpp"

#include <chrono>
#include <span>

namespace weir::bench {
namespace {

using Append = void (*)(std::string&, std::string_view, std::span<const scalers::Reading>);

class DocumentPath final : public Path {
 public:
  DocumentPath(Append append, std::size_t size) : append_(append), size_(size) {}

  void run() override {
    std::string out;  // as an answer's body: grown each time
    append_(out, kMetric, readings_);
    expect(out.size() == size_, "another document");
  }

 private:
  Append append_;
  std::size_t size_;
  std::vector<scalers::Reading> readings_{
      {{{"queue", "requests"}}, 1234, WallTime{} + std::chrono::seconds{1'795'219'200}}};
};

}  // namespace

std::unique_ptr<Path> make_json() {
  return std::make_unique<DocumentPath>(&apiservice::append_value_list, 221);
}

std::unique_ptr<Path> make_protobuf() {
  return std::make_unique<DocumentPath>(&apiservice::append_value_list_protobuf, 130);
}

}  // namespace weir::bench
