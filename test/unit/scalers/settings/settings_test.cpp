#include "scalers/settings/value_readers.hpp"
#include "test/rigs/nodes.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers {

enum class Fruit { apple, pear };

template <>
struct EnumNames<Fruit> {
  static constexpr std::string_view kTypeName = "apple | pear";
  static constexpr std::array<std::pair<std::string_view, Fruit>, 2> kNames{
      {{"apple", Fruit::apple}, {"pear", Fruit::pear}}};
};

namespace {

using Lines = std::vector<std::string>;

// One value of any type, read from a node.
template <class T>
struct Read {
  T value{};
  Lines problems;
};

template <class T>
Read<T> read(const Node& node) {
  Read<T> out;
  Problems problems;
  read_value(node, out.value, problems);
  out.problems = problems.lines();
  return out;
}

template <class T>
struct Good {
  std::string_view name;
  Node node;
  T value;
};

struct Bad {
  std::string_view name;
  Node node;
  std::string problem;
};

template <class T>
void check(const Good<T>& row) {
  DYNAMIC_SECTION(row.name) {
    const auto result = read<T>(row.node);

    CHECK(result.problems == Lines{});
    CHECK(result.value == row.value);
  }
}

template <class T>
void check(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    const auto result = read<T>(row.node);

    CHECK(result.problems == Lines{"t.yaml:1:1: " + row.problem});
  }
}

Node quoted_5() { return test::scalar("5", true); }

