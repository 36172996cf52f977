// What `weir doctor` takes from a configuration, beside the world that is built of it. Pure.
#pragma once

#include "scalers/settings/node.hpp"

#include <span>
#include <string>
#include <vector>

namespace weir::server::doctor {

// How a metric's number goes with the replicas of what it scales: an average or a quantile tells of
// one of them and does not rise with their count, a backlog does not fall with it.
enum class Measure { average, backlog };

struct MeasuredMetric {
  std::string name;
  std::vector<std::string> namespaces;  // "*" alone means every namespace
  Measure measure;
};

// The metrics whose block tells: a PromQL query whose outermost function is an average or a
// quantile; RabbitMQ's queue length and everything that Redis counts. What a rate, a ratio, a time
// or a counter of Redis means is not told.
[[nodiscard]] std::vector<MeasuredMetric> measured_in(std::span<const scalers::Node> documents);

// Lets every credential, CA and certificate file of a backend be `stand_in`, which is there. The
// doctor asks no backend, and those files are in Weir's pods, not beside whoever looks at the
// cluster; whether they are there is for `weir check`.
void stand_in_for_files(std::vector<scalers::Node>& documents, const std::string& stand_in);

}  // namespace weir::server::doctor
