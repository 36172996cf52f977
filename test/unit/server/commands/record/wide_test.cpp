// The CSV with a line for each round, and the order of the lines on the terminal.
#include "server/commands/record/wide.hpp"

#include "server/commands/record/rounds.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace weir::server::record {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

const WallTime kNoon = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + 12h;

HpaState state_of(int replicas, double depth, double utilization) {
  HpaState out{replicas, replicas + 1, {}};
  out.metrics = {{.type = "External", .name = "depth", .target_average = 5, .average = depth},
                 {.type = "Resource",
                  .name = "cpu",
                  .target_utilization = 70,
                  .average = 0.25,
                  .utilization = utilization},
                 {.type = "Resource", .name = "memory", .average = 1024}};
  return out;
}

TEST_CASE("a round is a line, and what is not known is an empty cell") {
  const Timeline timeline{
      kNoon,
      {{"ml/p95", {{0.01, kNoon, 0, {{{}, 0.5, kNoon}}, ""}, {5.01, kNoon, 0, {}, "gone"}}},
       {"ml/depth?queue in (a,b)",
        {{0.02, kNoon, 0, {{{{"queue", "a"}}, 3, kNoon}, {{{"queue", "b"}}, 4, kNoon}}, ""},
         // The read of the second round took longer than an interval.
         {10.0, kNoon, 0, {{{}, 8, kNoon}}, ""}}}},
      {{"ml/worker",
        {{0.0, kNoon, 0, state_of(2, 6, 66), ""}, {10.0, kNoon, 0, state_of(3, 6, 80), ""}}}}};

  CHECK(wide_csv_of(timeline, 5s) ==
        "Timestamp,Replicas,Desired,p95,depth,CPU_Percent,CPU_Cores,Memory_Percent,Memory_Bytes,"
        "Active\r\n"
        "2026-11-22T12:00:00Z,2,3,0.5,7,66,0.25,,1024,depth\r\n"
        "2026-11-22T12:00:05Z,,,,,,,,,\r\n"
        "2026-11-22T12:00:10Z,3,4,,8,80,0.25,,1024,depth;cpu\r\n");
}

TEST_CASE("columns of the same name are told apart by all of it") {
  const Timeline timeline{kNoon, {{"a/m", {}}, {"a/m?q in (x,y)", {}}}, {{"a/w", {}}, {"b/w", {}}}};

  const std::string csv = wide_csv_of(timeline, 5s);
  CHECK_THAT(csv, Catch::StartsWith("Timestamp,Replicas a/w,Desired a/w,Replicas b/w,"));
  CHECK_THAT(csv, Catch::Contains(",a/m,\"a/m?q in (x,y)\","));
  CHECK_THAT(csv, Catch::EndsWith(",Active b/w\r\n"));
}

TEST_CASE("lines of a round are in the order in which their tracks were given") {
  Rounds rounds;

  CHECK(rounds.add(0, 1, "b").empty());
  CHECK(rounds.add(0, 0, "a") == Lines{"a", "b"});
  CHECK(rounds.add(0, 2, "c") == Lines{"c"});
  CHECK(rounds.add(1, 0, "d") == Lines{"d"});
}

TEST_CASE("a slow read holds back the others for one round") {
  Rounds rounds;

  CHECK(rounds.add(0, 1, "b").empty());
  CHECK(rounds.add(0, 2, "c").empty());
  CHECK(rounds.add(1, 1, "d") == Lines{"b", "c"});
  CHECK(rounds.add(0, 0, "late") == Lines{"late"});
  CHECK(rounds.flush() == Lines{"d"});
  CHECK(rounds.add(1, 0, "late again") == Lines{"late again"});
  CHECK(rounds.flush().empty());
}

}  // namespace
}  // namespace weir::server::record
