// Draws a plot with fixed margins. The script of the page reads them from the data attributes.
#include "server/commands/record/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace weir::server::record {
namespace {

// In units of the viewBox; the page scales it to its width. The margins have the numbers of the
// axes.
constexpr double kWidth = 900;
constexpr double kHeight = 220;
constexpr double kLeft = 70;
constexpr double kRight = 870;
constexpr double kTop = 10;
constexpr double kBottom = 185;
constexpr int kSteps = 5;     // on the axis of values
constexpr int kMaxMarks = 8;  // on the axis of time
// Without red, which is the colour of errors.
constexpr std::array<const char*, 6> kColours{"#1f77b4",
                                              "#2ca02c",
                                              "#9467bd",
                                              "#ff7f0e",
                                              "#17becf",
                                              "#8c564b"};

const char* colour_of(std::size_t line) { return kColours[line % kColours.size()]; }

// The range of the value axis; it always includes 0.
struct Range {
  double low = 0;
  double high = 0;
};

// Zero is included, because a truncated axis exaggerates changes.
Range range_of(const Plot& plot) {
  Range out;
  for (const Line& line : plot.lines) {
    for (const auto& [at, value] : line.points) {
      if (!value) continue;
      out.low = std::min(out.low, *value);
      out.high = std::max(out.high, *value);
    }
  }
  out.low = out.low < 0 ? -nice_ceiling(-out.low) : 0;
  // Never an empty range, because y_of() divides by its length.
  out.high = out.high > 0 ? nice_ceiling(out.high) : (out.low < 0 ? 0 : 1);
  return out;
}

double x_of(const Plot& plot, double at) {
  // Never by 0, also for a plot without a length.
  return kLeft + (kRight - kLeft) * at / std::max(plot.seconds, 1e-9);
}

double y_of(const Range& range, double value) {
  return kBottom - (kBottom - kTop) * (value - range.low) / (range.high - range.low);
}

std::string axes_of(const Plot& plot, const Range& range) {
  std::string out;
  for (int step = 0; step <= kSteps; ++step) {
    const double value = range.low + (range.high - range.low) * step / kSteps;
    const double y = y_of(range, value);
    out += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {2:.1f}H{1:.1f}\"/><text x=\"{3:.1f}\" y=\"{4:.1f}\" "
        "class=\"left\">{5:.4g}</text>\n",
        kLeft,
        kRight,
        y,
        kLeft - 6,
        y + 4,
        value);
  }
  const double step = time_step(plot.seconds);
  // A little more, because the last mark may be past the end by a rounding error.
  for (int mark = 0; mark * step <= plot.seconds * (1 + 1e-9); ++mark) {
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"below\">{}</text>\n",
                       x_of(plot, mark * step),
                       kHeight - 8,
                       time_text(mark * step, step));
  }
  return out;
}

std::string shades_of(const Plot& plot) {
  std::string out;
  for (const Span& span : plot.failures) {
    const double left = x_of(plot, span.from);
    // At least as wide as a mark.
    const double width = std::max(x_of(plot, span.to) - left, 2.0);
    out += fmt::format(
        "<rect class=\"failed\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
        left,
        kTop,
        width,
        kBottom - kTop);
  }
  return out;
}

std::string path_of(const Plot& plot, const Range& range, const Line& line) {
  std::string out;
  bool is_open = false;
  for (const auto& [at, value] : line.points) {
    if (!value) {
      // A value holds until the time at which it becomes unknown.
      if (is_open) out += fmt::format("H{:.1f}", x_of(plot, at));
      is_open = false;
      continue;
    }
    const double x = x_of(plot, at);
    const double y = y_of(range, *value);
    if (!is_open) {
      // A path of length 0 with round caps, so that a single point is visible.
      out += fmt::format("M{:.1f} {:.1f}h0", x, y);
    } else {
      out += fmt::format("H{:.1f}V{:.1f}", x, y);
    }
    is_open = true;
  }
  return out;
}

// Errors are marks below the axis, because an error has no value.
std::string marks_of(const Plot& plot) {
  std::string out;
  for (const double at : plot.errors) {
    out +=
        fmt::format("<path class=\"error\" d=\"M{:.1f} {:.1f}v10\"/>\n", x_of(plot, at), kBottom);
  }
  return out;
}

std::string legend_of(const Plot& plot) {
  std::string out;
  for (std::size_t n = 0; n < plot.lines.size(); ++n) {
    out += fmt::format("<span style=\"color:{}\">{} {}</span>\n",
                       colour_of(n),
                       plot.lines[n].is_dashed ? "&#9476;" : "&#9472;",
                       html_escaped(plot.lines[n].name));
  }
  if (!plot.failures.empty()) out += "<span class=\"shade\">&#9632; a read failed</span>\n";
  if (!plot.errors.empty())
    out += fmt::format("<span class=\"bad\">| {} error{}</span>\n",
                       plot.errors.size(),
                       plot.errors.size() == 1 ? "" : "s");
  return out;
}

}  // namespace

std::string svg_of(const Plot& plot) {
  const Range range = range_of(plot);
  std::string out = fmt::format(
      "<figure>\n<figcaption>{}</figcaption>\n<svg viewBox=\"0 0 {} {}\" data-seconds=\"{}\" "
      "data-left=\"{}\" data-right=\"{}\">\n",
      html_escaped(plot.title),
      kWidth,
      kHeight,
      plot.seconds,
      kLeft,
      kRight);
  out += shades_of(plot);
  out += axes_of(plot, range);
  for (std::size_t n = 0; n < plot.lines.size(); ++n) {
    out += fmt::format("<path class=\"line\" stroke=\"{}\"{} d=\"{}\"/>\n",
                       colour_of(n),
                       plot.lines[n].is_dashed ? " stroke-dasharray=\"6 4\"" : "",
                       path_of(plot, range, plot.lines[n]));
  }
  out += marks_of(plot);
  out += fmt::format("<path class=\"cursor\" d=\"M0 {}V{}\"/>\n", kTop, kBottom);
  return out + "</svg>\n<div class=\"legend\">" + legend_of(plot) + "</div>\n</figure>\n";
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    // Both quotes, because texts are in attributes too.
    switch (letter) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += letter;
    }
  }
  return out;
}

double time_step(double seconds) {
  constexpr std::array kRound{0.1,    0.2,    0.5,    1.0,     2.0,     5.0,    10.0,
                              15.0,   30.0,   60.0,   120.0,   300.0,   600.0,  900.0,
                              1800.0, 3600.0, 7200.0, 14400.0, 21600.0, 43200.0};
  for (const double step : kRound) {
    if (seconds / step <= kMaxMarks) return step;
  }
  // Whole days.
  return 86400 * std::ceil(seconds / 86400 / kMaxMarks);
}

std::string time_text(double at, double step) {
  // Minutes only where every mark is a whole one, and hours likewise.
  if (step < 60) return fmt::format("{:.4g} s", at);
  if (step < 3600) return fmt::format("{:.4g} min", at / 60);
  return fmt::format("{:.4g} h", at / 3600);
}

double nice_ceiling(double value) {
  // Above 0, because the logarithm of 0 is not finite.
  const double wanted = std::max(value, 1e-9);
  const double power = std::pow(10, std::floor(std::log10(wanted)));
  // Multiples that people read easily, and whose fifths have few digits.
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= wanted) return factor * power;
  }
  return 10 * power;
}

}  // namespace weir::server::record
