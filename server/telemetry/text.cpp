// The text format, by hand: escapes, numbers and the two lines above a family.
#include "server/telemetry/text.hpp"

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

namespace weir::server {
namespace {

// The three bytes that the text format 0.0.4 escapes in the value of a label.
void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kEscaped = "\n\\\"";
  for (std::size_t found = text.find_first_of(kEscaped); found != text.npos;
       found = text.find_first_of(kEscaped)) {
    out += text.substr(0, found);
    out += '\\';
    out += text[found] == '\n' ? 'n' : text[found];
    text.remove_prefix(found + 1);
  }
  out += text;
}

// As prometheus-cpp writes it: printf's %.16g. Not printf() itself, whose decimal point depends on
// the locale.
void append_number(std::string& out, double value) {
  constexpr int kDigits = 16;
  std::array<char, 32> text;  // a sign, the digits, a point, e+308
  const auto written =
      std::to_chars(text.begin(), text.end(), value, std::chars_format::general, kDigits);
  out.append(text.begin(), written.ptr);
}

}  // namespace

void append_labels(std::string& out, std::span<const SeriesLabel> labels) {
  bool is_first = true;
  for (const SeriesLabel& label : labels) {
    if (!std::exchange(is_first, false)) out += ',';
    out += label.name;
    out += "=\"";
    append_escaped(out, label.value);
    out += '"';
  }
}

void FamilyText::begin() {
  if (!std::exchange(is_begun_, true)) {
    for (const std::string_view word : {std::string_view("# HELP "),
                                        family_.name,
                                        std::string_view(" "),
                                        family_.help,
                                        std::string_view("\n# TYPE "),
                                        family_.name,
                                        std::string_view(" "),
                                        family_.type,
                                        std::string_view("\n")})
      out_ += word;
  }
  out_ += family_.name;
  out_ += '{';
}

void FamilyText::add(std::initializer_list<SeriesLabel> labels, double value) {
  // The text format spells NaN and infinities in its own way, which append_number() does not.
  assert(std::isfinite(value) && labels.size() > 0);
  begin();
  append_labels(out_, {labels.begin(), labels.size()});
  out_ += "} ";
  append_number(out_, value);
  out_ += '\n';
}

void FamilyText::add(std::string_view labels, double value) {
  assert(std::isfinite(value) && !labels.empty());
  begin();
  out_ += labels;
  out_ += "} ";
  append_number(out_, value);
  out_ += '\n';
}

}  // namespace weir::server
