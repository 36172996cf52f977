#include "scalers/read/failures/failing_reads.hpp"

#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

namespace weir::scalers::read {
namespace {

using test::MetricSpec;
using test::Rig;
using test::settle;
using Operator = LabelRequirement::Operator;
using Texts = std::vector<std::string>;
using namespace std::chrono_literals;

const Error kMissing{Errc::unknown_object, "no such queue", ""};

MetricSpec per_queue() {
  return {.labels = {{"queue", "[a-z]+"}}, .key = "depth of", .rendered = {"queue"}};
}

Query of_queue(std::string value, std::string name_space = "ml") {
  return {std::move(name_space), "depth", {{"queue", Operator::equals, {std::move(value)}}}};
}

TEST_CASE("a failing read is reported once, with its labels, and once more when it recovers") {
  Rig rig({per_queue()});
  rig.script.replies.insert_or_assign("depth of b", kMissing);

  for (int i = 0; i < 4; ++i) {
    rig.value(of_queue("a"));
    rig.value(of_queue("b"));
    rig.clock.advance(15s);
  }
  rig.script.replies.clear();
  rig.value(of_queue("b"));
  rig.clock.advance(15s);
  rig.value(of_queue("b"));

  CHECK(rig.events.failing ==
        Texts{"failing broker ml/depth{queue=b}: unknown_object: no such queue",
              "recovered broker ml/depth{queue=b} after 60000"});
}

TEST_CASE("another code is reported again, the same one is not") {
  Rig rig({MetricSpec{}});
  for (const Errc code : {Errc::no_value, Errc::timed_out, Errc::timed_out, Errc::no_value}) {
    rig.script.replies.insert_or_assign("depth", Error{code, "as scripted", ""});
    rig.value();
    rig.clock.advance(15s);
  }

  REQUIRE(rig.events.failing.size() == 3);
  CHECK(rig.events.failing[0] == "failing broker ml/depth{}: no_value: as scripted");
  CHECK(rig.events.failing[2] == "failing broker ml/depth{}: no_value: as scripted");
}

TEST_CASE("the line waits for the diagnosis and has its cause") {
  Rig rig({MetricSpec{}});
  rig.script.can_diagnose = true;
  rig.script.is_diagnosis_held = true;
  rig.script.replies.emplace("depth", Error{Errc::no_value, "no series", ""});

  rig.value();
  const auto before = rig.events.failing;
  rig.script.release.raise();
  settle(*rig.loop);
  rig.value();

  CHECK(before.empty());
  CHECK(rig.events.failing ==
        Texts{"failing broker ml/depth{}: no_value: no series; the target is down"});
}

TEST_CASE("a value that the fallback replaces an error with does not hide the failure") {
  Rig rig({MetricSpec{.policies = {.fallback = Fallback{.value = 20.0}}}});
  rig.script.replies.emplace("depth", kMissing);

  const auto value = rig.value();

  CHECK(value == std::variant<double, std::string>(20.0));
  CHECK(rig.events.failing == Texts{"failing broker ml/depth{}: unknown_object: no such queue"});
}

TEST_CASE("a metric recovers by the query of another one with the same query") {
  Rig rig({MetricSpec{}, MetricSpec{.name = "same", .namespaces = {"shop"}}});
  rig.script.replies.emplace("depth", kMissing);
  rig.value();

  rig.script.replies.clear();
  rig.clock.advance(15s);
  rig.value({"shop", "same", {}});

  REQUIRE(rig.events.failing.size() == 2);
  CHECK(rig.events.failing[1] == "recovered broker ml/depth{} after 15000");
}

TEST_CASE("an unknown metric and a refused selector are no failures of a metric") {
  Rig rig({per_queue()});

  rig.value({"ml", "deph", {}});
  rig.value({"ml", "depth", {{"quue", Operator::equals, {"a"}}}});

  CHECK(rig.events.failing.empty());
}

TEST_CASE("explanations report nothing") {
  Rig rig({MetricSpec{}});
  rig.script.replies.emplace("depth", kMissing);

  const auto explained =
      test::run(*rig.loop,
                rig.reader->explain({"ml", "depth", {}},
                                    Deadline::after(rig.clock.steady(), Duration{10'000})));

  CHECK(explained.has_value());
  CHECK(rig.events.failing.empty());
}

struct Site {
  bool fails(const std::string& name_space, const std::string& labels, SteadyTime at) {
    const auto* const due =
        reads.note({name_space, "depth", labels}, "key of " + labels, kMissing, false, false, at);
    return due != nullptr;
  }
  std::size_t lines(const std::string& name_space, int count, SteadyTime at) {
    std::size_t out = 0;
    for (int i = 0; i < count; ++i) out += fails(name_space, fmt::format("q={}", i), at) ? 1 : 0;
    return out;
  }

  FailingReads reads;
  SteadyTime now{1h};
};

TEST_CASE("a namespace with many failing parameter sets has few lines, and another one its own") {
  Site site;

  CHECK(site.lines("loud", 5000, site.now) == 20);
  CHECK(site.lines("quiet", 5, site.now) == 5);
  // What is left out is made up for by later reads, as lines become free.
  CHECK(site.lines("loud", 5000, site.now + 15s) == 5);
}

TEST_CASE("a namespace with many failing parameter sets forgets its own") {
  Site site;
  REQUIRE(site.fails("quiet", "q=0", site.now));
  for (int i = 0; i < 20; ++i) site.lines(fmt::format("loud-{}", i), 500, site.now);

  CHECK(site.reads.size() <= kMaxFailing);
  CHECK_FALSE(site.fails("quiet", "q=0", site.now + 1s));
}

TEST_CASE("the code of a failure is that of its last read, with a line or without") {
  Site site;
  const Error slow{Errc::timed_out, "no response", ""};
  // All lines of the namespace, and fewer failures than it may have.
  REQUIRE(site.lines("loud", 50, site.now) == 20);
  const auto code = [&](const Error& error) {
    const auto* const due =
        site.reads.note({"loud", "depth", "q=0"}, "key of q=0", error, false, false, site.now);
    CHECK(due == nullptr);
    std::optional<Errc> out;
    site.reads.for_each_current(site.now, [&](const FailingReads::Failure& failure) {
      if (failure.read.labels == "q=0") out = failure.error.code;
    });
    return out;
  };

  CHECK(code(slow) == Errc::timed_out);
  CHECK(code(kMissing) == Errc::unknown_object);
}

TEST_CASE("a failure without a line recovers without one") {
  Site site;
  site.lines("loud", 21, site.now);
  const auto all = [](const FailingRead&) { return true; };

  CHECK(site.reads.take_recovered("key of q=20", {}, all).empty());
  CHECK(site.reads.take_recovered("key of q=19", {}, all).size() == 1);
  CHECK(site.reads.size() == 19);
}

TEST_CASE("a read that nobody repeats is forgotten after ten minutes") {
  Site site;
  site.fails("ml", "q=1", site.now);
  site.fails("ml", "q=2", site.now + 9min);

  site.fails("ml", "q=3", site.now + 10min);

  CHECK(site.reads.size() == 2);
}

TEST_CASE("labels for people are bounded") {
  CHECK(text_of(Labels{{"queue", "orders"}, {"vhost", "/"}}) == "queue=orders,vhost=/");
  CHECK(text_of(Labels{{"queue", std::string(5000, 'x')}}).size() < 600);
  CHECK(text_of(std::vector<LabelRequirement>{{"job", Operator::in, {"a", "b"}},
                                              {"code", Operator::not_equals, {"200"}},
                                              {"up", Operator::exists, {}}}) ==
        "job in (a,b),code!=200,up");
}

}  // namespace
}  // namespace weir::scalers::read
