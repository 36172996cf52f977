// The text of a Kubernetes label selector (query parameter labelSelector) -> requirements.
// Pure, any thread. It checks grammar and names only; which labels a metric accepts is checked by
// the reader.
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
// `in` and `notin` are operators only after a key, else words like any other. There is no quoting.
// A NUL byte ends the text, except directly after a word or an operator: there it only ends that
// token, as in Kubernetes.
// Errc::bad_request with Kubernetes' own message as the detail. The message may hold the caller's
// bytes as they came, even if they are not UTF-8.
[[nodiscard]] scalers::Result<std::vector<scalers::LabelRequirement>> parse_selector(
    std::string_view text);

// Whether a label of Kubernetes may have that key, or that value. A selector with another one is
// refused by its own client, such as the HPA controller, before anybody is asked.
[[nodiscard]] bool is_label_key(std::string_view key);
[[nodiscard]] bool is_label_value(std::string_view value);

}  // namespace weir::apiservice
