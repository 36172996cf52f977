// A configuration as plain values that remember their position in the file. Knows no YAML:
// server/yaml/parse makes the nodes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// A place in a configuration file; lines and columns count from 1.
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;

  friend bool operator==(const Mark&, const Mark&) = default;
};

struct Node {
  enum class Kind { null, scalar, list, map };
  struct Field;

  Kind kind = Kind::null;
  std::string text;  // of a scalar
  bool is_quoted =
      false;  // of a scalar: written in quotes, so it is text even if it looks like a number
  std::vector<Node> items;    // of a list
  std::vector<Field> fields;  // of a map, in the order of the file
  Mark mark;

  // The value under `key`; nullptr when the map has none.
  [[nodiscard]] const Node* find(std::string_view key) const;

  // The same text in the same places.
  friend bool operator==(const Node& left, const Node& right);
};

struct Node::Field {
  std::string key;
  Mark mark;
  Node value;
};

// "a map", "a list", "text" or "nothing": how a message names the node.
[[nodiscard]] std::string_view name_of(Node::Kind kind);

// "found a list", or of a scalar its text in quotes: the tail of a message about a wrong type.
[[nodiscard]] std::string found_text(const Node& node);

}  // namespace weir::scalers
