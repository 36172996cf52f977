#include "server/telemetry/text.hpp"

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace weir::server {
namespace {

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

// As prometheus-cpp writes it: printf's %.16g.
void append_number(std::string& out, double value) {
  constexpr int kDigits = 16;
  std::array<char, 32> text;  // a sign, the digits, a point, e+308
  const auto written =
      std::to_chars(text.begin(), text.end(), value, std::chars_format::general, kDigits);
  out.append(text.begin(), written.ptr);
}

}  // namespace

void FamilyText::add(std::initializer_list<SeriesLabel> labels, double value) {
  assert(std::isfinite(value) && labels.size() > 0);
  if (!is_begun_) {
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
  is_begun_ = true;
  out_ += family_.name;
  char before = '{';
  for (const SeriesLabel& label : labels) {
    out_ += before;
    out_ += label.name;
    out_ += "=\"";
    append_escaped(out_, label.value);
    out_ += '"';
    before = ',';
  }
  out_ += "} ";
  append_number(out_, value);
  out_ += '\n';
}

}  // namespace weir::server
