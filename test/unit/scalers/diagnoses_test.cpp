#include "scalers/read/diagnoses.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace weir::scalers::read {
namespace {

const SteadyTime kStart = SteadyTime{} + std::chrono::hours{1};

TEST_CASE("a cause is shown for its own code, until it is old or the question is answered") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "q", kStart));
  diagnoses.end("prom", "q", Errc::no_value, "the target is down", kStart);

  CHECK(diagnoses.cause("q", Errc::no_value, kStart) == "the target is down");
  CHECK(diagnoses.cause("q", Errc::timed_out, kStart).empty());
  CHECK(diagnoses.cause("r", Errc::no_value, kStart).empty());
  CHECK(diagnoses.cause("q", Errc::no_value, kStart + kCauseKept).empty());
  diagnoses.forget("q");
  CHECK(diagnoses.cause("q", Errc::no_value, kStart).empty());
}

TEST_CASE("a question is looked into again only after a while") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "q", kStart));
  diagnoses.end("prom", "q", Errc::no_value, "the target is down", kStart);

  CHECK_FALSE(diagnoses.begin("prom", "q", kStart + kCauseRenewed - Duration{1}));
  CHECK(diagnoses.begin("prom", "q", kStart + kCauseRenewed));
}

TEST_CASE("a look that found no cause is repeated sooner") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "q", kStart));
  diagnoses.end("prom", "q", Errc::no_value, "", kStart);

  CHECK_FALSE(diagnoses.begin("prom", "q", kStart + kNoCauseRenewed - Duration{1}));
  CHECK(diagnoses.begin("prom", "q", kStart + kNoCauseRenewed));
}

TEST_CASE("one look at a time is under way at a backend, and its looks keep apart") {
  Diagnoses diagnoses;

  CHECK(diagnoses.begin("prom", "q", kStart));
  CHECK_FALSE(diagnoses.begin("prom", "r", kStart + kLookPause));
  CHECK(diagnoses.begin("other", "r", kStart));
  diagnoses.end("prom", "q", Errc::no_value, "", kStart);
  CHECK_FALSE(diagnoses.begin("prom", "r", kStart + kLookPause - Duration{1}));
  CHECK(diagnoses.begin("prom", "r", kStart + kLookPause));
}

TEST_CASE("causes that are kept are bounded, and make room when they are old") {
  Diagnoses diagnoses;
  SteadyTime now = kStart;
  for (std::size_t i = 0; i < kMaxCauses; ++i)
    diagnoses.end("prom", std::to_string(i), Errc::no_value, "", now);

  CHECK_FALSE(diagnoses.begin("prom", "one more", now + kLookPause));
  now += kCauseKept;
  CHECK(diagnoses.begin("prom", "one more", now));
}

}  // namespace
}  // namespace weir::scalers::read
