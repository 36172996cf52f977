// The text of a Kubernetes label selector (query parameter labelSelector) -> requirements.
// Pure, any thread. It judges grammar and names only; which labels a metric takes, and whether a
// series matches, is for the reader of the requirements.
#pragma once

#include "scalers/error.hpp"
#include "scalers/reading.hpp"

#include <string_view>
#include <vector>

namespace weir::apiservice {

// The requirements of `text` (percent-decoded), sorted by key; those of one key keep their order.
// Empty or blank text gives none: everything is selected.
//   req := KEY | !KEY | KEY (= | == | !=) [VALUE] | KEY (in | notin) ([VALUE], ...) | KEY (> | <)
//   INT
// `in` and `notin` are words like any other except behind a key. There is no quoting.
// A NUL byte ends the text, except directly behind a word or a sign: there it only ends that word,
// as it does in Kubernetes.
// Errc::bad_request with Kubernetes' own message as the detail. The message may hold the caller's
// bytes as they came, also those that are no UTF-8.
[[nodiscard]] scalers::Result<std::vector<scalers::LabelRequirement>> parse_selector(
    std::string_view text);

}  // namespace weir::apiservice
