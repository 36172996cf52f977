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

// Lets every credential, CA and certificate file of a backend be `stand_in`, which is there. The
// doctor asks no backend, and those files are in Weir's pods, not beside whoever looks at the
// cluster; whether they are there is for `weir check`.
void stand_in_for_files(std::vector<scalers::Node>& documents, const std::string& stand_in);

}  // namespace weir::server::doctor
