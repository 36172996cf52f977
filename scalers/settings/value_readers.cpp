// One reader a type. All are strict, because a value that was guessed shows only once an HPA has
// scaled on it.
#include "scalers/settings/value_readers.hpp"

#include "scalers/reading.hpp"
#include "scalers/text/duration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <variant>

namespace weir::scalers {
namespace {

void add_wrong_type(const Node& node, std::string_view expected, Problems& problems) {
  problems.add(node.mark, fmt::format("expected {}; {}", expected, found_text(node)));
}

std::optional<double> parse_number(const Node& node) {
  // A quoted number is text, as in YAML.
  if (node.kind != Node::Kind::scalar || node.is_quoted || node.text.empty()) return std::nullopt;
  // strtod() would also accept "nan", "inf" and hexadecimal numbers.
  if (node.text.find_first_not_of("+-.0123456789eE") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(node.text.c_str(), &end);
  // strtod() returns infinity for numbers such as 1e400.
  if (end != node.text.c_str() + node.text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

bool is_regular_file(const std::string& path) {
  struct stat state {};
  return ::stat(path.c_str(), &state) == 0 && S_ISREG(state.st_mode);
}

}  // namespace

void read_value(const Node& node, std::string& out, Problems& problems) {
  // An empty text would be the same as a setting that is absent.
  if (node.kind != Node::Kind::scalar || node.text.empty())
    return add_wrong_type(node, "text", problems);
  out = node.text;
}

void read_value(const Node& node, AnyText& out, Problems& problems) {
  if (node.kind != Node::Kind::scalar) return add_wrong_type(node, "text", problems);
  out.text = node.text;
}

void read_value(const Node& node, bool& out, Problems& problems) {
  const bool is_true = node.text == "true";
  if (node.kind != Node::Kind::scalar || node.is_quoted || (!is_true && node.text != "false")) {
    return add_wrong_type(node, "true or false without quotes", problems);
  }
  out = is_true;
}

void read_value(const Node& node, double& out, Problems& problems) {
  const auto number = parse_number(node);
  if (!number) return add_wrong_type(node, "a number", problems);
  out = *number;
}

void read_value(const Node& node, std::uint32_t& out, Problems& problems) {
  const auto number = parse_number(node);
  if (!number || *number < 1 || *number > 1e6 || std::floor(*number) != *number) {
    return add_wrong_type(node, "a whole number from 1 to 1000000", problems);
  }
  out = static_cast<std::uint32_t>(*number);
}

void read_value(const Node& node, Duration& out, Problems& problems) {
  const auto duration = node.kind == Node::Kind::scalar ? parse_duration(node.text) : std::nullopt;
  if (!duration) {
    return add_wrong_type(node,
                          "a duration above zero with its unit, such as 500ms, 5s or 2m",
                          problems);
  }
  out = *duration;
}

void read_value(const Node& node, ErrorOrNumber& out, Problems& problems) {
  out.number = parse_number(node);
  // Kubernetes would read 0 instead of a larger number.
  if (out.number && !is_representable(*out.number)) {
    problems.add(node.mark, "the number must be below 9.2e15, the largest value an HPA can read");
  }
  if (!out.number && (node.kind != Node::Kind::scalar || node.text != "error")) {
    add_wrong_type(node, "error, or a number to report instead", problems);
  }
}

void read_value(const Node& node, Url& out, Problems& problems) {
  if (node.kind != Node::Kind::scalar) return add_wrong_type(node, "a url", problems);
  auto parsed = parse_http_url(node.text);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) {
    // The example is a constant, because a query may contain a secret.
    return problems.add(node.mark,
                        problem->has_query ? "a url must not have a query; write it as parameters: "
                                             "{namespace: team-a}"
                                           : problem->what);
  }
  out = std::get<Url>(std::move(parsed));
}

void read_value(const Node& node, SecretFile& out, Problems& problems) {
  const Node* file =
      node.kind == Node::Kind::map && node.fields.size() == 1 ? node.find("file") : nullptr;
  if (file == nullptr || file->kind != Node::Kind::scalar) {
    // The message does not repeat the value, because it may be a secret written by mistake.
    return problems.add(node.mark, "expected {file: PATH}: secrets come from files only");
  }
  out = SecretFile(file->text);
  problems.add_file({LocalFile::Kind::secret, file->text, {}, {}});
  // Read once when the configuration is loaded, so that a missing file is reported then.
  if (auto problem = out.problem(); !problem.empty())
    problems.add_in_file(file->mark, std::move(problem));
}

void read_value(const Node& node, FilePath& out, Problems& problems) {
  read_value(node, out.path, problems);
  // A folder would be noticed only by the first connect.
  if (!out.path.empty() && !is_regular_file(out.path)) {
    problems.add_in_file(node.mark, fmt::format("there is no file {}", out.path));
  }
}

void read_value(const Node& node, std::vector<std::string>& out, Problems& problems) {
  if (node.kind != Node::Kind::list || node.items.empty()) {
    return add_wrong_type(node, "a list of texts, such as [a, b]", problems);
  }
  for (const Node& item : node.items) read_value(item, out.emplace_back(), problems);
}

void read_value(const Node& node, std::map<std::string, std::string>& out, Problems& problems) {
  if (node.kind != Node::Kind::map)
    return add_wrong_type(node, "a map of texts, such as {key: text}", problems);
  std::map<std::string_view, const Node::Field*> firsts;
  for (const Node::Field& field : node.fields) {
    // The fields still contain duplicate keys, so that both positions can be reported.
    const auto [first, is_first] = firsts.try_emplace(field.key, &field);
    if (!is_first) add_duplicate(*first->second, field, problems);
    read_value(field.value, out[field.key], problems);
  }
}

void read_name(const Node& node,
               std::span<const std::string_view> names,
               std::size_t& index,
               Problems& problems) {
  const auto name = std::ranges::find(names, node.text);
  if (node.kind != Node::Kind::scalar || name == names.end()) {
    return add_wrong_type(node, fmt::format("one of {}", fmt::join(names, ", ")), problems);
  }
  index = static_cast<std::size_t>(name - names.begin());
}

std::string value_text(double value) { return fmt::format("{}", value); }

std::string value_text(std::uint32_t value) { return fmt::format("{}", value); }

std::string value_text(Duration value) {
  static constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> kUnits{
      {{3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}, {1, "ms"}}};
  if (value.count() == 0) return "";
  // The largest unit of which it is a multiple.
  const auto unit =
      std::ranges::find_if(kUnits, [&](const auto& one) { return value.count() % one.first == 0; });
  return fmt::format("{}{}", value.count() / unit->first, unit->second);
}

std::string value_text(const ErrorOrNumber& value) {
  return value.number ? value_text(*value.number) : "error";
}

}  // namespace weir::scalers
