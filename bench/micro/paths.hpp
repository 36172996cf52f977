// The hot paths of a request, one file each: what bench/paths counts in instructions and times, and
// what `bench: instruction_counts_test` holds to limits.json.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

namespace weir::bench {

// One hot path with everything that it needs, made and warmed up. Every run does the same work.
class Path {
 public:
  Path() = default;
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;
  virtual ~Path() = default;
  // The operation once. Throws when its result is not the expected one.
  virtual void run() = 0;
};

// The bytes of a request's head -> a Request.
[[nodiscard]] std::unique_ptr<Path> make_head();
// A front proxy's headers -> who acts.
[[nodiscard]] std::unique_ptr<Path> make_identity();
// The attributes of a request, and a kept answer of a SubjectAccessReview to them.
[[nodiscard]] std::unique_ptr<Path> make_access();
// The text of a label selector -> requirements.
[[nodiscard]] std::unique_ptr<Path> make_selector();
// Eight numbers -> the texts of quantities.
[[nodiscard]] std::unique_ptr<Path> make_quantity();
// A value -> an ExternalMetricValueList.
[[nodiscard]] std::unique_ptr<Path> make_json();
[[nodiscard]] std::unique_ptr<Path> make_protobuf();
// A read of a metric with a parameter whose answer is kept.
[[nodiscard]] std::unique_ptr<Path> make_cache_hit();
// All of these as they meet: from the bytes of a head to those of an answer that was kept, with
// identity, access and telemetry; without socket and TLS.
[[nodiscard]] std::unique_ptr<Path> make_request();

inline void expect(bool is_right, const char* what) {
  if (!is_right) throw std::runtime_error(std::string("not what was to be measured: ") + what);
}

}  // namespace weir::bench
