// The defaults of a scaler without a diagnosis, and the text on `empty` that kinds share.
#include "scalers/kind.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir::scalers {

bool Scaler::can_diagnose(const Result<Samples>& /*reply*/) const { return false; }

awaitable<Diagnosis> Scaler::diagnose(Parameters /*parameters*/,
                                      Result<Samples> /*reply*/,
                                      Deadline /*deadline*/) {
  co_return Diagnosis{};
}

std::string empty_text(const ScalerKind& kind) {
  if (kind.empty_covers.empty()) {
    const auto settings = kind.metric_settings();
    const bool has_missing =
        std::ranges::find(settings, "missing", &SettingDoc::name) != settings.end();
    return fmt::format("empty has no effect for kind {}; {}",
                       kind.name,
                       has_missing ? "use missing" : "its metrics always have a value");
  }
  return fmt::format("empty covers {}; never a value that is absent, null or of another type",
                     kind.empty_covers);
}

}  // namespace weir::scalers
