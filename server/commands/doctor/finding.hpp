// The output of `weir doctor`: one line a finding, as text or as JSON. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server::doctor {

enum class Severity { ok, warning, error };

struct Finding {
  Severity severity;
  std::string object;  // "HPA ml-inference/worker"
  std::string what;
  std::string action;  // empty when there is nothing to do

  friend bool operator==(const Finding&, const Finding&) = default;
};

using Findings = std::vector<Finding>;

[[nodiscard]] Finding ok(std::string object, std::string what);
[[nodiscard]] Finding warning(std::string object, std::string what, std::string action);
[[nodiscard]] Finding error(std::string object, std::string what, std::string action);

// The highest severity; ok without findings.
[[nodiscard]] Severity worst_of(std::span<const Finding> findings);

// The verdict with the count of each severity, then a line "error    OBJECT: WHAT -> ACTION" for
// each finding, the worst first. Each text is cut to one line without control bytes.
[[nodiscard]] std::string text_of(std::span<const Finding> findings);
// {"errors": 1, "warnings": 0, "findings": [{"severity", "object", "what", "action"}]}.
[[nodiscard]] std::string json_of(std::span<const Finding> findings);

// "1 error", "2 errors".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

// `text` on one line of at most 600 bytes of valid UTF-8: a run of blanks and control bytes becomes
// one blank.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace weir::server::doctor
