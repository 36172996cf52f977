#include "server/http/audit_id.hpp"

#include <catch2/catch.hpp>

#include <regex>
#include <string>
#include <string_view>

namespace weir::server {
namespace {

bool is_uuid(const std::string& text) {
  return std::regex_match(
      text,
      std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

std::string id_for(std::string header) {
  apiservice::Request request;
  request.headers = {{"audit-id", std::move(header)}};
  return AuditIds().of(request);
}

TEST_CASE("case 118: an Audit-ID is echoed when it is valid in a header and a log") {
  struct Row {
    std::string_view name;
    std::string header;
    bool is_echoed;
  };
  const Row rows[] = {
      {"a UUID", "7ab1f39c-5cf2-4d3c-9a41-2a3a1d1f0001", true},
      {"one character", "x", true},
      {"64", std::string(64, 'a'), true},
      {"65", std::string(65, 'a'), false},
      {"none", "", false},
      {"a blank", "a b", false},
      {"a control character", "a\x01", false},
      {"DEL", "a\x7f", false},
      {"no ASCII", "\xc3\xa4", false},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const std::string id = id_for(row.header);

      CHECK((id == row.header) == row.is_echoed);
      CHECK((row.is_echoed || is_uuid(id)));
    }
  }
}

TEST_CASE("a generated Audit-Id differs each time, in one session and in two") {
  AuditIds ids;

  const std::string first = ids.generate();
  const std::string second = ids.generate();

  CHECK(is_uuid(first));
  CHECK(is_uuid(second));
  CHECK(first != second);
  CHECK(AuditIds().generate() != first);
}

}  // namespace
}  // namespace weir::server
