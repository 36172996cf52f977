// One plot of a record as SVG: lines over time with a common start, in steps, because a value holds
// until the next read; spans of failures in the background, and a mark below for each error. Pure.
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
  bool is_dashed = false;
};

struct Span {
  double from;  // seconds since the record began
  double to;
};

struct Plot {
  std::string title;
  double seconds = 1;  // the length of the time axis
  std::vector<Line> lines;
  std::vector<double> errors;       // seconds since the record began
  std::vector<Span> failures = {};  // from a failed read to the next good one
};

// The <figure> with its legend.
[[nodiscard]] std::string svg_of(const Plot& plot);
// `text` for HTML, in an element or in a quoted attribute.
[[nodiscard]] std::string html_escaped(std::string_view text);
// The distance of the marks of a time axis: a round number of seconds, minutes or hours, of which
// at most eight fit into `seconds`.
[[nodiscard]] double time_step(double seconds);
// "5 s", "2 min", "1.5 h": a mark of an axis with that step.
[[nodiscard]] std::string time_text(double at, double step);
// The least of 1, 2 and 5 times a power of ten that is not below `value`, at least 1e-9.
[[nodiscard]] double nice_ceiling(double value);

}  // namespace weir::server::record
