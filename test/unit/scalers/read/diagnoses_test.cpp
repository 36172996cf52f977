#include "scalers/read/diagnoses.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace weir::scalers::read {
namespace {

const SteadyTime kStart = SteadyTime{} + std::chrono::hours{1};

TEST_CASE("a cause is shown for its own code, until it is old or the query succeeds") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart));
  diagnoses.end("prom", "q", Errc::no_value, "the target is down", kStart);

  CHECK(diagnoses.cause("q", Errc::no_value, kStart) == "the target is down");
  CHECK(diagnoses.cause("q", Errc::timed_out, kStart).empty());
  CHECK(diagnoses.cause("r", Errc::no_value, kStart).empty());
  CHECK(diagnoses.cause("q", Errc::no_value, kStart + kCauseKept).empty());
  diagnoses.forget("q");
  CHECK(diagnoses.cause("q", Errc::no_value, kStart).empty());
}

TEST_CASE("a query is diagnosed again only after a pause") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart));
  diagnoses.end("prom", "q", Errc::no_value, "the target is down", kStart);

  CHECK_FALSE(
      diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart + kCauseRenewed - Duration{1}));
  CHECK(diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart + kCauseRenewed));
}

TEST_CASE("a diagnosis without a cause is repeated sooner") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart));
  diagnoses.end("prom", "q", Errc::no_value, "", kStart);

  CHECK_FALSE(
      diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart + kNoCauseRenewed - Duration{1}));
  CHECK(diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart + kNoCauseRenewed));
}

TEST_CASE("another error of the same query is diagnosed at its own time") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart));
  diagnoses.end("prom", "q", Errc::no_value, "the target is down", kStart);

  CHECK(diagnoses.begin("prom", "q", "ml", Errc::unknown_object, kStart + kDiagnosisPause));
}

TEST_CASE("a backend has one diagnosis at a time, with a pause between two") {
  Diagnoses diagnoses;

  CHECK(diagnoses.begin("prom", "q", "ml", Errc::no_value, kStart));
  CHECK_FALSE(diagnoses.begin("prom", "r", "ml", Errc::no_value, kStart + kDiagnosisPause));
  CHECK(diagnoses.begin("other", "r", "ml", Errc::no_value, kStart));
  diagnoses.end("prom", "q", Errc::no_value, "", kStart);
  CHECK_FALSE(
      diagnoses.begin("prom", "r", "ml", Errc::no_value, kStart + kDiagnosisPause - Duration{1}));
  CHECK(diagnoses.begin("prom", "r", "ml", Errc::no_value, kStart + kDiagnosisPause));
}

TEST_CASE("namespaces take turns at a backend, however many queries of one namespace fail") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "a1", "tenant-a", Errc::no_value, kStart));
  REQUIRE_FALSE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, kStart));
  diagnoses.end("prom", "a1", Errc::no_value, "", kStart);
  const SteadyTime next = kStart + kDiagnosisPause;

  CHECK_FALSE(diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, next));
  CHECK(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, next));
  diagnoses.end("prom", "b1", Errc::no_value, "", next);
  CHECK_FALSE(diagnoses.begin("prom", "b2", "tenant-b", Errc::no_value, next + kDiagnosisPause));
  CHECK(diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, next + kDiagnosisPause));
}

TEST_CASE("a place in the queue lasts until the HPA reads again, and no longer") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "a1", "tenant-a", Errc::no_value, kStart));
  REQUIRE_FALSE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, kStart));
  diagnoses.end("prom", "a1", Errc::no_value, "", kStart);

  CHECK_FALSE(
      diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, kStart + kTurnKept - Duration{1}));
  CHECK(diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, kStart + kTurnKept));
}

TEST_CASE(
    "a single namespace does not wait, and a namespace after its diagnosis does not block others") {
  Diagnoses diagnoses;
  SteadyTime now = kStart;
  REQUIRE(diagnoses.begin("prom", "a1", "tenant-a", Errc::no_value, now));
  REQUIRE_FALSE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, now));
  diagnoses.end("prom", "a1", Errc::no_value, "", now);
  now += kDiagnosisPause;
  REQUIRE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, now));
  diagnoses.end("prom", "b1", Errc::no_value, "", now);

  now += kDiagnosisPause;
  CHECK(diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, now));
  diagnoses.end("prom", "a2", Errc::no_value, "", now);
  now += kDiagnosisPause;
  CHECK(diagnoses.begin("prom", "a3", "tenant-a", Errc::no_value, now));
}

TEST_CASE("a namespace with a recent diagnosis delays the others only briefly") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, kStart));
  diagnoses.end("prom", "b1", Errc::no_value, "", kStart);
  const SteadyTime next = kStart + kDiagnosisPause;
  REQUIRE(diagnoses.begin("prom", "a1", "tenant-a", Errc::no_value, next));
  REQUIRE_FALSE(diagnoses.begin("prom", "b2", "tenant-b", Errc::no_value, next));
  diagnoses.end("prom", "a1", Errc::no_value, "", next);

  CHECK_FALSE(
      diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, next + kTurnPause - Duration{1}));
  CHECK(diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, next + kTurnPause));
}

