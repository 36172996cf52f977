// Reads a node as a value of one type: text, number, duration, url, secret file, enumeration. Pure,
// but a reader of a file name checks that the file exists.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/url.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace weir::scalers {

// `error` (the default of every policy) or a number to report instead.
struct ErrorOrNumber {
  std::optional<double> number;
};

// Specialised for each enumeration that a setting can hold: kTypeName ("a|b") and kNames (name and
// value pairs).
template <class E>
struct EnumNames;

// Each overload reads one type of value into `out`, and adds a problem when the node does not hold
// one. A block with a Url has a setting `parameters` for its query.
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

// A text that may be empty, where an empty one is not the same as none.
struct AnyText {
  std::string text;
};
void read_value(const Node& node, AnyText& out, Problems& problems);

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

[[nodiscard]] std::string value_text(double value);
[[nodiscard]] std::string value_text(std::uint32_t value);
[[nodiscard]] std::string value_text(Duration value);  // "2m", "2500ms"; empty for 0
[[nodiscard]] std::string value_text(const ErrorOrNumber& value);

// A member of a settings struct as the documentation shows it, because that is its default; empty
// for one that means off, and for types without a notation.
template <class T>
[[nodiscard]] std::string default_text(const T& value) {
  if constexpr (IsOptional<T>::value) {
    return value ? default_text(*value) : std::string();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [name, named] : EnumNames<T>::kNames) {
      if (named == value) return std::string(name);
    }
    return "";
  } else if constexpr (requires { value_text(value); }) {
    return value_text(value);
  } else {
    return "";
  }
}

}  // namespace weir::scalers
