// How the reader behaves when the backend fails, hangs, is full, or is dropped.
#include "scalers/read/reader.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <variant>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::MetricSpec;
using test::Rig;
using test::settle;
using test::shown;
using Operator = LabelRequirement::Operator;
using Value = std::variant<double, std::string>;
using namespace std::chrono_literals;

Query of_queue(std::string value) {
  return {"ml", "depth", {{"queue", Operator::equals, {std::move(value)}}}};
}

MetricSpec per_queue() {
  return {.labels = {{"queue", "[a-z]+"}}, .key = "depth of", .rendered = {"queue"}};
}

void fail(Rig& rig, Errc code) {
  rig.script.replies.insert_or_assign("depth", Error{code, "as scripted", ""});
}

TEST_CASE("an error names the metric, the kind and the backend, and contains the remote text") {
  Rig rig({MetricSpec{}});
  rig.script.replies.insert_or_assign("depth", Error{Errc::bad_reply, "it broke", "its own words"});

  const auto readings = rig.read();

  REQUIRE(readings.has_error());
  CHECK(readings.error() ==
        Error{Errc::bad_reply, "metric ml/depth: fake broker: it broke", "its own words"});
  CHECK(readings.error().message() == "metric ml/depth: fake broker: it broke: its own words");
}

TEST_CASE("a bug in a scaler fails only its query, and frees its place") {
  Rig rig({MetricSpec{}, MetricSpec{.name = "other", .key = "other"}}, {.max_in_flight = 1});
  rig.script.has_bug = true;

  const auto broken = rig.value();
  rig.script.has_bug = false;
  const auto other = rig.value({"ml", "other", {}});
  rig.clock.advance(1201ms);
  const auto later = rig.value();

  CHECK(broken == Value("bad_reply: metric ml/depth: fake broker: an internal error; please report "
                        "it <a bug at [hidden]>"));
  CHECK(other == Value(7.0));
  CHECK(later == Value(7.0));
  CHECK(rig.events.backends.empty());
}

TEST_CASE("an error is cached for 0.8 s to 1.2 s, then the backend is queried again") {
  for (const std::uint32_t seed : {1U, 2U, 3U, 7U, 99U, 12345U, 4'000'000'000U}) {
    DYNAMIC_SECTION("seed " << seed) {
      Rig rig({MetricSpec{}}, {}, seed);
      fail(rig, Errc::unreachable);

      const auto first = rig.value();
      rig.script.replies.clear();
      rig.clock.advance(799ms);
      const auto kept = rig.value();
      const auto asked_while_kept = rig.script.queries.size();
      rig.clock.advance(402ms);
      const auto after = rig.value();

      CHECK(first == Value("unreachable: metric ml/depth: fake broker: as scripted"));
      CHECK(kept == first);
      CHECK(asked_while_kept == 1);
      CHECK(after == Value(7.0));
      CHECK(rig.script.queries.size() == 2);
    }
  }
}

TEST_CASE("different readers query again at different times") {
  int asked_after_one_second = 0;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    Rig rig({MetricSpec{}}, {}, seed * 1'000'003);
    fail(rig, Errc::unreachable);
    rig.value();
    rig.clock.advance(1000ms);
    rig.value();
    asked_after_one_second += rig.script.queries.size() == 2 ? 1 : 0;
  }

  CHECK(asked_after_one_second > 5);
  CHECK(asked_after_one_second < 35);
}

TEST_CASE("an error is cached for a second, however long the freshness is") {
  Rig rig({MetricSpec{.freshness = 3'600'000ms}});
  fail(rig, Errc::no_value);

  rig.value();
  rig.script.replies.clear();
  rig.clock.advance(1201ms);

  CHECK(rig.value() == Value(7.0));
}

