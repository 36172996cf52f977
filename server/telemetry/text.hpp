// Series in Prometheus' text format, written straight from counts. prometheus-cpp renders its own;
// the series of metrics are too many for that: a series there is a kilobyte, and one more while it
// is rendered. Part of Telemetry. Pure.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace weir::server {

// Literals: the texts live for good.
struct SeriesFamily {
  std::string_view name;
  std::string_view help;
  std::string_view type;  // "counter", "gauge"
};

struct SeriesLabel {
  std::string_view name;
  std::string_view value;
};

// Appends name="value",... of labels that are in the order of their names.
void append_labels(std::string& out, std::span<const SeriesLabel> labels);

class FamilyText {
 public:
  // Appends to `out`, which outlives it: nothing before the first series, as a family without any
  // is not on the page.
  FamilyText(std::string& out, const SeriesFamily& family) : out_(out), family_(family) {}

  // `labels` in the order of their names, at least one; `value` is finite.
  void add(std::initializer_list<SeriesLabel> labels, double value);
  // `labels` as append_labels() writes them.
  void add(std::string_view labels, double value);

 private:
  // Begins the family's next series.
  void begin();

  std::string& out_;
  SeriesFamily family_;
  bool is_begun_ = false;
};

}  // namespace weir::server