TEST_CASE("a namespace that misses its turn repeatedly gets a turn in the end") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, kStart));
  diagnoses.end("prom", "b1", Errc::no_value, "", kStart);
  const SteadyTime late = kStart + kTurnKept - kTurnPause;
  REQUIRE(diagnoses.begin("prom", "a1", "tenant-a", Errc::no_value, late));
  REQUIRE_FALSE(diagnoses.begin("prom", "b2", "tenant-b", Errc::no_value, late));
  diagnoses.end("prom", "a1", Errc::no_value, "", late);

  CHECK_FALSE(diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, late + kTurnPause));
  CHECK(diagnoses.begin("prom", "b2", "tenant-b", Errc::no_value, late + kTurnPause));
}

TEST_CASE("the turns of a backend do not affect those of another") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "a1", "tenant-a", Errc::no_value, kStart));
  REQUIRE_FALSE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, kStart));

  CHECK(diagnoses.begin("other", "a2", "tenant-a", Errc::no_value, kStart));
}

TEST_CASE("a namespace that never had a turn comes before the others") {
  Diagnoses diagnoses;
  SteadyTime now = kStart;
  REQUIRE(diagnoses.begin("prom", "a1", "tenant-a", Errc::no_value, now));
  REQUIRE_FALSE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, now));
  diagnoses.end("prom", "a1", Errc::no_value, "", now);
  now += kDiagnosisPause;
  REQUIRE(diagnoses.begin("prom", "b1", "tenant-b", Errc::no_value, now));
  REQUIRE_FALSE(diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, now));
  REQUIRE_FALSE(diagnoses.begin("prom", "c1", "tenant-c", Errc::no_value, now));
  diagnoses.end("prom", "b1", Errc::no_value, "", now);
  now += kDiagnosisPause;

  CHECK_FALSE(diagnoses.begin("prom", "b2", "tenant-b", Errc::no_value, now));
  CHECK_FALSE(diagnoses.begin("prom", "a2", "tenant-a", Errc::no_value, now));
  CHECK(diagnoses.begin("prom", "c1", "tenant-c", Errc::no_value, now));
}

TEST_CASE("namespaces beyond the limit get a diagnosis when no other waits") {
  Diagnoses diagnoses;
  REQUIRE(diagnoses.begin("prom", "a1", "tenant-a", Errc::no_value, kStart));
  for (std::size_t i = 0; i < 2 * kMaxTurns; ++i)
    REQUIRE_FALSE(diagnoses.begin("prom", "q", std::to_string(i), Errc::no_value, kStart));
  diagnoses.end("prom", "a1", Errc::no_value, "", kStart);

  CHECK(diagnoses.begin("prom", "z1", "tenant-z", Errc::no_value, kStart + kDiagnosisPause));
}

// As many causes as are kept, of `name_space`, a millisecond apart.
void fill(Diagnoses& diagnoses, const std::string& name_space, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::string backend = name_space + std::to_string(i);
    const SteadyTime now = kStart + Duration{static_cast<Duration::rep>(i)};
    REQUIRE(diagnoses.begin(backend, backend, name_space, Errc::no_value, now));
    diagnoses.end(backend, backend, Errc::no_value, "found", now);
  }
}

TEST_CASE("cached causes are bounded: the namespace with most of them loses its oldest") {
  Diagnoses diagnoses;
  fill(diagnoses, "small", 2);
  fill(diagnoses, "large", kMaxCauses - 2);
  const SteadyTime now = kStart + Duration{5000};
  REQUIRE(diagnoses.begin("prom", "one more", "large", Errc::no_value, now));

  diagnoses.end("prom", "one more", Errc::no_value, "found", now);

  CHECK(diagnoses.cause("one more", Errc::no_value, now) == "found");
  CHECK(diagnoses.cause("large0", Errc::no_value, now).empty());
  CHECK(diagnoses.cause("large1", Errc::no_value, now) == "found");
  CHECK(diagnoses.cause("small0", Errc::no_value, now) == "found");
}

TEST_CASE("old causes are evicted before any other") {
  Diagnoses diagnoses;
  fill(diagnoses, "large", kMaxCauses);
  const SteadyTime now = kStart + kCauseKept;
  REQUIRE(diagnoses.begin("prom", "one more", "small", Errc::no_value, now));

  diagnoses.end("prom", "one more", Errc::no_value, "found", now);

  CHECK(diagnoses.cause("one more", Errc::no_value, now) == "found");
  CHECK(diagnoses.cause("large1", Errc::no_value, now) == "found");
}

}  // namespace
}  // namespace weir::scalers::read