TEST_CASE("an error replaces the cached value") {
  Rig rig({MetricSpec{}});

  rig.value();
  fail(rig, Errc::timed_out);
  rig.clock.advance(5000ms);

  const Value late(
      "timed_out: metric ml/depth: fake broker: no response within 2500 ms (as scripted); raise "
      "deadline, at most 30s, or query for less");
  CHECK(rig.value() == late);
  CHECK(rig.value() == late);
  CHECK(rig.script.queries.size() == 2);
}

TEST_CASE("a full backend is an error at once, and the error is not cached") {
  Rig rig({per_queue()}, {.max_in_flight = 1, .max_waiting = 1});
  rig.script.is_held = true;
  const auto asked = rig.begin(of_queue("a"));
  const auto waiting = rig.begin(of_queue("b"));
  settle(*rig.loop);

  const auto refused = rig.read(of_queue("c"));
  rig.script.release.raise();
  settle(*rig.loop);
  const auto again = rig.read(of_queue("c"));

  CHECK(shown(refused) ==
        "overloaded: metric ml/depth: fake broker: queries in flight: 1, waiting: 1; raise "
        "maxInFlight or maxWaiting, or query less often");
  CHECK(shown(**asked) == "a value");
  CHECK(shown(**waiting) == "a value");
  CHECK(shown(again) == "a value");
  CHECK(rig.script.queries.size() == 3);
}

TEST_CASE("a read past its deadline is late, and the later response is cached") {
  Rig rig({MetricSpec{.deadline = 20ms}});
  rig.script.is_held = true;

  const auto late = rig.value();
  rig.script.release.raise();
  settle(*rig.loop);
  const auto next = rig.value();

  CHECK(late == Value("timed_out: metric ml/depth: fake broker: no response within 20 ms (the "
                      "query is still in flight); raise deadline, at most 30s, or query for less"));
  CHECK(next == Value(7.0));
  CHECK(rig.script.queries.size() == 1);
}

TEST_CASE(
    "a metric with a long deadline neither joins nor inherits a query with a short deadline") {
  Rig rig({MetricSpec{.name = "hasty", .deadline = 20ms}, MetricSpec{.name = "patient"}});
  rig.script.is_held = true;

  const auto late = shown(rig.read({"ml", "hasty", {}}));
  rig.script.is_held = false;
  const auto patient = shown(rig.read({"ml", "patient", {}}));

  CHECK(late.find("no response within 20 ms") != std::string::npos);
  CHECK(patient == "a value");
  CHECK(rig.script.queries.size() == 2);
  rig.script.release.raise();
  settle(*rig.loop);
}

TEST_CASE("the caller's deadline is used when it is earlier than the metric's") {
  Rig rig({MetricSpec{}});
  rig.script.is_held = true;

  const auto readings =
      test::run(*rig.loop,
                rig.reader->read({"ml", "depth", {}}, Deadline::after(rig.clock.steady(), 15ms)));

  CHECK(shown(readings) ==
        "timed_out: metric ml/depth: fake broker: no response within 15 ms (the query is still in "
        "flight); raise deadline, at most 30s, or query for less");
  CHECK(rig.script.queries.front().deadline.at == rig.clock.steady() + 2500ms);
  rig.script.release.raise();
  settle(*rig.loop);
}

TEST_CASE("a late read joins the query in flight and starts no new query") {
  Rig rig({MetricSpec{.deadline = 20ms}});
  rig.script.is_held = true;

  const auto late = rig.value();
  const auto joined = rig.begin({"ml", "depth", {}});
  settle(*rig.loop);
  rig.script.release.raise();

  CHECK(std::holds_alternative<std::string>(late));
  CHECK(shown(test::finish(*rig.loop, joined)) == "a value");
  CHECK(rig.script.queries.size() == 1);
}

