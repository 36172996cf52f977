#include "scalers/backends/prometheus/findings.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

using test::shown;

const std::vector<std::string> kHidden{"secret-token"};

std::string success(std::string_view data) {
  return R"({"status":"success","data":)" + std::string(data) + "}";
}

TEST_CASE("series are counted by the values of a label") {
  const auto counts = parse_counts(
      200,
      success(
          R"({"result":[{"metric":{"job":"a"},"value":[1,"2"]},{"metric":{},"value":[1,"3"]}]})"),
      "job",
      {});

  REQUIRE(counts.has_value());
  CHECK(*counts == Counts{{"", 3}, {"a", 2}});
}

TEST_CASE("what is no answer of the query API counts nothing") {
  struct Row {
    std::string_view name;
    long status;
    std::string body;
    std::string error;
  };
  const Row rows[] = {
      {"no JSON", 200, "<html>", "bad_reply: HTTP 200"},
      {"a list", 200, "[]", "bad_reply: HTTP 200"},
      {"an error",
       422,
       R"({"status":"error","error":"no secret-token at 10.0.0.1:9090"})",
       "bad_reply: HTTP 422 <no [hidden] at [hidden]>"},
      {"no data", 200, R"({"status":"success"})", "bad_reply: HTTP 200"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(shown(parse_counts(row.status, row.body, "", kHidden)) == row.error);
    }
  }
  CHECK(parse_counts(200, success(R"({"result":[1,{"metric":2,"value":[1]}]})"), "a", {}).value() ==
        Counts{{"", 0}});
  CHECK(parse_counts(200, success("7"), "a", {}).value().empty());
}

TEST_CASE("names come as a list of texts") {
  CHECK(parse_names(200, success(R"(["a",1,"b"])")).value() == std::vector<std::string>{"a", "b"});
  CHECK(shown(parse_names(200, success("{}"))) == "bad_reply: no list of names");
}

const std::string kTargets = success(R"({"activeTargets":[
 {"labels":{"job":"up","instance":"10.0.0.1:1"},"scrapePool":"up","health":"up","lastError":""},
 {"labels":{"job":"half","instance":"10.0.0.1:1"},"scrapePool":"half","health":"up","lastError":""},
 {"labels":{"job":"half","instance":"10.0.0.2:1"},"scrapePool":"half","health":"down","lastError":"Get \"http://10.0.0.2:1/metrics\": secret-token refused"},
 {"labels":{"job":"down","instance":"10.0.0.3:1"},"scrapePool":"down","health":"down","lastError":"EOF"},
 {"labels":{"job":"new","instance":"10.0.0.3:1"},"scrapePool":"new","health":"unknown","lastError":""},
 {"labels":{"job":"worker","instance":"10.0.0.4:1"},"scrapePool":"source","health":"up","lastError":""}],
 "droppedTargets":[{"discoveredLabels":{"job":"dropped"}},{"discoveredLabels":{"job":"dropped"}},{"discoveredLabels":{"job":"up"}},{"discoveredLabels":{"job":"one-dropped"}},{}]})");

// Before the dropped targets are asked for.
Jobs active_jobs() {
  auto jobs = parse_targets(200, kTargets);
  REQUIRE(jobs.has_value());
  add_pools(200, success(R"({"scrapePools":["up","idle",3]})"), *jobs);
  add_pools(200, success(R"({"scrapePools":["broker:5672"]})"), *jobs);
  add_pools(404, "404 page not found", *jobs);
  return *jobs;
}

Jobs known_jobs() { return with_dropped(200, kTargets, active_jobs()).value(); }

