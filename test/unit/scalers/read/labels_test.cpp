#include "scalers/read/labels.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::shown;
using Operator = LabelRequirement::Operator;
using Requirements = std::vector<LabelRequirement>;

struct Declared {
  std::string name;
  std::string pattern;
  std::optional<std::string> fallback = std::nullopt;
};

Result<std::vector<Labels>> bind(const std::vector<Declared>& declared,
                                 const Requirements& requirements) {
  std::vector<DeclaredLabel> labels;
  for (const Declared& one : declared) {
    auto pattern = Pattern::compile(one.pattern);
    labels.push_back({one.name, std::get<Pattern>(std::move(pattern)), one.fallback});
  }
  return bind_labels(labels, requirements);
}

struct Good {
  std::string_view name;
  std::vector<Declared> declared;
  Requirements requirements;
  std::vector<Labels> bound;
};

struct Bad {
  std::string_view name;
  std::vector<Declared> declared;
  Requirements requirements;
  std::string message;
};

void check(const Good& row) {
  DYNAMIC_SECTION(row.name) {
    const auto bound = bind(row.declared, row.requirements);

    REQUIRE(shown(bound) == "a value");
    CHECK(*bound == row.bound);
  }
}

void check(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    const auto bound = bind(row.declared, row.requirements);

    CHECK(shown(bound) == "bad_request: " + row.message);
  }
}

const std::string_view kSixteen = "abcdefghijklmnop";

std::vector<std::string> letters(std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.emplace_back(1, static_cast<char>('a' + i));
  return out;
}

std::vector<Labels> letters_bound() {
  std::vector<Labels> out;
  for (const char c : kSixteen) out.push_back({{"q", std::string(1, c)}});
  return out;
}

