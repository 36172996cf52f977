#include "scalers/text/duration.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string_view>

namespace weir::scalers {
namespace {

TEST_CASE("a number is digits with at most one point") {
  struct Row {
    std::string_view name;
    std::string_view text;
    std::optional<double> number;
    std::string_view rest;
  };
  const Row rows[] = {
      {"digits", "15s", 15, "s"},
      {"a fraction", "1.5s", 1.5, "s"},
      {"no digit before the point", ".5s", 0.5, "s"},
      {"no digit after the point", "1.s", 1, "s"},
      {"the whole text", "7", 7, ""},
      {"two points", "1.2.3s", 1.2, ".3s"},
      {"a point alone", ".s", std::nullopt, ".s"},
      {"a sign", "-1s", std::nullopt, "-1s"},
      {"an exponent is a unit", "1e3s", 1, "e3s"},
      {"nothing", "", std::nullopt, ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::string_view text = row.text;
      CHECK(take_number(text) == row.number);
      CHECK(text == row.rest);
    }
  }
}

TEST_CASE("a unit ends before the next digit or point") {
  std::string_view text = "ms5s.";

  CHECK(take_unit(text) == "ms");
  CHECK(take_unit(text).empty());
  CHECK(text == "5s.");
}

TEST_CASE("a duration of settings and flags is above zero, and each number has a unit") {
  struct Row {
    std::string_view name;
    std::string_view text;
    std::optional<Duration> duration;
  };
  const Row rows[] = {
      {"milliseconds", "500ms", Duration{500}},
      {"seconds", "5s", Duration{5'000}},
      {"minutes", "2m", Duration{120'000}},
      {"hours", "1h", Duration{3'600'000}},
      {"several", "1m30s", Duration{90'000}},
      {"a unit twice", "1s1s", Duration{2'000}},
      {"fractions", ".5s1.5s1.s", Duration{3'000}},
      {"rounded", "0.6ms", Duration{1}},
      {"the longest", "1000000000s", Duration{1'000'000'000'000}},
      {"too long", "1000000001s", std::nullopt},
      {"rounded to zero", "0.4ms", std::nullopt},
      {"zero", "0s", std::nullopt},
      {"zero without a unit", "0", std::nullopt},
      {"nothing", "", std::nullopt},
      {"no unit", "5", std::nullopt},
      {"no unit after another", "5s3", std::nullopt},
      {"a unit of Go alone", "5us", std::nullopt},
      {"a unit of Prometheus alone", "5d", std::nullopt},
      {"capitals", "5S", std::nullopt},
      {"a sign", "-5s", std::nullopt},
      {"a plus", "+5s", std::nullopt},
      {"a blank first", " 5s", std::nullopt},
      {"a blank before the unit", "5 s", std::nullopt},
      {"a blank last", "5s ", std::nullopt},
      {"two points", "1.2.3s", std::nullopt},
      {"a point alone", ".s", std::nullopt},
      {"an exponent", "1e3s", std::nullopt},
      {"infinity", "infs", std::nullopt},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(parse_duration(row.text) == row.duration); }
  }
}

}  // namespace
}  // namespace weir::scalers
