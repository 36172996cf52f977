// Where `weir record` reads from: the backends of a configuration, or the kube-apiserver. Loop
// thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/reading.hpp"
#include "scalers/task.hpp"
#include "server/commands/record/timeline.hpp"
#include "server/kube/client/client.hpp"

#include <string>
#include <vector>

namespace weir::server::record {

struct Target {
  std::string name_space;
  std::string metric;
  std::string selector;  // empty: none
};

// NAMESPACE/METRIC or NAMESPACE/METRIC?SELECTOR, validated with the flags.
[[nodiscard]] Target target_of(const std::string& text);

class RecordSource {
 public:
  // Either may be null; both outlive this object. With a source, metrics are read from it.
  RecordSource(scalers::Source* source, cluster::KubeClient* kube) : source_(source), kube_(kube) {}

  // The values that an HPA with this metric would read. Any Errc.
  [[nodiscard]] awaitable<scalers::Result<std::vector<scalers::Reading>>> read_metric(
      Target target,
      Deadline deadline);
  // The state of NAMESPACE/NAME. `kube` must not be null.
  [[nodiscard]] awaitable<scalers::Result<HpaState>> read_hpa(std::string name, Deadline deadline);

 private:
  scalers::Source* source_;
  cluster::KubeClient* kube_;
};

}  // namespace weir::server::record