TEST_CASE("a selector binds each declared label to its values") {
  const Good rows[] = {
      {"no label, no selector", {}, {}, {{}}},
      {"=", {{"q", ".*"}}, {{"q", Operator::equals, {"a"}}}, {{{"q", "a"}}}},
      {"==", {{"q", ".*"}}, {{"q", Operator::double_equals, {"a"}}}, {{{"q", "a"}}}},
      {"in one", {{"q", ".*"}}, {{"q", Operator::in, {"a"}}}, {{{"q", "a"}}}},
      {"in two", {{"q", ".*"}}, {{"q", Operator::in, {"a", "b"}}}, {{{"q", "a"}}, {{"q", "b"}}}},
      {"in sixteen", {{"q", ".*"}}, {{"q", Operator::in, letters(16)}}, letters_bound()},
      {"the empty value where the pattern takes it",
       {{"q", ".*"}},
       {{"q", Operator::equals, {""}}},
       {{{"q", ""}}}},
      {"two requirements that share a value",
       {{"q", ".*"}},
       {{"q", Operator::in, {"a", "b"}}, {"q", Operator::in, {"b", "c"}}},
       {{{"q", "b"}}}},
      {"the same requirement twice",
       {{"q", ".*"}},
       {{"q", Operator::equals, {"a"}}, {"q", Operator::double_equals, {"a"}}},
       {{{"q", "a"}}}},
      {"two labels, every combination",
       {{"q", ".*"}, {"v", ".*"}},
       {{"v", Operator::in, {"1", "2"}}, {"q", Operator::in, {"a", "b"}}},
       {{{"q", "a"}, {"v", "1"}},
        {{"q", "a"}, {"v", "2"}},
        {{"q", "b"}, {"v", "1"}},
        {{"q", "b"}, {"v", "2"}}}},
      {"a default", {{"q", ".*", "d"}}, {}, {{{"q", "d"}}}},
      {"a default that is overridden",
       {{"q", ".*", "d"}},
       {{"q", Operator::equals, {"a"}}},
       {{{"q", "a"}}}},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("an undeclared label is an error with the declared labels") {
  const LabelRequirement pod{"pod", Operator::equals, {"x"}};
  const Bad rows[] = {
      {"none declared",
       {},
       {pod},
       "label \"pod\" is not declared; this metric declares no labels; remove the selector"},
      {"one declared",
       {{"q", ".*"}},
       {pod},
       "label \"pod\" is not declared; this metric declares q"},
      {"two declared",
       {{"q", ".*"}, {"v", ".*"}},
       {pod},
       "label \"pod\" is not declared; this metric declares q, v"},
      {"another case",
       {{"q", ".*"}},
       {{"Q", Operator::equals, {"x"}}},
       "label \"Q\" is not declared; this metric declares q"},
      {"behind a good one",
       {{"q", ".*"}},
       {{"q", Operator::equals, {"x"}}, pod},
       "label \"pod\" is not declared; this metric declares q"},
      {"the built-in namespace",
       {{"q", ".*"}},
       {{"namespace", Operator::equals, {"x"}}},
       "label \"namespace\" is not declared; this metric declares q"},
      {"with an operator that binds nothing",
       {{"q", ".*"}},
       {{"pod", Operator::exists, {}}},
       "label \"pod\" is not declared; this metric declares q"},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("an operator that binds no value is an error") {
  const std::string tail = " on label q binds no value; write q=VALUE or q in (A,B)";
  const Bad rows[] = {
      {"!=", {{"q", ".*"}}, {{"q", Operator::not_equals, {"a"}}}, "operator !=" + tail},
      {"notin", {{"q", ".*"}}, {{"q", Operator::not_in, {"a"}}}, "operator notin" + tail},
      {"exists", {{"q", ".*"}}, {{"q", Operator::exists, {}}}, "operator exists" + tail},
      {"!", {{"q", ".*"}}, {{"q", Operator::does_not_exist, {}}}, "operator !" + tail},
      {">", {{"q", ".*"}}, {{"q", Operator::greater_than, {"5"}}}, "operator >" + tail},
      {"<", {{"q", ".*"}}, {{"q", Operator::less_than, {"5"}}}, "operator <" + tail},
      {"beside one that binds",
       {{"q", ".*"}},
       {{"q", Operator::equals, {"a"}}, {"q", Operator::not_equals, {"b"}}},
       "operator !=" + tail},
      {"on a label with a default",
       {{"q", ".*", "d"}},
       {{"q", Operator::does_not_exist, {}}},
       "operator !" + tail},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("values that cannot be bound are errors") {
  const std::string too_many = "the selector asks for more than 16 combinations of values";
  const Bad rows[] = {
      {"no value",
       {{"q", "[a-z]+"}},
       {},
       "label q has no value; write q=VALUE in the selector (its pattern is [a-z]+)"},
      {"one of two without a value",
       {{"q", ".*"}, {"v", "v.*"}},
       {{"q", Operator::equals, {"a"}}},
       "label v has no value; write v=VALUE in the selector (its pattern is v.*)"},
      {"a part of the value matches",
       {{"q", "ml"}},
       {{"q", Operator::equals, {"xmlx"}}},
       "value \"xmlx\" of label q does not match the pattern ml"},
      {"one line of the value matches",
       {{"q", "ml"}},
       {{"q", Operator::equals, {"ml\n"}}},
       "value \"ml\n\" of label q does not match the pattern ml"},
      {"one side of an alternative matches in part",
       {{"q", "a|b"}},
       {{"q", Operator::equals, {"ax"}}},
       "value \"ax\" of label q does not match the pattern a|b"},
      {"one of the values does not match",
       {{"q", "[a-z]"}},
       {{"q", Operator::in, {"a", "5"}}},
       "value \"5\" of label q does not match the pattern [a-z]"},
      {"the empty value",
       {{"q", ".+"}},
       {{"q", Operator::equals, {""}}},
       "value \"\" of label q does not match the pattern .+"},
      {"a=b,a=c",
       {{"a", ".*"}},
       {{"a", Operator::equals, {"b"}}, {"a", Operator::equals, {"c"}}},
       "the selector's requirements on label a exclude each other"},
      {"a=b,a=c with a default",
       {{"a", ".*", "d"}},
       {{"a", Operator::equals, {"b"}}, {"a", Operator::equals, {"c"}}},
       "the selector's requirements on label a exclude each other"},
      {"three requirements without a common value",
       {{"a", ".*"}},
       {{"a", Operator::in, {"b", "c"}},
        {"a", Operator::in, {"c", "d"}},
        {"a", Operator::in, {"b", "d"}}},
       "the selector's requirements on label a exclude each other"},
      {"seventeen values", {{"q", ".*"}}, {{"q", Operator::in, letters(17)}}, too_many},
      {"three times six",
       {{"q", ".*"}, {"v", ".*"}},
       {{"q", Operator::in, letters(3)}, {"v", Operator::in, letters(6)}},
       too_many},
  };

  for (const Bad& row : rows) check(row);
}

}  // namespace
}  // namespace weir::scalers::read
