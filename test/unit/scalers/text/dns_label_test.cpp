// is_dns_label(): which texts may be the name of a namespace.
#include "scalers/text/dns_label.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::scalers {
namespace {

TEST_CASE("a DNS label has lower-case letters, digits and inner hyphens") {
  struct Row {
    std::string text;
    bool is_label;
  };
  const Row rows[] = {
      {"a", true},
      {"7", true},
      {"ml-inference-2", true},
      {std::string(63, 'a'), true},
      {std::string(64, 'a'), false},
      {"", false},
      {"-a", false},
      {"a-", false},
      {"A", false},
      {"a.b", false},
      {"a_b", false},
      {"a|b", false},
      {"a&b=c", false},
      {"a\r\nx", false},
      {std::string("a\0", 2), false},
      {"\xC3\xA9", false},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.text) { CHECK(is_dns_label(row.text) == row.is_label); }
  }
}

}  // namespace
}  // namespace weir::scalers
