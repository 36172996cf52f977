// Whom `weir record` asks: the sources themselves, by a configuration, or the kube-apiserver. Loop
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

// NAMESPACE/METRIC or NAMESPACE/METRIC?SELECTOR, which the flags have judged.
[[nodiscard]] Target target_of(const std::string& text);

class Asker {
 public:
  // Either may be null, and outlives the asker. With a source, metrics are asked of it.
  Asker(scalers::Source* source, cluster::KubeClient* kube) : source_(source), kube_(kube) {}

  // What an HPA with this metric would get, within the deadline. Any Errc.
  [[nodiscard]] awaitable<scalers::Result<std::vector<scalers::Reading>>> metric(Target target,
                                                                                 Deadline deadline);
  // The state of NAMESPACE/NAME. There is a kube client.
  [[nodiscard]] awaitable<scalers::Result<HpaState>> hpa(std::string name, Deadline deadline);

 private:
  scalers::Source* source_;
  cluster::KubeClient* kube_;
};

}  // namespace weir::server::record
