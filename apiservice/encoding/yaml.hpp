// JSON documents as YAML, in the manner of sigs.k8s.io/yaml: keys sorted, lists at the depth of
// their key, strings quoted when YAML would read them as something else. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::apiservice {

// `json` is valid, because it is one of our own documents. A long text stays on one line, and a
// text with line breaks is double-quoted.
[[nodiscard]] std::string yaml_of_json(std::string_view json);

// A string as a YAML scalar: plain where that is unambiguous, else quoted.
void append_yaml_string(std::string& out, std::string_view text);

}  // namespace weir::apiservice
