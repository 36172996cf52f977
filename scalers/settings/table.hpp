// Settings tables: an array of rows binds the keys of a block to the members of a struct. The same
// rows read the block, print themselves for `weir describe`, and reject unknown keys, so that the
// documentation cannot differ from what is accepted. Pure.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/server_url.hpp"
#include "scalers/settings/value_readers.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// One row of a settings table, as `weir describe` shows it.
struct SettingDoc {
  std::string_view name;
  std::string_view type;
  std::string (*default_text)();  // when the key is absent; null, or an empty text: off
  bool is_required;
  std::string_view doc;
};

template <class S>
struct Setting : SettingDoc {
  void (*read)(const Node& value, S& settings, Problems& problems);
};

template <class T>
consteval std::string_view type_name() {
  if constexpr (IsOptional<T>::value) return type_name<typename T::value_type>();
  if constexpr (std::same_as<T, std::string> || std::same_as<T, AnyText>) return "text";
  if constexpr (std::same_as<T, bool>) return "true|false";
  if constexpr (std::same_as<T, double>) return "number";
  if constexpr (std::same_as<T, std::uint32_t>) return "count";
  if constexpr (std::same_as<T, Duration>) return "duration (500ms, 5s, 2m)";
  if constexpr (std::same_as<T, ErrorOrNumber>) return "error | NUMBER";
  if constexpr (std::same_as<T, Url>) return "url";
  if constexpr (std::same_as<T, ServerUrl>) return "url | {file: PATH}";
  if constexpr (std::same_as<T, SecretFile>) return "{file: PATH}";
  if constexpr (std::same_as<T, FilePath>) return "path";
  if constexpr (std::same_as<T, std::vector<std::string>>) return "list of texts";
  if constexpr (std::same_as<T, std::map<std::string, std::string>>) return "map of texts";
  if constexpr (std::is_enum_v<T>) return EnumNames<T>::kTypeName;
  if constexpr (requires { T::kTypeName; }) return T::kTypeName;
  return "map";
}

template <auto Member>
struct MemberOf;
template <class S, class T, T S::*Member>
struct MemberOf<Member> {
  using Struct = S;
  using Type = T;
};

// A row for the member of a settings struct: setting<&Tls::ca>("ca", "..."). Its default is that of
// the struct.
template <auto Member>
constexpr auto setting(std::string_view name, std::string_view doc) {
  using Struct = typename MemberOf<Member>::Struct;
  using Type = typename MemberOf<Member>::Type;
  return Setting<Struct>{
      {name, type_name<Type>(), [] { return default_text(Struct{}.*Member); }, false, doc},
      [](const Node& value, Struct& settings, Problems& problems) {
        read_value(value, settings.*Member, problems);
      }};
}

template <auto Member>
constexpr auto required_setting(std::string_view name, std::string_view doc) {
  auto row = setting<Member>(name, doc);
  row.is_required = true;
  return row;
}

// The rows' documentation, for `weir describe` and for messages that name the valid keys.
template <class S>
std::vector<SettingDoc> docs_of(std::span<const Setting<S>> table) {
  return {table.begin(), table.end()};
}

// Checks the keys of `block` against the rows: not a map, unknown (with the nearest valid key),
// duplicate, or missing. True when the block is a map.
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
