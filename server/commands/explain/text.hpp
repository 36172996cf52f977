// An explanation for a person at a terminal. Pure.
#pragma once

#include "scalers/error.hpp"
#include "scalers/explanation.hpp"
#include "server/kube/objects/hpa.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace weir::server {

// An HPA beside the explanation: its metric, or why it could not be read.
struct HpaView {
  std::string name;
  scalers::Result<apiservice::HpaMetric> metric;
};

// The sum of all values, which is what an HPA takes; nullopt when one of them is an error.
[[nodiscard]] std::optional<double> total_of(const scalers::Explanation& explanation);

// Of each query the result and its cause first. `is_verbose`: with the policies without an effect.
[[nodiscard]] std::string terminal_text(const scalers::Explanation& explanation,
                                        const std::optional<HpaView>& hpa,
                                        bool is_verbose);
[[nodiscard]] nlohmann::ordered_json hpa_document(const scalers::Explanation& explanation,
                                                  const HpaView& hpa);

}  // namespace weir::server
