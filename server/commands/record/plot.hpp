// One plot of a record as SVG: lines over time with a common start, and marks at the times of
// errors below them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::server::record {

struct Line {
  std::string name;
  // Seconds since the record began, and the value; nullopt breaks the line.
  std::vector<std::pair<double, std::optional<double>>> points;
  bool is_stepped = false;  // a value holds until the next one
  bool is_dashed = false;
};

struct Plot {
  std::string title;
  double seconds = 1;  // the length of the time axis
  std::vector<Line> lines;
  std::vector<double> errors;  // seconds since the record began
};

// The <figure> with its legend.
[[nodiscard]] std::string svg_of(const Plot& plot);
// `text` for HTML, in an element or in a quoted attribute.
[[nodiscard]] std::string html_escaped(std::string_view text);
// The least of 1, 2 and 5 times a power of ten that is not below `value`, at least 1e-9.
[[nodiscard]] double nice_ceiling(double value);

}  // namespace weir::server::record
