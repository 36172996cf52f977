#include "server/logging/repeats.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace weir::server {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1h};

bool admit(LogRepeats& repeats, std::string_view reason, SteadyTime now) {
  const Field field("reason", reason);
  return repeats.admit(Level::warn, "accept_failed", {&field, 1}, now);
}

std::vector<std::string> shown(const std::vector<LogRepeats::Line>& lines) {
  std::vector<std::string> out;
  for (const auto& line : lines)
    out.push_back(fmt::format("{} x{}", log_text(line.event, line.fields), line.repeats));
  return out;
}

TEST_CASE("an equal line is counted and not written") {
  LogRepeats repeats;
  REQUIRE(admit(repeats, "no room", kNow));

  CHECK(!admit(repeats, "no room", kNow + 1s));
  CHECK(!admit(repeats, "no room", kNow + 9s));

  CHECK(repeats.take_due(kNow + 9s).empty());
  CHECK(shown(repeats.take_due(kNow + 10s)) ==
        std::vector<std::string>{R"(accept_failed reason="no room" x2)"});
  CHECK(repeats.take_due(kNow + 20s).empty());
  CHECK(admit(repeats, "no room", kNow + 20s));
}

TEST_CASE("lines that differ in a field or in their level are different lines") {
  LogRepeats repeats;
  REQUIRE(admit(repeats, "no room", kNow));

  CHECK(admit(repeats, "no memory", kNow));
  const Field field("reason", "no room");
  CHECK(repeats.admit(Level::info, "accept_failed", {&field, 1}, kNow));
}

TEST_CASE("F65: lines of one identity are one line a span, whatever their other fields") {
  LogRepeats repeats(60s);
  const auto fails = [&](std::string_view peer, std::string_view reason, SteadyTime now) {
    const std::array<Field, 2> fields{Field("peer", peer), Field("reason", reason)};
    return repeats.admit(Level::info, "handshake_failed", fields, 1, now);
  };
  CHECK(fails("10.0.0.1", "bad certificate", kNow));
  CHECK(fails("10.0.0.2", "bad certificate", kNow));

  CHECK_FALSE(fails("10.0.0.1", "no shared cipher", kNow + 59s));

  CHECK(
      shown(repeats.take_due(kNow + 60s)) ==
      std::vector<std::string>{R"(handshake_failed peer="10.0.0.1" reason="bad certificate" x1)"});
  CHECK(fails("10.0.0.1", "no shared cipher", kNow + 60s));
}

TEST_CASE("a line without repeats has no count") {
  LogRepeats repeats;
  REQUIRE(admit(repeats, "no room", kNow));

  CHECK(repeats.take_due(kNow + 10s).empty());
  CHECK(repeats.take_all().empty());
}

TEST_CASE("the remaining counts are written at the end") {
  LogRepeats repeats;
  REQUIRE(admit(repeats, "no room", kNow));
  REQUIRE(!admit(repeats, "no room", kNow));

  CHECK(repeats.take_all().size() == 1);
  CHECK(repeats.take_all().empty());
}

TEST_CASE("different lines beyond the limit are counted by their event and level") {
  LogRepeats repeats;
  for (std::size_t i = 0; i < LogRepeats::kMaxEntries; ++i) {
    REQUIRE(admit(repeats, std::to_string(i), kNow));
  }

  CHECK(admit(repeats, "one more", kNow));
  CHECK(!admit(repeats, "one more", kNow));
  CHECK(!admit(repeats, "another", kNow));
  CHECK(!admit(repeats, "0", kNow));
  const Field field("reason", "one more");
  CHECK(repeats.admit(Level::info, "accept_failed", {&field, 1}, kNow));
  CHECK(repeats.admit(Level::warn, "session_failed", {&field, 1}, kNow));

  CHECK(shown(repeats.take_due(kNow + 10s)) ==
        std::vector<std::string>{"accept_failed x2", R"(accept_failed reason="0" x1)"});
  CHECK(admit(repeats, "another", kNow + 10s));
}

}  // namespace
}  // namespace weir::server
