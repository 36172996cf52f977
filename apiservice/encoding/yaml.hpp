// JSON documents as YAML, in the manner of sigs.k8s.io/yaml: keys sorted, lists at their key's own
// depth, strings quoted when YAML would read them as something else. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::apiservice {

// `json` is one of our own documents: valid. A long text stays on one line, and one with line ends
// is double-quoted.
[[nodiscard]] std::string yaml_of_json(std::string_view json);

// A string as a YAML scalar: plain where that is safe, else quoted.
void append_yaml_string(std::string& out, std::string_view text);

}  // namespace weir::apiservice
