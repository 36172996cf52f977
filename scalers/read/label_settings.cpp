// The block `labels` of a metric: which labels a selector may set, and to what.
#include "scalers/read/config.hpp"
#include "scalers/settings/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::scalers::read {
namespace {

struct LabelSettings {
  std::string pattern;
  std::optional<AnyText> fallback;  // an empty text is a default, too
};

constexpr std::array kLabelTable{
    required_setting<&LabelSettings::pattern>("pattern",
                                              "the RE2 pattern that a value must match as a whole"),
    setting<&LabelSettings::fallback>("default",
                                      "the value when the selector does not name the label"),
};

// What a selector may name: Kubernetes' label keys.
// A DNS prefix and a name of 63 bytes at most; the parser of selectors refuses any other key.
bool is_label_key(std::string_view key) {
  static constexpr std::string_view kPattern =
      "(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/)?"
      "[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
  const auto pattern = Pattern::compile(std::string(kPattern));
  // The pattern is a constant, and valid.
  return std::get<Pattern>(pattern).matches(key);
}

void read_label(const Node::Field& field, std::vector<DeclaredLabel>& labels, Problems& problems) {
  LabelSettings settings;
  if (field.value.kind == Node::Kind::map) {
    read_settings(field.value, kLabelTable, "label", settings, problems);
  } else {
    // A text alone is the pattern: the short form of {pattern: P}.
    read_value(field.value, settings.pattern, problems);
  }
  if (!is_label_key(field.key)) {
    problems.add(
        field.mark,
        fmt::format(
            "\"{}\" is not a valid label key, so no selector can set it: use letters, digits, -, _ "
            "and ., with a letter or digit at both ends",
            field.key));
  }
  if (field.key == kNamespaceParameter) {
    problems.add(field.mark, "the label namespace is built in: remove it and write $(namespace)");
  }
  if (std::ranges::find(labels, field.key, &DeclaredLabel::name) != labels.end()) {
    return problems.add(field.mark, fmt::format("duplicate label {}; keep one", field.key));
  }
  auto compiled = Pattern::compile(settings.pattern);
  if (const auto* invalid = std::get_if<Pattern::Invalid>(&compiled)) {
    return problems.add(field.value.mark,
                        fmt::format("the pattern is not valid RE2: {}", invalid->why));
  }
  auto pattern = std::get<Pattern>(std::move(compiled));
  std::optional<std::string> fallback;
  // Without a default a selector has to name the label.
  if (settings.fallback) fallback = settings.fallback->text;
  // A default enters the query like a value of a caller, so the same pattern bounds it.
  if (fallback && !pattern.matches(*fallback)) {
    problems.add(
        field.value.mark,
        fmt::format("the default \"{}\" does not match the pattern {}", *fallback, pattern.text()));
  }
  labels.push_back({field.key, std::move(pattern), std::move(fallback)});
}

}  // namespace

std::vector<DeclaredLabel> read_labels(const Node& node, Problems& problems) {
  std::vector<DeclaredLabel> out;
  if (node.kind != Node::Kind::map) {
    problems.add(
        node.mark,
        "labels is a map from a label's name to its pattern, such as {queue: 'ml\\.[a-z]+'}");
  }
  for (const Node::Field& field : node.fields) read_label(field, out, problems);
  return out;
}

}  // namespace weir::scalers::read
