// The times of certificates, by RFC 5280 section 4.1.2.5.
#include "server/crypto/asn1_time.hpp"

#include "server/crypto/c_deleter.hpp"

#include <catch2/catch.hpp>
#include <openssl/asn1.h>

#include <chrono>
#include <memory>
#include <optional>

namespace weir::server {
namespace {

using namespace std::chrono;

TEST_CASE("a certificate's time is read in UTC, with two digits of a year or four") {
  struct Row {
    const char* name;
    const char* text;
    WallTime time;
  };
  const auto row = GENERATE(values<Row>({
      {"two digits", "261130111303Z", sys_days{2026y / 11 / 30} + 11h + 13min + 3s},
      {"49 is 2049", "491231235959Z", sys_days{2050y / 1 / 1} - 1s},
      {"50 is 1950", "500101000000Z", sys_days{1950y / 1 / 1}},
      {"before what 64 bits hold", "16000101000000Z", WallTime::min()},
      {"four digits", "20500101000000Z", sys_days{2050y / 1 / 1}},
      {"no well-defined end", "99991231235959Z", WallTime::max()},
  }));

  DYNAMIC_SECTION(row.name) {
    const std::unique_ptr<ASN1_TIME, CDeleter<ASN1_TIME_free>> time(ASN1_TIME_new());
    REQUIRE(ASN1_TIME_set_string(time.get(), row.text) == 1);

    CHECK(wall_time_of(time.get()) == row.time);
  }
}

TEST_CASE("an invalid or missing time is unknown") {
  const std::unique_ptr<ASN1_TIME, CDeleter<ASN1_TIME_free>> time(ASN1_TIME_new());
  REQUIRE(ASN1_STRING_set(time.get(), "261330111303Z", -1) == 1);

  CHECK(wall_time_of(time.get()) == std::nullopt);
  CHECK(wall_time_of(nullptr) == std::nullopt);
}

}  // namespace
}  // namespace weir::server
