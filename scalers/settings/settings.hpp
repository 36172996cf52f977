// Configuration as plain values: nodes that remember where they stand, problems that say what to
// write instead, and settings tables that bind a block to a struct, print themselves for `weir
// describe`, and refuse what they don't know. Pure but for the check that a named file exists.
// Knows no YAML: server/config/files makes the nodes.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/url.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
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

// "map", "list", "text" or "nothing": how a message names what stands there.
[[nodiscard]] std::string_view name_of(Node::Kind kind);

struct Problem {
  Mark mark;
  std::string what;
};

// All problems of a configuration, collected so that they are shown at once.
class Problems {
 public:
  void add(const Mark& mark, std::string what) { found_.push_back({mark, std::move(what)}); }
  void add_all(const Problems& others) {
    found_.insert(found_.end(), others.found_.begin(), others.found_.end());
  }
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] std::size_t size() const { return found_.size(); }
  // "file:line:column: what" of each, in the order of files, lines and columns.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<Problem> found_;
};

// One row of a settings table, as `weir describe` shows it.
struct SettingDoc {
  std::string_view name;
  std::string_view type;
  std::string_view
      fallback;  // what holds when the key is absent; empty with is_required false: off
  bool is_required;
  std::string_view doc;
};

template <class S>
struct Setting : SettingDoc {
  void (*read)(const Node& value, S& settings, Problems& problems);
};

// `error` (the default of every policy) or a number to report instead.
struct ErrorOrNumber {
  std::optional<double> number;
};

// Specialised for each enumeration that a setting can hold: kTypeName ("a|b") and kNames (name and
// value pairs).
template <class E>
struct EnumNames;

// Each overload reads one type of value and adds a problem when the node does not hold one.
void read_value(const Node& node, std::string& out, Problems& problems);
void read_value(const Node& node, bool& out, Problems& problems);
void read_value(const Node& node, double& out, Problems& problems);
void read_value(const Node& node, std::uint32_t& out, Problems& problems);
void read_value(const Node& node, Duration& out, Problems& problems);
void read_value(const Node& node, ErrorOrNumber& out, Problems& problems);
void read_value(const Node& node, Url& out, Problems& problems);
void read_value(const Node& node, SecretFile& out, Problems& problems);
void read_value(const Node& node, std::vector<std::string>& out, Problems& problems);
void read_value(const Node& node, std::map<std::string, std::string>& out, Problems& problems);

// A path to a file that has to exist when the configuration is loaded (a CA bundle, a certificate,
// a key).
struct FilePath {
  std::string path;

  friend bool operator==(const FilePath&, const FilePath&) = default;
};
void read_value(const Node& node, FilePath& out, Problems& problems);

void read_name(const Node& node,
               std::span<const std::string_view> names,
               std::size_t& index,
               Problems& problems);

template <class E>
requires std::is_enum_v<E>
void read_value(const Node& node, E& out, Problems& problems) {
  std::array<std::string_view, EnumNames<E>::kNames.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = EnumNames<E>::kNames[i].first;
  std::size_t index = names.size();
  read_name(node, names, index, problems);
  if (index < names.size()) out = EnumNames<E>::kNames[index].second;
}

template <class T>
void read_value(const Node& node, std::optional<T>& out, Problems& problems) {
  read_value(node, out.emplace(), problems);
}

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
consteval std::string_view type_name() {
  if constexpr (IsOptional<T>::value) return type_name<typename T::value_type>();
  if constexpr (std::same_as<T, std::string>) return "text";
  if constexpr (std::same_as<T, bool>) return "true|false";
  if constexpr (std::same_as<T, double>) return "number";
  if constexpr (std::same_as<T, std::uint32_t>) return "count";
  if constexpr (std::same_as<T, Duration>) return "duration (500ms, 5s, 2m)";
  if constexpr (std::same_as<T, ErrorOrNumber>) return "error | NUMBER";
  if constexpr (std::same_as<T, Url>) return "url";
  if constexpr (std::same_as<T, SecretFile>) return "{file: PATH}";
  if constexpr (std::same_as<T, FilePath>) return "path";
  if constexpr (std::same_as<T, std::vector<std::string>>) return "list of texts";
  if constexpr (std::same_as<T, std::map<std::string, std::string>>) return "map of texts";
  if constexpr (std::is_enum_v<T>) return EnumNames<T>::kTypeName;
  return "map";
}

template <auto Member>
struct MemberOf;
template <class S, class T, T S::*Member>
struct MemberOf<Member> {
  using Struct = S;
  using Type = T;
};

// A row for the member of a settings struct: setting<&Tls::ca>("ca", "", "..."). An empty fallback
// means off.
template <auto Member>
constexpr auto setting(std::string_view name, std::string_view fallback, std::string_view doc) {
  using Struct = typename MemberOf<Member>::Struct;
  using Type = typename MemberOf<Member>::Type;
  return Setting<Struct>{{name, type_name<Type>(), fallback, false, doc},
                         [](const Node& value, Struct& settings, Problems& problems) {
                           read_value(value, settings.*Member, problems);
                         }};
}

template <auto Member>
constexpr auto required_setting(std::string_view name, std::string_view doc) {
  auto row = setting<Member>(name, "", doc);
  row.is_required = true;
  return row;
}

// The rows' documentation, for `weir describe` and for messages that name the valid keys.
template <class S>
std::vector<SettingDoc> docs_of(std::span<const Setting<S>> table) {
  return {table.begin(), table.end()};
}

// Checks the keys of `block` against the rows: not a map, unknown (with the nearest valid key),
// twice, or missing. True when the block is a map.
bool check_keys(const Node& block,
                std::span<const SettingDoc> rows,
                std::string_view what,
                Problems& problems);

// Reads `block` into `settings` by `table`; `what` names the block in messages ("prometheus
// backend").
template <class S, std::size_t N>
void read_settings(const Node& block,
                   const std::array<Setting<S>, N>& table,
                   std::string_view what,
                   S& settings,
                   Problems& problems) {
  if (!check_keys(block, docs_of<S>(table), what, problems)) return;
  for (const Setting<S>& row : table) {
    if (const Node* value = block.find(row.name)) row.read(*value, settings, problems);
  }
}

}  // namespace weir::scalers
