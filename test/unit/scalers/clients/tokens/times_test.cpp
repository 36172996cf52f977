// Times as providers write them, clocks that differ, and the times of an assertion.
#include "scalers/clients/tokens/times.hpp"

#include "scalers/clients/tokens/assertion.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::scalers::clients {
namespace {

using namespace std::chrono_literals;

// 2026-01-31T11:20:00Z
const WallTime kNow{std::chrono::seconds(1'769'858'400)};

std::string base64url(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    bits = (bits << 8U) | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 6;) {
      count -= 6;
      out += kDigits[(bits >> count) & 63U];
    }
  }
  if (count > 0) out += kDigits[(bits << (6 - count)) & 63U];
  return out;
}

std::string jwt(std::string_view claims) { return "aGVhZA." + base64url(claims) + ".c2ln"; }

std::string seconds_from_now(std::chrono::seconds span) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(kNow.time_since_epoch() + span).count());
}

}  // namespace

TEST_CASE("a time as text has full seconds of UTC") {
  const WallTime time{std::chrono::seconds{1'706'745'599} + std::chrono::milliseconds{999}};

  CHECK(utc_text(time) == "2024-01-31T23:59:59Z");
  CHECK(utc_text(WallTime{}) == "1970-01-01T00:00:00Z");
}

TEST_CASE("the times of providers are read, and nothing else is a time") {
  struct Row {
    std::string name;
    std::string text;
    std::optional<WallTime> time;
  };
  const Row rows[] = {
      {"of AWS", "2026-01-31T11:20:00Z", kNow},
      {"a fraction", "2026-01-31T11:20:00.123456789Z", kNow},
      {"without separators", "20260131T112000Z", kNow},
      {"an offset of zero", "2026-01-31T11:20:00+00:00", kNow},
      {"another offset", "2026-01-31T11:20:00+01:00", std::nullopt},
      {"no zone", "2026-01-31T11:20:00", std::nullopt},
      {"no such day", "2026-02-30T11:20:00Z", std::nullopt},
      {"no such hour", "2026-01-31T24:20:00Z", std::nullopt},
      {"empty", "", std::nullopt},
      {"a date", "2026-01-31", std::nullopt},
      {"text after it", "2026-01-31T11:20:00Z x", std::nullopt},
      {"before 1970", "1969-12-31T23:59:59Z", std::nullopt},
      {"after all of us", "9999-12-31T23:59:59Z", std::nullopt},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(parse_time(row.text) == row.time);
  }
}

TEST_CASE("a clock that differs by a minute or more is named, by which side it is") {
  struct Row {
    std::string name;
    std::string words;
    std::string problem;
  };
  const std::string fix = "; correct the clock of its node";
  const Row rows[] = {
      {"behind, of AWS",
       "Signature expired: 20260131T112000Z is now earlier than 20260131T113000Z "
       "(20260131T113500Z - 5 min.)",
       "Weir's clock is 15 min behind that of the server" + fix},
      {"ahead, of AWS",
       "Signature not yet current: 20260131T112000Z is still later than 20260131T111500Z "
       "(20260131T111000Z + 5 min.)",
       "Weir's clock is 10 min ahead of that of the server" + fix},
      {"of STS",
       "Token expired: current date/time 1769865600 must be before the expiration date/time "
       "1769860000",
       "Weir's clock is 2 h behind that of the server" + fix},
      {"of Entra ID",
       "AADSTS700024: Client assertion is not within its valid time range. Current time: "
       "2026-01-31T11:18:30.1234567Z, assertion valid from 2026-01-31T11:19:00.0000000Z, ...",
       "Weir's clock is 90 s ahead of that of the server" + fix},
      {"less than a minute", "Current time: 2026-01-31T11:19:30Z, ...", ""},
      {"a time that is none", "Current time: 2026-01-31T, ...", ""},
      {"other words", "The security token included in the request is invalid", ""},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(clock_problem(row.words, kNow) == row.problem);
  }
}

TEST_CASE("an assertion that has expired, or that is from the future, is named") {
  struct Row {
    std::string name;
    std::string assertion;
    std::string problem;
  };
  const Row rows[] = {
      {"valid",
       jwt("{\"iat\":" + seconds_from_now(-60s) + ",\"exp\":" + seconds_from_now(60s) + "}"),
       ""},
      {"expired",
       jwt("{\"iat\":1,\"exp\":" + seconds_from_now(-3h) + "}"),
       "the assertion expired 3 h ago (its file is not renewed any more, or Weir's clock is "
       "wrong)"},
      {"issued in the future",
       jwt("{\"iat\":" + seconds_from_now(10min) + ",\"exp\":" + seconds_from_now(1h) + "}"),
       "Weir's clock is 10 min behind that of the assertion's issuer; correct the clock of its "
       "node"},
      {"issued a moment ahead", jwt("{\"nbf\":" + seconds_from_now(5s) + "}"), ""},
      {"no times", jwt("{}"), ""},
      {"times that are texts", jwt("{\"exp\":\"1\"}"), ""},
      {"a time beyond all", jwt("{\"exp\":1e300}"), ""},
      {"no claims", "a.b.c", ""},
      {"another alphabet", "a.!!!.c", ""},
      {"no JWT", "opaque", ""},
      {"empty", "", ""},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(assertion_problem(row.assertion, kNow) == row.problem);
  }
}

}  // namespace weir::scalers::clients
