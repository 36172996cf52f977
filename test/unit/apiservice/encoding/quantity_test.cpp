#include "apiservice/encoding/quantity.hpp"

#include "scalers/reading.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace weir::apiservice {
namespace {

struct Row {
  std::string_view name;
  double value;
  std::string_view text;
};

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) { CHECK(quantity(row.value) == row.text); }
}

// What the text says, read back by other means than those that wrote it.
double read_back(const std::string& text) {
  std::size_t used = 0;
  const double mantissa = static_cast<double>(std::stoll(text, &used));
  const std::string suffix = text.substr(used);
  if (suffix == "n") return mantissa / 1e9;
  if (suffix == "u") return mantissa / 1e6;
  if (suffix == "m") return mantissa / 1e3;
  if (suffix.empty()) return mantissa;
  const std::size_t thousands = std::string_view("kMGTP").find(suffix) + 1;
  return mantissa * std::pow(1000.0, static_cast<double>(thousands));
}

TEST_CASE("case 54: a value has Kubernetes' canonical decimal text") {
  const Row rows[] = {
      {"case 54: zero", 0, "0"},
      {"case 54: a thousand", 1000, "1k"},
      {"case 54: no loss for a suffix", 1500, "1500"},
      {"case 54: thousandths", 1.5, "1500m"},
      {"case 54: millionths", 0.0001, "100u"},
      {"case 54: a negative one", -1.5, "-1500m"},
      {"case 54: a million", 1e6, "1M"},
      {"ten thousand", 10000, "10k"},
      {"one thousandth", 0.001, "1m"},
      {"half a thousand", 500, "500"},
      {"a thousand and a half", 1000.5, "1000500m"},
      {"a negative thousand", -1000, "-1k"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("each power of a thousand has its suffix") {
  const Row rows[] = {
      {"nano", 1e-9, "1n"},
      {"micro", 1e-6, "1u"},
      {"milli", 1e-3, "1m"},
      {"one", 1, "1"},
      {"kilo", 1e3, "1k"},
      {"mega", 1e6, "1M"},
      {"giga", 1e9, "1G"},
      {"tera", 1e12, "1T"},
      {"peta", 1e15, "1P"},
      {"ten peta less", 9e15, "9P"},
      {"hundred mega", 1e8, "100M"},
      {"ten tera", 1e13, "10T"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE(
    "from 1 on thousandths are rounded away from zero, below 1 three digits, and 1n at the "
    "finest") {
  const Row rows[] = {
      {"a tenth of it", 1e-10, "1n"},
      {"a negative tenth of it", -1e-10, "-1n"},
      {"the smallest double", std::numeric_limits<double>::denorm_min(), "1n"},
      {"the smallest normal double", std::numeric_limits<double>::min(), "1n"},
      {"the smallest negative double", -std::numeric_limits<double>::denorm_min(), "-1n"},
      {"fifteen digits all finer", 9.99999999999999e-10, "1n"},
      {"one and a half of it", 1.5e-9, "2n"},
      {"just above one", 1.00000000000001e-9, "2n"},
      {"more digits than milli", 1.23456789012, "1235m"},
      {"a carry into whole numbers", 9.999999999999, "10"},
      {"a ratio", 14.0 / 15.0, "934m"},
      {"its negative", -14.0 / 15.0, "-934m"},
      {"millionths", 0.00025512, "256u"},
      {"a seconds' p95", 0.0179997986577, "18m"},
      {"three digits that are whole", 0.0123, "12300u"},
      {"a fourth digit", 0.01230001, "12400u"},
      {"a carry into the next power", 0.09999, "100m"},
      {"a carry into one", 0.9991, "1"},
      {"thousandths that are whole", 1.001, "1001m"},
      {"nano's three digits", 1.234e-7, "124n"},
      {"two digits are left of three", 1.234e-8, "13n"},
      {"a last digit after zeros", 3.0000000001, "3001m"},
      {"a negative last digit after zeros", -3.0000000001, "-3001m"},
      {"a carry into kilo", 999.9999999999, "1k"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a fraction is read from 15 decimal digits") {
  const Row rows[] = {
      {"the sum of tenths", 0.1 + 0.2, "300m"},
      {"its negative", -(0.1 + 0.2), "-300m"},
      {"the sum of elevenths", 1.1 + 2.2, "3300m"},
      {"a third", 1.0 / 3.0, "334m"},
      {"two thirds", 2.0 / 3.0, "667m"},
      {"the double below one", std::nextafter(1.0, 0.0), "1"},
      {"the double above one", std::nextafter(1.0, 2.0), "1"},
      {"nine whole digits", 123456789.123456, "123456789124m"},
      {"the greatest double with a fraction", 4503599627370495.5, "4503599627370500"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("an integral double is exact") {
  const Row rows[] = {
      {"negative zero", -0.0, "0"},
      {"a 16th digit", 1234567890123457.0, "1234567890123457"},
      {"two to the 53rd", 9007199254740992.0, "9007199254740992"},
      {"just below two to the 53rd", 9007199254740991.0, "9007199254740991"},
      {"the greatest that is representable", 9223372036854774.0, "9223372036854774"},
      {"the least that is representable", -9223372036854774.0, "-9223372036854774"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("case 56: only a number within the HPA's range is representable") {
  struct Range {
    std::string_view name;
    double value;
    bool is_within;
  };
  const Range rows[] = {
      {"case 56: not a number", std::numeric_limits<double>::quiet_NaN(), false},
      {"case 56: infinity", std::numeric_limits<double>::infinity(), false},
      {"case 56: minus infinity", -std::numeric_limits<double>::infinity(), false},
      {"case 56: 1e19", 1e19, false},
      {"the first double whose thousandths overflow", 9223372036854776.0, false},
      {"its negative", -9223372036854776.0, false},
      {"the last double before", 9223372036854774.0, true},
      {"its negative counterpart", -9223372036854774.0, true},
      {"zero", 0, true},
      {"the smallest double", std::numeric_limits<double>::denorm_min(), true},
  };

  for (const Range& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(scalers::is_representable(row.value) == row.is_within); }
  }
}

TEST_CASE("a quantity is appended to the existing text") {
  std::string out = "value: ";

  append_quantity(out, 2500);
  append_quantity(out, -0.25);

  CHECK(out == "value: 2500-250m");
}

TEST_CASE("a random value reads back within its step and its 15th digit") {
  std::mt19937_64 random(20261121);
  std::uniform_real_distribution<double> mantissa(-9.0, 9.0);
  std::uniform_int_distribution<int> exponent(-12, 15);
  double worst = 0;

  for (int i = 0; i < 20000; ++i) {
    const double value = mantissa(random) * std::pow(10.0, exponent(random));
    const double first = std::pow(10.0, std::floor(std::log10(std::abs(value))) - 2);
    const double step = std::abs(value) >= 1 ? 1e-3 : std::max(first, 1e-9);
    const double allowed = 1.001 * step + 1e-14 * std::abs(value);
    worst = std::max(worst, std::abs(read_back(quantity(value)) - value) / allowed);
  }

  CHECK(worst <= 1);
}

TEST_CASE("people read decimals with six digits, and every digit of a whole number") {
  const Row rows[] = {
      {"zero", 0, "0"},
      {"negative zero", -0.0, "0"},
      {"a ratio", 14.0 / 15.0, "0.933333"},
      {"a p95", 0.0179997986577, "0.0179998"},
      {"a long queue", 1234567, "1234567"},
      {"its negative", -1234567, "-1234567"},
      {"a rate", 7200.042752017, "7200.04"},
      {"a large rate", 7200042.752017, "7200043"},
      {"an exact half", 1.5, "1.5"},
      {"a tiny number", 1.23456789e-7, "1.23457e-07"},
      {"the greatest", 9223372036854774.0, "9.22337e+15"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(decimal(row.value) == row.text); }
  }
}

TEST_CASE("a random whole number reads back exactly") {
  std::mt19937_64 random(20261122);
  std::uniform_int_distribution<std::int64_t> any(-9007199254740992, 9007199254740992);
  int wrong = 0;

  for (int i = 0; i < 20000; ++i) {
    const double value = static_cast<double>(any(random) >> (i % 50));
    wrong += read_back(quantity(value)) == value ? 0 : 1;
  }

  CHECK(wrong == 0);
}

TEST_CASE("a quantity is read as Kubernetes reads it") {
  struct Row {
    std::string_view text;
    std::optional<double> number;
  };
  const Row rows[] = {
      {"5", 5},
      {"500m", 0.5},
      {"1k", 1000},
      {"1Ki", 1024},
      {"1.5M", 1.5e6},
      {"1e3", 1000},
      {"1E", 1e18},
      {"1E3", 1000},
      {"1Ei", 0x1p60},
      {"+2", 2},
      {"-2", -2},
      {"", std::nullopt},
      {"k", std::nullopt},
      {"5K", std::nullopt},
      {"5 ", std::nullopt},
      {"inf", std::nullopt},
      {"nan", std::nullopt},
      {"1mm", std::nullopt},
      {"0x10", std::nullopt},
      {"-inf", std::nullopt},
      {"+-4", std::nullopt},
      {"--4", std::nullopt},
      {"1e999", std::nullopt},
      {"1e300E", std::nullopt},
      {"7n", 7e-9},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION('"' << row.text << '"') {
      const auto number = parse_quantity(row.text);

      REQUIRE(number.has_value() == row.number.has_value());
      if (number) CHECK(*number == Approx(*row.number));
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