TEST_CASE("a reader may be destroyed while its query is in flight") {
  Rig rig({MetricSpec{}});
  rig.script.is_held = true;
  const auto read = rig.begin({"ml", "depth", {}});
  settle(*rig.loop);
  const std::weak_ptr<Reader> kept = rig.reader;

  rig.reader.reset();
  const bool is_alive_under_way = !kept.expired();
  rig.script.release.raise();
  settle(*rig.loop);

  CHECK(is_alive_under_way);
  REQUIRE(read->has_value());
  CHECK(shown(**read) == "a value");
  CHECK(kept.expired());
}

TEST_CASE("a reader may be destroyed when only its query references it") {
  Rig rig({MetricSpec{.deadline = 10ms}});
  rig.script.is_held = true;
  const auto late = rig.value();
  const std::weak_ptr<Reader> kept = rig.reader;

  rig.reader.reset();
  rig.script.release.raise();
  settle(*rig.loop);

  CHECK(std::holds_alternative<std::string>(late));
  CHECK(kept.expired());
}

TEST_CASE("the loop may end while a query is in flight") {
  Rig rig({MetricSpec{}});
  rig.script.is_held = true;
  const auto read = rig.begin({"ml", "depth", {}});
  settle(*rig.loop);
  const std::weak_ptr<Reader> kept = rig.reader;

  rig.reader.reset();
  rig.loop.reset();

  CHECK_FALSE(read->has_value());
  CHECK(kept.expired());
}

struct Failure {
  std::string_view name;
  Errc code;
  bool is_down;
};

TEST_CASE("a backend is reported down by its own failures, not by its responses") {
  const Failure rows[] = {
      {"cannot be reached", Errc::unreachable, true},
      {"TLS", Errc::tls, true},
      {"credentials", Errc::refused, true},
      {"silence", Errc::timed_out, true},
      {"no such object", Errc::unknown_object, false},
      {"no value", Errc::no_value, false},
      {"a bad query", Errc::bad_request, false},
      {"a bad reply", Errc::bad_reply, false},
      {"full", Errc::overloaded, false},
      {"partial", Errc::partial, false},
  };

  for (const Failure& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Rig rig({MetricSpec{}});
      fail(rig, row.code);

      rig.value();

      const std::string_view said =
          row.code == Errc::timed_out ? "no response within 2500 ms (as scripted); raise deadline, "
                                        "at most 30s, or query for less"
                                      : "as scripted";
      const std::vector<std::string> down{
          fmt::format("down broker at broker.test:5672: {}: {}", name_of(row.code), said)};
      CHECK(rig.events.backends == (row.is_down ? down : std::vector<std::string>{}));
    }
  }
}

TEST_CASE("a backend is reported down once and up once, however many queries fail") {
  Rig rig({MetricSpec{}, MetricSpec{.name = "other", .key = "other"}});
  fail(rig, Errc::unreachable);
  rig.script.replies.insert_or_assign("other", Error{Errc::timed_out, "silence", ""});

  rig.value();
  rig.value({"ml", "other", {}});
  rig.clock.advance(2000ms);
  rig.value();
  rig.script.replies.clear();
  rig.clock.advance(2000ms);
  rig.value();
  rig.value({"ml", "other", {}});
  rig.clock.advance(6000ms);
  rig.value();
  fail(rig, Errc::tls);
  rig.clock.advance(6000ms);
  rig.value();

  CHECK(rig.events.backends ==
        std::vector<std::string>{"down broker at broker.test:5672: unreachable: as scripted",
                                 "up broker after 4000",
                                 "down broker at broker.test:5672: tls: as scripted"});
}

TEST_CASE("a response that is an error of the query shows that the backend has recovered") {
  Rig rig({MetricSpec{}});
  fail(rig, Errc::refused);

  rig.value();
  fail(rig, Errc::unknown_object);
  rig.clock.advance(2000ms);
  rig.value();

  CHECK(rig.events.backends ==
        std::vector<std::string>{"down broker at broker.test:5672: refused: as scripted",
                                 "up broker after 2000"});
}

}  // namespace
}  // namespace weir::scalers::read