TEST_CASE("a duration is digits and a unit, once or more often") {
  const Good<Duration> rows[] = {
      {"milliseconds", test::scalar("500ms"), Duration{500}},
      {"seconds", test::scalar("5s"), Duration{5000}},
      {"minutes", test::scalar("2m"), Duration{120'000}},
      {"hours", test::scalar("1h"), Duration{3'600'000}},
      {"a fraction", test::scalar("1.5s"), Duration{1500}},
      {"several", test::scalar("1m30s"), Duration{90'000}},
      {"in quotes", test::scalar("5s", true), Duration{5000}},
      {"rounded", test::scalar("0.6ms"), Duration{1}},
  };

  for (const auto& row : rows) check(row);
}

TEST_CASE("an invalid duration is an error") {
  const std::string expected =
      "expected a duration above zero with its unit, such as 500ms, 5s or 2m; found ";
  const Bad rows[] = {
      {"no unit", test::scalar("5"), expected + "\"5\""},
      {"no digits", test::scalar("s"), expected + "\"s\""},
      {"zero", test::scalar("0s"), expected + "\"0s\""},
      {"less than a millisecond", test::scalar("0.1ms"), expected + "\"0.1ms\""},
      {"negative", test::scalar("-5s"), expected + "\"-5s\""},
      {"a plus", test::scalar("+5s"), expected + "\"+5s\""},
      {"a blank between", test::scalar("5 s"), expected + "\"5 s\""},
      {"a blank in front", test::scalar(" 5s"), expected + "\" 5s\""},
      {"an unknown unit", test::scalar("5d"), expected + "\"5d\""},
      {"upper case", test::scalar("5S"), expected + "\"5S\""},
      {"two dots", test::scalar("1..5s"), expected + "\"1..5s\""},
      {"a dot alone", test::scalar(".s"), expected + "\".s\""},
      {"an exponent", test::scalar("1e3s"), expected + "\"1e3s\""},
      {"the last unit missing", test::scalar("1m30"), expected + "\"1m30\""},
      {"endless", test::scalar("9999999999999h"), expected + "\"9999999999999h\""},
      {"empty", test::scalar(""), expected + "\"\""},
      {"nothing", test::node("~"), expected + "nothing"},
      {"a list", test::node("[5s]"), expected + "a list"},
      {"a map", test::node("{s: 5}"), expected + "a map"},
  };

  for (const Bad& row : rows) check<Duration>(row);
}

TEST_CASE("a number is a finite decimal without quotes") {
  const Good<double> good[] = {
      {"whole", test::scalar("5"), 5},
      {"negative", test::scalar("-2.5"), -2.5},
      {"an exponent", test::scalar("1e3"), 1000},
      {"a plus", test::scalar("+1"), 1},
      {"a dot first", test::scalar(".5"), 0.5},
  };
  const Bad bad[] = {
      {"text", test::scalar("five"), "expected a number; found \"five\""},
      {"in quotes", quoted_5(), "expected a number; found \"5\""},
      {"empty", test::scalar(""), "expected a number; found \"\""},
      {"a unit", test::scalar("5s"), "expected a number; found \"5s\""},
      {"NaN", test::scalar("nan"), "expected a number; found \"nan\""},
      {"YAML's NaN", test::scalar(".nan"), "expected a number; found \".nan\""},
      {"infinity", test::scalar("inf"), "expected a number; found \"inf\""},
      {"beyond a double", test::scalar("1e400"), "expected a number; found \"1e400\""},
      {"hexadecimal", test::scalar("0x10"), "expected a number; found \"0x10\""},
      {"a sign alone", test::scalar("-"), "expected a number; found \"-\""},
      {"an exponent alone", test::scalar("e5"), "expected a number; found \"e5\""},
      {"two dots", test::scalar("1.2.3"), "expected a number; found \"1.2.3\""},
      {"a comma", test::scalar("1,5"), "expected a number; found \"1,5\""},
      {"nothing", test::node("~"), "expected a number; found nothing"},
      {"a list", test::node("[1]"), "expected a number; found a list"},
  };

  for (const auto& row : good) check(row);
  for (const auto& row : bad) check<double>(row);
}

TEST_CASE("a count is a whole number from 1 to 1000000") {
  const Good<std::uint32_t> good[] = {
      {"one", test::scalar("1"), 1},
      {"a million", test::scalar("1000000"), 1'000'000},
      {"a million by exponent", test::scalar("1e6"), 1'000'000},
  };
  const std::string expected = "expected a whole number from 1 to 1000000; found ";
  const Bad bad[] = {
      {"zero", test::scalar("0"), expected + "\"0\""},
      {"negative", test::scalar("-1"), expected + "\"-1\""},
      {"a fraction", test::scalar("1.5"), expected + "\"1.5\""},
      {"over a million", test::scalar("1000001"), expected + "\"1000001\""},
      {"over 2^32", test::scalar("4294967297"), expected + "\"4294967297\""},
      {"in quotes", quoted_5(), expected + "\"5\""},
  };

  for (const auto& row : good) check(row);
  for (const auto& row : bad) check<std::uint32_t>(row);
}

TEST_CASE("a bool is true or false without quotes") {
  const Good<bool> good[] = {{"true", test::scalar("true"), true},
                             {"false", test::scalar("false"), false}};
  const std::string expected = "expected true or false without quotes; found ";
  const Bad bad[] = {
      {"in quotes", test::scalar("true", true), expected + "\"true\""},
      {"yes", test::scalar("yes"), expected + "\"yes\""},
      {"True", test::scalar("True"), expected + "\"True\""},
      {"1", test::scalar("1"), expected + "\"1\""},
      {"nothing", test::node("~"), expected + "nothing"},
  };

  for (const auto& row : good) check(row);
  for (const auto& row : bad) check<bool>(row);
}

TEST_CASE("an enumeration's value is one of its names") {
  const Good<Fruit> good[] = {{"a name", test::scalar("pear"), Fruit::pear},
                              {"a name in quotes", test::scalar("pear", true), Fruit::pear}};
  const Bad bad[] = {
      {"another case", test::scalar("Pear"), "expected one of apple, pear; found \"Pear\""},
      {"unknown", test::scalar("plum"), "expected one of apple, pear; found \"plum\""},
      {"empty", test::scalar(""), "expected one of apple, pear; found \"\""},
      {"nothing", test::node("~"), "expected one of apple, pear; found nothing"},
      {"a list", test::node("[pear]"), "expected one of apple, pear; found a list"},
  };

  for (const auto& row : good) check(row);
  for (const auto& row : bad) check<Fruit>(row);
}

TEST_CASE("neither a text nor a list may be empty") {
  const Good<std::string> text[] = {{"plain", test::scalar("a"), "a"},
                                    {"a number in quotes", quoted_5(), "5"},
                                    {"a number", test::scalar("5"), "5"}};
  const Good<Lines> lists[] = {{"a list", test::node("[a, 'b']"), {"a", "b"}}};
  const Bad bad_text[] = {
      {"empty", test::scalar(""), "expected text; found \"\""},
      {"nothing", test::node("~"), "expected text; found nothing"},
      {"a map", test::node("{}"), "expected text; found a map"},
  };
  const Bad bad_lists[] = {
      {"an empty list", test::node("[]"), "expected a list of texts, such as [a, b]; found a list"},
      {"a text", test::scalar("a"), "expected a list of texts, such as [a, b]; found \"a\""},
      {"nothing", test::node("~"), "expected a list of texts, such as [a, b]; found nothing"},
  };

  for (const auto& row : text) check(row);
  for (const auto& row : lists) check(row);
  for (const auto& row : bad_text) check<std::string>(row);
  for (const auto& row : bad_lists) check<Lines>(row);
}

TEST_CASE("a policy is error or a number") {
  const auto error = read<ErrorOrNumber>(test::scalar("error"));
  const auto zero = read<ErrorOrNumber>(test::scalar("0"));
  const Bad bad[] = {
      {"another word",
       test::scalar("zero"),
       "expected error, or a number to report instead; found \"zero\""},
      {"a number in quotes",
       quoted_5(),
       "expected error, or a number to report instead; found \"5\""},
      {"NaN", test::scalar("nan"), "expected error, or a number to report instead; found \"nan\""},
      {"nothing", test::node("~"), "expected error, or a number to report instead; found nothing"},
  };

  CHECK_FALSE(error.value.number.has_value());
  CHECK(error.problems == Lines{});
  CHECK(zero.value.number == 0.0);
  for (const auto& row : bad) check<ErrorOrNumber>(row);
}

}  // namespace
}  // namespace weir::scalers
