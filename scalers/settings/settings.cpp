#include "scalers/settings/settings.hpp"

#include "scalers/reading.hpp"
#include "scalers/text/duration.hpp"
#include "scalers/text/suggest.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace weir::scalers {
namespace {

std::string found_instead(const Node& node) {
  if (node.kind != Node::Kind::scalar) return fmt::format("found {}", name_of(node.kind));
  return fmt::format("found \"{}\"", node.text);
}

void add_wrong_type(const Node& node, std::string_view expected, Problems& problems) {
  problems.add(node.mark, fmt::format("expected {}; {}", expected, found_instead(node)));
}

std::string listed(std::span<const std::string_view> names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<double> parse_number(const Node& node) {
  if (node.kind != Node::Kind::scalar || node.is_quoted || node.text.empty()) return std::nullopt;
  if (node.text.find_first_not_of("+-.0123456789eE") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(node.text.c_str(), &end);
  if (end != node.text.c_str() + node.text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

bool is_regular_file(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

}  // namespace

// Written out: clang 19 crashes on the default of a type that holds itself in a vector.
bool operator==(const Node& left, const Node& right) {
  const auto is_equal = [](const Node::Field& one, const Node::Field& other) {
    return one.key == other.key && one.mark == other.mark && one.value == other.value;
  };
  return left.kind == right.kind && left.text == right.text && left.is_quoted == right.is_quoted &&
         left.mark == right.mark && left.items == right.items &&
         std::ranges::equal(left.fields, right.fields, is_equal);
}

const Node* Node::find(std::string_view key) const {
  const auto found = std::ranges::find(fields, key, &Field::key);
  return found == fields.end() ? nullptr : &found->value;
}

std::string_view name_of(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::scalar: return "text";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "a map";
  }
  return "";
}

std::vector<std::string> Problems::lines() const {
  std::vector<Problem> sorted = found_;
  std::ranges::sort(sorted, {}, [](const Problem& problem) {
    return std::tie(problem.mark.file, problem.mark.line, problem.mark.column, problem.what);
  });
  std::vector<std::string> out;
  for (const Problem& problem : sorted) {
    const Mark& mark = problem.mark;
    out.push_back(
        mark.line == 0
            ? fmt::format("{}: {}", mark.file, problem.what)
            : fmt::format("{}:{}:{}: {}", mark.file, mark.line, mark.column, problem.what));
  }
  return out;
}

void read_value(const Node& node, std::string& out, Problems& problems) {
  if (node.kind != Node::Kind::scalar) return add_wrong_type(node, "text", problems);
  if (node.text.empty()) return problems.add(node.mark, "expected text; found an empty one");
  out = node.text;
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
  if (out.number && !is_representable(*out.number)) {
    problems.add(node.mark, "a number to report instead is below 9.2e15, the most an HPA can read");
  }
  if (!out.number && (node.kind != Node::Kind::scalar || node.text != "error")) {
    add_wrong_type(node, "error, or a number to report instead", problems);
  }
}

void read_value(const Node& node, Url& out, Problems& problems) {
  if (node.kind != Node::Kind::scalar) return add_wrong_type(node, "a url", problems);
  auto parsed = parse_http_url(node.text);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed))
    return problems.add(node.mark, problem->what);
  out = std::get<Url>(std::move(parsed));
}

void read_value(const Node& node, SecretFile& out, Problems& problems) {
  const Node* file =
      node.kind == Node::Kind::map && node.fields.size() == 1 ? node.find("file") : nullptr;
  if (file == nullptr || file->kind != Node::Kind::scalar) {
    // The value itself may be a secret that was written by mistake: it is not repeated.
    return problems.add(node.mark, "expected {file: PATH}: secrets come from files only");
  }
  out = SecretFile(file->text);
  if (const auto secret = out.read(); !secret) problems.add(file->mark, secret.error().detail);
}

void read_value(const Node& node, FilePath& out, Problems& problems) {
  read_value(node, out.path, problems);
  if (!out.path.empty() && !is_regular_file(out.path)) {
    problems.add(node.mark, fmt::format("there is no file {}", out.path));
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
  for (const Node::Field& field : node.fields) {
    if (out.contains(field.key))
      problems.add(field.mark, fmt::format("the key {} stands twice", field.key));
    read_value(field.value, out[field.key], problems);
  }
}

void read_name(const Node& node,
               std::span<const std::string_view> names,
               std::size_t& index,
               Problems& problems) {
  const auto found = std::ranges::find(names, node.text);
  if (node.kind != Node::Kind::scalar || found == names.end()) {
    return add_wrong_type(node, fmt::format("one of {}", listed(names)), problems);
  }
  index = static_cast<std::size_t>(found - names.begin());
}

bool check_keys(const Node& block,
                std::span<const SettingDoc> rows,
                std::string_view what,
                Problems& problems) {
  if (block.kind != Node::Kind::map) {
    problems.add(
        block.mark,
        fmt::format("expected a map of settings for a {}; {}", what, found_instead(block)));
    return false;
  }
  std::vector<std::string_view> names;
  for (const SettingDoc& row : rows) names.push_back(row.name);
  std::set<std::string_view> seen;
  for (const Node::Field& field : block.fields) {
    if (!seen.insert(field.key).second) {
      problems.add(field.mark, fmt::format("the key {} stands twice; keep one", field.key));
    } else if (std::ranges::find(names, field.key) == names.end()) {
      const std::string near = did_you_mean(field.key, names);
      problems.add(field.mark,
                   fmt::format("unknown key \"{}\" in a {}{}; its keys are {}",
                               field.key,
                               what,
                               near,
                               listed(names)));
    }
  }
  for (const SettingDoc& row : rows) {
    if (row.is_required && !seen.contains(row.name)) {
      problems.add(block.mark, fmt::format("a {} needs {}: {}", what, row.name, row.doc));
    }
  }
  return true;
}

}  // namespace weir::scalers
