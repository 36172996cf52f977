// How the reader uses the policies that need a memory: fallback, settle, and the age of the data.
#include "scalers/read/reader.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <variant>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::MetricSpec;
using test::Rig;
using test::settle;
using Operator = LabelRequirement::Operator;
using Value = std::variant<double, std::string>;
using Texts = std::vector<std::string>;
using namespace std::chrono_literals;

const Policies kHold{.fallback = Fallback{.after = 10s, .hold = 60s}};
const Policies kInstead{.fallback = Fallback{.after = 10s, .value = 20}};
const Policies kSettle{.settle = 30s};
const Value kGone("unreachable: metric ml/depth: fake broker: gone");

void fail(Rig& rig, Errc code = Errc::unreachable, const std::string& question = "depth") {
  rig.script.replies.insert_or_assign(question, Error{code, "gone", ""});
}

// The value of a read so much later, when no answer is kept.
Value after(Rig& rig, Duration span) {
  rig.clock.advance(span);
  return rig.value();
}

TEST_CASE("the last good reading is held with its own time, until it is too old") {
  Rig rig({MetricSpec{.policies = kHold}});

  rig.value();
  fail(rig);
  const auto early = after(rig, 9999ms);
  const auto held = after(rig, 5000ms);
  const auto readings = rig.read();
  const auto longest = after(rig, 45'000ms);
  const auto over = after(rig, 2000ms);

  CHECK(early == kGone);
  CHECK(held == Value(7.0));
  REQUIRE(readings.has_value());
  CHECK(readings->front().taken_at == WallTime{} + 42s);
  CHECK(longest == Value(7.0));
  CHECK(over == kGone);
}

TEST_CASE("time counts from the last good reading, however many reads there are") {
  Rig rig({MetricSpec{.freshness = 1000ms, .policies = kHold}});

  rig.value();
  after(rig, 30'000ms);
  fail(rig);
  const auto early = after(rig, 9000ms);
  for (int reads = 0; reads < 100; ++reads) rig.value();
  const auto many_later = rig.value();
  const auto held = after(rig, 2000ms);

  CHECK(early == kGone);
  CHECK(many_later == kGone);
  CHECK(held == Value(7.0));
}

TEST_CASE("a good value ends the fallback, and the next failure counts from zero") {
  Rig rig({MetricSpec{.policies = kInstead}});

  rig.value();
  fail(rig);
  const auto instead = after(rig, 20'000ms);
  rig.script.replies.clear();
  const auto good = after(rig, 2000ms);
  fail(rig);
  const auto early = after(rig, 9000ms);

  CHECK(instead == Value(20.0));
  CHECK(good == Value(7.0));
  CHECK(early == kGone);
}

TEST_CASE("a query without a good value yet falls back from its first failure on") {
  Rig rig({MetricSpec{.name = "hold", .policies = kHold}, MetricSpec{.policies = kInstead}});
  fail(rig);

  const auto first = rig.value();
  const auto early = after(rig, 9999ms);
  const auto instead = after(rig, 2000ms);
  rig.value({"ml", "hold", {}});
  rig.clock.advance(30'000ms);
  const auto nothing = rig.value({"ml", "hold", {}});

  CHECK(first == kGone);
  CHECK(early == kGone);
  CHECK(instead == Value(20.0));
  CHECK(nothing == Value("unreachable: metric ml/hold: fake broker: gone"));
}

TEST_CASE("each query has its own fallback, and each metric its own definition of good") {
  Rig rig({MetricSpec{.labels = {{"queue", "[a-z]+"}},
                      .key = "of",
                      .rendered = {"queue"},
                      .policies = kHold},
           MetricSpec{.name = "strict", .key = "signed", .policies = kHold},
           MetricSpec{
               .name = "lenient",
               .key = "signed",
               .policies =
                   {{}, {}, NegativePolicy::zero, {}, {}, Fallback{.after = 10s, .hold = 60s}}}});
  const auto of = [](std::string queue) {
    return Query{"ml", "depth", {{"queue", Operator::equals, {std::move(queue)}}}};
  };
  rig.script.replies.insert_or_assign("signed", Sample{-3, WallTime{}});

  rig.value(of("a"));
  rig.value({"ml", "strict", {}});
  rig.value({"ml", "lenient", {}});
  fail(rig, Errc::unreachable, "of a");
  fail(rig, Errc::unreachable, "of b");
  fail(rig, Errc::unreachable, "signed");
  rig.value(of("b"));
  rig.clock.advance(20'000ms);

  CHECK(rig.value(of("a")) == Value(7.0));
  CHECK(rig.value(of("b")) == kGone);
  CHECK(rig.value({"ml", "lenient", {}}) == Value(0.0));
  CHECK(rig.value({"ml", "strict", {}}) ==
        Value("unreachable: metric ml/strict: fake broker: gone"));
}

TEST_CASE("a late response is a failure too") {
  Rig rig({MetricSpec{.deadline = 20ms, .policies = kInstead}});

  rig.value();
  rig.script.is_held = true;
  const auto instead = after(rig, 20'000ms);
  rig.script.release.raise();
  settle(*rig.loop);

  CHECK(instead == Value(20.0));
}

TEST_CASE("a fallback is reported with the failure that it replaces") {
  Rig rig({MetricSpec{.policies = kInstead}});

  rig.value();
  fail(rig);
  after(rig, 20'000ms);
  rig.value();

  CHECK(rig.events.reads == Texts{"broker ml/depth ok 0",
                                  "broker ml/depth unreachable 0",
                                  "broker ml/depth fallback",
                                  "broker ml/depth cached",
                                  "broker ml/depth fallback"});
  CHECK(rig.events.values ==
        Texts{"broker ml/depth 7", "broker ml/depth 20", "broker ml/depth 20"});
}

TEST_CASE("after a lost connection reads are errors until settle has passed") {
  Rig rig({MetricSpec{.freshness = 1000ms, .policies = kSettle}});
  note_opened(rig.script.connections, rig.clock.steady());

  const auto before = rig.value();
  note_closed(rig.script.connections, "unreachable");
  rig.clock.advance(10'000ms);
  note_opened(rig.script.connections, rig.clock.steady());
  const auto back = rig.value();
  const auto later = after(rig, 29'999ms);
  const auto asked = rig.script.queries.size();
  const auto again = after(rig, 1201ms);

  CHECK(before == Value(7.0));
  CHECK(back ==
        Value("settling: metric ml/depth: fake broker: the backend recovered 0 s ago; values "
              "are ignored for 30 s after recovery (settle) because queues may look empty "
              "after a restart"));
  CHECK(std::holds_alternative<std::string>(later));
  CHECK(asked == 3);
  CHECK(again == Value(7.0));
}

TEST_CASE("the first connection, or a connection that Weir closed, needs no settling") {
  Rig rig({MetricSpec{.freshness = 1000ms, .policies = kSettle}});
  note_opened(rig.script.connections, rig.clock.steady());

  const auto first = rig.value();
  note_closed(rig.script.connections, ConnectionCounts::kIdle);
  note_opened(rig.script.connections, rig.clock.steady());
  const auto behind_idle = after(rig, 2000ms);

  CHECK(first == Value(7.0));
  CHECK(behind_idle == Value(7.0));
}

TEST_CASE(
    "without persistent connections, a query that could not reach the backend is the outage") {
  Rig rig({MetricSpec{.freshness = 1000ms, .policies = kSettle},
           MetricSpec{.name = "other", .key = "other", .freshness = 1000ms}});
  fail(rig);

  rig.value();
  rig.script.replies.clear();
  const auto back = after(rig, 2000ms);
  const auto other = rig.value({"ml", "other", {}});
  const auto settled = after(rig, 30'000ms);

  CHECK(std::holds_alternative<std::string>(back));
  CHECK(other == Value(7.0));
  CHECK(settled == Value(7.0));
}

TEST_CASE("a backend recovers with its first response, whatever the failures before") {
  struct Row {
    std::string_view name;
    std::vector<Errc> failures;
  };
  const Row rows[] = {
      {"silent alone", {Errc::timed_out}},
      {"unreachable, then silent", {Errc::unreachable, Errc::timed_out}},
      {"unreachable, then refused", {Errc::unreachable, Errc::refused}},
      {"silent, then without TLS", {Errc::timed_out, Errc::tls}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Rig rig({MetricSpec{.freshness = 1000ms, .policies = kSettle}});
      for (const Errc code : row.failures) {
        fail(rig, code);
        after(rig, 20'000ms);
      }
      rig.script.replies.clear();

      const auto back = after(rig, 20'000ms);
      const auto settling = after(rig, 29'000ms);
      const auto settled = after(rig, 2000ms);

      CHECK(std::holds_alternative<std::string>(back));
      CHECK(std::holds_alternative<std::string>(settling));
      CHECK(settled == Value(7.0));
    }
  }
}

TEST_CASE("a slow query is not an outage while other queries get responses") {
  Rig rig({MetricSpec{.name = "slow", .key = "slow", .policies = kSettle},
           MetricSpec{.name = "other", .key = "other", .freshness = 1ms}});
  rig.script.replies.insert_or_assign("slow", Error{Errc::timed_out, "no response in time", ""});

  rig.value({"ml", "other", {}});
  rig.value({"ml", "slow", {}});
  rig.script.replies.clear();
  rig.clock.advance(2000ms);

  CHECK(rig.value({"ml", "slow", {}}) == Value(7.0));
}

TEST_CASE("a failure that is not an outage needs no settling") {
  for (const Errc code : {Errc::refused, Errc::no_value, Errc::unknown_object}) {
    DYNAMIC_SECTION(name_of(code)) {
      Rig rig({MetricSpec{.policies = kSettle}});
      fail(rig, code);

      rig.value();
      rig.script.replies.clear();

      CHECK(after(rig, 2000ms) == Value(7.0));
    }
  }
}

TEST_CASE("data that gets too old during its query is not a value") {
  const auto given_after = [](Duration took) {
    Rig rig({MetricSpec{}});
    rig.script.is_held = true;
    rig.script.replies.insert_or_assign("depth", Sample{7, WallTime{}, false, DataAge{29s, 30s}});
    auto read = rig.begin({"ml", "depth", {}});
    settle(*rig.loop);
    rig.clock.advance(took);
    rig.script.release.raise();
    return test::finish(*rig.loop, std::move(read));
  };

  const auto in_time = given_after(1000ms);
  const auto late = given_after(1001ms);

  REQUIRE(in_time.has_value());
  CHECK(in_time->front().value == 7);
  REQUIRE(late.has_error());
  CHECK(late.error().code == Errc::stale);
  CHECK(late.error().message() ==
        "metric ml/depth: fake broker: the newest data was 29 s old when it was queried, the query "
        "took 1.001 s, and maxAge is 30 s");
}

TEST_CASE("a value is cached only while its data is recent enough") {
  Rig rig({MetricSpec{.freshness = 60'000ms}});
  rig.script.replies.insert_or_assign("depth", Sample{7, WallTime{}, false, DataAge{20s, 30s}});

  rig.value();
  after(rig, 9999ms);
  const auto asked_while_young = rig.script.queries.size();
  after(rig, 1ms);

  CHECK(asked_while_young == 1);
  CHECK(rig.script.queries.size() == 2);
}

}  // namespace
}  // namespace weir::scalers::read
