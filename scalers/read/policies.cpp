#include "scalers/read/policies.hpp"

#include <fmt/format.h>

#include <cmath>

namespace weir::scalers::read {
namespace {

Result<double> in_range(double value) {
  if (is_representable(value)) return value;
  return Error{
      Errc::out_of_range,
      fmt::format("the value {:g} is beyond 9.2e15, the most an HPA can read; use a larger unit",
                  value),
      ""};
}

Result<double> negative(const Policies& policies, double value) {
  switch (policies.negative) {
    case NegativePolicy::zero: return 0.0;
    case NegativePolicy::allow: return in_range(value);
    case NegativePolicy::error: break;
  }
  return Error{
      Errc::negative,
      fmt::format(
          "the value {:g} is negative, which an HPA takes for an order to grow to its maximum; set "
          "negative: zero or negative: allow if it is meant",
          value),
      ""};
}

}  // namespace

bool is_answer(const Policies& policies, const Result<Sample>& asked) {
  return asked.has_value() ||
         (asked.error().code == Errc::no_value && policies.empty.number.has_value());
}

Result<double> apply(const Policies& policies, const Result<Sample>& asked) {
  if (!asked) {
    if (is_answer(policies, asked)) return in_range(*policies.empty.number);
    return asked.error();
  }
  const double value = asked->value;
  if (std::isnan(value)) {
    if (policies.nan.number) return in_range(*policies.nan.number);
    return Error{Errc::not_a_number,
                 "the value is NaN, as a quantile or a ratio without observations is; set nan: 0 "
                 "if that means idle",
                 ""};
  }
  if (std::isinf(value)) {
    return Error{
        Errc::not_a_number,
        fmt::format("the value is {}Inf; something was divided by zero", value < 0 ? "-" : "+"),
        ""};
  }
  return value < 0 ? negative(policies, value) : in_range(value);
}

}  // namespace weir::scalers::read
