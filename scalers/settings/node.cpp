// Comparison and look-up of configuration nodes.
#include "scalers/settings/node.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir::scalers {

// Written out: clang 19 crashes on the default of a type that holds itself in a vector.
bool operator==(const Node& left, const Node& right) {
  const auto is_equal = [](const Node::Field& a, const Node::Field& b) {
    return a.key == b.key && a.mark == b.mark && a.value == b.value;
  };
  return left.kind == right.kind && left.text == right.text && left.is_quoted == right.is_quoted &&
         left.mark == right.mark && left.items == right.items &&
         std::ranges::equal(left.fields, right.fields, is_equal);
}

const Node* Node::find(std::string_view key) const {
  const auto field = std::ranges::find(fields, key, &Field::key);
  // The first of several equal keys; check_keys() reports the others.
  return field == fields.end() ? nullptr : &field->value;
}

std::string_view name_of(Node::Kind kind) {
  // Without a default, so that the compiler finds a kind without a name.
  switch (kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::scalar: return "text";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "a map";
  }
  return "";
}

std::string found_text(const Node& node) {
  if (node.kind != Node::Kind::scalar) return fmt::format("found {}", name_of(node.kind));
  // Contains the value, so that a reader of secrets must not use it.
  return fmt::format("found \"{}\"", node.text);
}

}  // namespace weir::scalers
