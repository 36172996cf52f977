// parse_selector: what it takes can be written down again and means the same.
#include "apiservice/meta/label_selector.hpp"
#include "test/fuzz/property.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

namespace weir::fuzz {
namespace {

using scalers::LabelRequirement;
using Operator = LabelRequirement::Operator;

constexpr std::size_t kMaxKeyBytes = 253 + 1 + 63;
constexpr std::size_t kMaxValueBytes = 63;

std::string printed(const LabelRequirement& one) {
  const std::string set = fmt::format("({})", fmt::join(one.values, ","));
  const std::string value = one.values.empty() ? "" : one.values.front();
  switch (one.op) {
    case Operator::in: return one.key + " in " + set;
    case Operator::not_in: return one.key + " notin " + set;
    case Operator::equals: return one.key + "=" + value;
    case Operator::double_equals: return one.key + "==" + value;
    case Operator::not_equals: return one.key + "!=" + value;
    case Operator::exists: return one.key;
    case Operator::does_not_exist: return "!" + one.key;
    case Operator::greater_than: return one.key + ">" + value;
    case Operator::less_than: return one.key + "<" + value;
  }
  return {};
}

void check_shape(const LabelRequirement& one) {
  require(!one.key.empty() && one.key.size() <= kMaxKeyBytes, "a key is a name of bounded length");
  const bool is_set = one.op == Operator::in || one.op == Operator::not_in;
  const bool has_none = one.op == Operator::exists || one.op == Operator::does_not_exist;
  require(is_set ? !one.values.empty() : one.values.size() == (has_none ? 0U : 1U),
          "an operator has as many values as it takes");
  require(std::ranges::adjacent_find(one.values, std::ranges::greater_equal{}) == one.values.end(),
          "values are sorted and stand once");
  require(
      std::ranges::all_of(one.values,
                          [](const std::string& value) { return value.size() <= kMaxValueBytes; }),
      "a value is of bounded length");
}

}  // namespace

void run(std::string_view input) {
  const auto found = apiservice::parse_selector(input);
  if (!found) {
    require(found.error().code == scalers::Errc::bad_request, "a bad selector is a bad request");
    require(!found.error().detail.empty(), "a refusal says why");
    return;
  }

  std::string text;
  for (const LabelRequirement& one : *found) {
    check_shape(one);
    text += (text.empty() ? "" : ",") + printed(one);
  }
  require(std::ranges::is_sorted(*found, {}, &LabelRequirement::key), "keys are sorted");
  const auto again = apiservice::parse_selector(text);
  require(again.has_value() && *again == *found, "requirements print and parse to themselves");
}

}  // namespace weir::fuzz