TEST_CASE("each state of a scrape job has its own words") {
  struct Row {
    std::string_view name;
    std::string job;
    std::string verdict;
  };
  const Row rows[] = {
      {"up", "up", R"(scrape job "up" has 1 of 1 targets up)"},
      {"partly up",
       "half",
       R"(scrape job "half" has 1 of 2 targets up (last error: Get "[hidden]": [hidden] refused))"},
      {"down", "down", R"(the only target of scrape job "down" is not up (last error: EOF))"},
      {"not scraped yet",
       "new",
       R"(the only target of scrape job "new" is not up (it was not scraped yet))"},
      {"another label",
       "source",
       R"(relabelling gives the targets of scrape job "source" the label job="worker")"},
      {"dropped", "dropped", R"(relabelling drops all 2 targets of scrape job "dropped")"},
      {"one dropped",
       "one-dropped",
       R"(relabelling drops the only target of scrape job "one-dropped")"},
      {"without targets", "idle", R"(scrape job "idle" finds no targets)"},
      {"misspelt as a host",
       "broker:567",
       R"(no scrape job is named "[hidden]"; did you mean "[hidden]"?)"},
      {"misspelt", "workr", R"(no scrape job is named "workr"; did you mean "worker"?)"},
      {"unknown",
       "inference",
       R"(no scrape job is named "inference"; those there are: "[hidden]" (0 of 0 up), "down" (0 of 1 up), "dropped" (0 of 0 up), "half" (1 of 2 up), "idle" (0 of 0 up), ...)"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(verdict_of(row.job, known_jobs(), kHidden) == row.verdict); }
  }
  CHECK(verdict_of("a", {}, {}) == R"(no scrape job is named "a"; those there are: none)");
}

TEST_CASE("nothing is said of dropped targets that are not known") {
  CHECK(verdict_of("idle", active_jobs(), {}) == R"(scrape job "idle" has no active target)");
  CHECK(active_jobs().at("up").dropped == 0);
  CHECK(shown(with_dropped(404, "404 page not found", active_jobs())) == "bad_reply: HTTP 404");
}

TEST_CASE("dropped targets are asked for when a job has no others") {
  const Jobs jobs = active_jobs();

  CHECK(may_be_dropped("idle", jobs));
  CHECK(may_be_dropped("inference", jobs));
  CHECK(may_be_dropped("", jobs));
  CHECK_FALSE(may_be_dropped("down", jobs));
  CHECK_FALSE(may_be_dropped("source", jobs));
  CHECK_FALSE(may_be_dropped("", {{"up", jobs.at("up")}}));
}

TEST_CASE("a scrape job is whole with targets that are all up") {
  const Jobs jobs = known_jobs();

  CHECK(is_whole("up", jobs));
  CHECK_FALSE(is_whole("half", jobs));
  CHECK_FALSE(is_whole("idle", jobs));
  CHECK_FALSE(is_whole("inference", jobs));
  CHECK(has_target_up("half", jobs));
  CHECK_FALSE(has_target_up("down", jobs));
  CHECK_FALSE(has_target_up("inference", jobs));
}

TEST_CASE("troubles are the jobs with targets down or dropped") {
  Jobs jobs = known_jobs();
  jobs.erase("half");
  jobs.erase("new");
  jobs.erase("one-dropped");

  CHECK(
      troubles_of(jobs, kHidden) ==
      R"(the only target of scrape job "down" is not up (last error: EOF); relabelling drops all 2 targets of scrape job "dropped")");
  jobs.erase("down");
  jobs.erase("dropped");
  CHECK(troubles_of(jobs, {}).empty());
}

TEST_CASE("targets that are no list are none") {
  const std::string body = success(R"({"activeTargets":7,"droppedTargets":[1]})");

  CHECK(parse_targets(200, body).value().empty());
  CHECK(with_dropped(200, body, {}).value().empty());
  CHECK(shown(parse_targets(404, "404 page not found")) == "bad_reply: HTTP 404");
}

TEST_CASE("label values are listed without those that have none, and without secrets") {
  CHECK(listed(Counts{{"", 1}, {"a", 1}, {"10.0.0.1:80", 1}, {"secret-token", 1}}, kHidden) ==
        R"("10.0.0.1:80", "a", "[hidden]")");
  CHECK(near_value("gpt5", {{"gpt4", 1}, {"llama", 1}}, {}) == R"(; did you mean "gpt4"?)");
}

TEST_CASE("no more than 20 label values are listed") {
  Counts counts;
  for (char c = 'a'; c <= 'u'; ++c) counts[std::string(1, c)] = 1;

  const std::string shown = listed(counts, {});

  CHECK(shown.starts_with(R"("a", "b", )"));
  CHECK(shown.ends_with(R"(, "t", ...)"));
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
