// Numbers and the quantities that Weir serves for them, one pair a line, for the control plane's
// command `quantities`: a table of special numbers, then as many random ones as the argument says.
#include "apiservice/encoding/quantity.hpp"
#include "scalers/reading.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <random>

namespace {

constexpr std::array kTable{0.0,
                            1.0,
                            1.5,
                            0.5,
                            999.0,
                            1000.0,
                            1024.0,
                            1234567.0,
                            1e6,
                            1e15,
                            9e15,
                            1e-3,
                            1e-4,
                            1e-6,
                            1e-9,
                            1e-10,
                            5e-10,
                            1.1e-9,
                            0.0005,
                            0.0015,
                            0.1,
                            0.2,
                            0.3,
                            1.0 / 3,
                            2.0 / 3,
                            0.9995,
                            0.9999,
                            0.99999,
                            0.00099,
                            0.0009999,
                            1.001,
                            1.0001,
                            1.00001,
                            2.5e-3,
                            999.999,
                            999.9991,
                            0.00025512,
                            0.9333333333333333,
                            17.999798657719,
                            7.200042752017,
                            123456789.123456,
                            4503599627370495.5,
                            9223372036854774.0};

// False for a number that no metric can have.
bool print(double value) {
  if (!weir::scalers::is_representable(value)) return false;
  // Whole numbers are exact, others are read from 15 digits.
  const bool is_whole = value == std::trunc(value);
  fmt::print("{} {}\n",
             is_whole ? fmt::format("{:.0f}", value + 0.0) : fmt::format("{:.14e}", value),
             weir::apiservice::quantity(value));
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  const long random_numbers = count > 1 ? std::strtol(arguments[1], nullptr, 10) : 0;
  for (const double value : kTable) {
    print(value);
    print(-value);
  }
  std::mt19937_64 random(20261130);
  std::uniform_real_distribution<double> mantissa(-9.99, 9.99);
  std::uniform_int_distribution<int> exponent(-12, 15);
  std::uniform_int_distribution<int> digits(0, 6);
  for (long i = 0; i < random_numbers;) {
    const double value = mantissa(random) * std::pow(10.0, exponent(random));
    // Half of them have few digits, because those are at the edges of a rounding.
    const double step = std::pow(10.0, digits(random));
    const double edge = std::round(value * step) / step;
    i += print(i % 2 == 0 ? value : edge) ? 1 : 0;
  }
}
