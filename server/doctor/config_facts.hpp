// What `weir doctor` takes from a configuration, beside the world that is built of it. Pure.
#pragma once

#include "scalers/settings.hpp"

#include <set>
#include <span>
#include <string>
#include <vector>

namespace weir::server::doctor {

// The names of the metrics whose PromQL query gives an average or a quantile, by its text.
[[nodiscard]] std::set<std::string> averages_in(std::span<const scalers::Node> documents);

// Takes the credentials and certificates out of every backend. The doctor asks no backend, and
// their files are in Weir's pods, not beside whoever looks at the cluster.
void drop_files(std::vector<scalers::Node>& documents);

}  // namespace weir::server::doctor
