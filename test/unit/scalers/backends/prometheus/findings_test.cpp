#include "scalers/backends/prometheus/findings.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

using test::shown;

const std::vector<std::string> kRedactions{"secret-token"};

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

TEST_CASE("a response that is not from the query API is an error") {
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
      CHECK(shown(parse_counts(row.status, row.body, "", kRedactions)) == row.error);
    }
  }
  CHECK(parse_counts(200, success(R"({"result":[1,{"metric":2,"value":[1]}]})"), "a", {}).value() ==
        Counts{{"", 0}});
  CHECK(parse_counts(200, success("7"), "a", {}).value().empty());
}

TEST_CASE("names are a list of strings") {
  CHECK(parse_names(200, success(R"(["a",1,"b"])")).value() == std::vector<std::string>{"a", "b"});
  CHECK(shown(parse_names(200, success("{}"))) == "bad_reply: the response is not a list of names");
}

const std::string kTargets = success(R"({"activeTargets":[
 {"labels":{"job":"up","instance":"10.0.0.1:1"},"scrapePool":"up","health":"up","lastError":""},
 {"labels":{"job":"half","instance":"10.0.0.1:1"},"scrapePool":"half","health":"up","lastError":""},
 {"labels":{"job":"half","instance":"10.0.0.2:1"},"scrapePool":"half","health":"down","lastError":"Get \"http://10.0.0.2:1/metrics\": secret-token refused"},
 {"labels":{"job":"down","instance":"10.0.0.3:1"},"scrapePool":"down","health":"down","lastError":"EOF"},
 {"labels":{"job":"new","instance":"10.0.0.3:1"},"scrapePool":"new","health":"unknown","lastError":""},
 {"labels":{"job":"worker","instance":"10.0.0.4:1"},"scrapePool":"source","health":"up","lastError":""}],
 "droppedTargets":[{"discoveredLabels":{"job":"dropped"}},{"discoveredLabels":{"job":"dropped"}},{"discoveredLabels":{"job":"up"}},{"discoveredLabels":{"job":"one-dropped"}},{}]})");

// Before the query for dropped targets.
Jobs active_jobs() {
  auto jobs = parse_targets(200, kTargets);
  REQUIRE(jobs.has_value());
  add_pools(200, success(R"({"scrapePools":["up","idle",3]})"), *jobs);
  add_pools(200, success(R"({"scrapePools":["broker:5672"]})"), *jobs);
  add_pools(404, "404 page not found", *jobs);
  return *jobs;
}

Jobs all_jobs() { return with_dropped(200, kTargets, active_jobs()).value(); }

TEST_CASE("each state of a scrape job has its own text") {
  struct Row {
    std::string_view name;
    std::string job;
    std::string text;
  };
  const Row rows[] = {
      {"up", "up", R"(scrape job "up" has 1 of 1 targets up)"},
      {"partly up",
       "half",
       R"(scrape job "half" has 1 of 2 targets up (last error: Get "[hidden]": [hidden] refused))"},
      {"down", "down", R"(the only target of scrape job "down" is not up (last error: EOF))"},
      {"not scraped yet",
       "new",
       R"(the only target of scrape job "new" is not up (not scraped yet))"},
      {"another label",
       "source",
       R"(relabeling gives the targets of scrape job "source" the label job="worker")"},
      {"dropped", "dropped", R"(relabeling drops all 2 targets of scrape job "dropped")"},
      {"one dropped",
       "one-dropped",
       R"(relabeling drops the only target of scrape job "one-dropped")"},
      {"without targets", "idle", R"(scrape job "idle" discovers no targets)"},
      {"misspelled as a host",
       "broker:567",
       R"(scrape job "[hidden]" does not exist; did you mean "[hidden]"?)"},
      {"misspelled", "workr", R"(scrape job "workr" does not exist; did you mean "worker"?)"},
      {"unknown",
       "inference",
       R"(scrape job "inference" does not exist; existing scrape jobs: "[hidden]" (0 of 0 up), "down" (0 of 1 up), "dropped" (0 of 0 up), "half" (1 of 2 up), "idle" (0 of 0 up), ...)"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(describe_job(row.job, all_jobs(), kRedactions) == row.text); }
  }
  CHECK(describe_job("a", {}, {}) ==
        R"(scrape job "a" does not exist; existing scrape jobs: none)");
}

TEST_CASE("dropped targets are not mentioned before their query") {
  CHECK(describe_job("idle", active_jobs(), {}) == R"(scrape job "idle" has no active target)");
  CHECK(active_jobs().at("up").dropped == 0);
  CHECK(shown(with_dropped(404, "404 page not found", active_jobs())) ==
        "bad_reply: HTTP 404 <404 page not found>");
}

TEST_CASE("dropped targets are queried when a job has no others") {
  const Jobs jobs = active_jobs();

  CHECK(may_be_dropped("idle", jobs));
  CHECK(may_be_dropped("inference", jobs));
  CHECK(may_be_dropped("", jobs));
  CHECK_FALSE(may_be_dropped("down", jobs));
  CHECK_FALSE(may_be_dropped("source", jobs));
  CHECK_FALSE(may_be_dropped("", {{"up", jobs.at("up")}}));
}

TEST_CASE("a scrape job is healthy when it has targets and all are up") {
  const Jobs jobs = all_jobs();

  CHECK(are_all_up("up", jobs));
  CHECK_FALSE(are_all_up("half", jobs));
  CHECK_FALSE(are_all_up("idle", jobs));
  CHECK_FALSE(are_all_up("inference", jobs));
  CHECK(has_target_up("half", jobs));
  CHECK_FALSE(has_target_up("down", jobs));
  CHECK_FALSE(has_target_up("inference", jobs));
}

TEST_CASE("unhealthy jobs are those with targets down or dropped") {
  Jobs jobs = all_jobs();
  jobs.erase("half");
  jobs.erase("new");
  jobs.erase("one-dropped");

  CHECK(
      describe_unhealthy_jobs(jobs, kRedactions) ==
      R"(the only target of scrape job "down" is not up (last error: EOF); relabeling drops all 2 targets of scrape job "dropped")");
  jobs.erase("down");
  jobs.erase("dropped");
  CHECK(describe_unhealthy_jobs(jobs, {}).empty());
}

TEST_CASE("targets that are not a list are ignored") {
  const std::string body = success(R"({"activeTargets":7,"droppedTargets":[1]})");

  CHECK(parse_targets(200, body).value().empty());
  CHECK(with_dropped(200, body, {}).value().empty());
  CHECK(shown(parse_targets(403, R"({"message":"secret-token may not"})", kRedactions)) ==
        "bad_reply: HTTP 403 <[hidden] may not>");
}

TEST_CASE("label values are listed without the empty one and without secrets") {
  CHECK(listed(Counts{{"", 1}, {"a", 1}, {"10.0.0.1:80", 1}, {"secret-token", 1}}, kRedactions) ==
        R"("10.0.0.1:80", "a", "[hidden]")");
  CHECK(similar_value("gpt5", {{"gpt4", 1}, {"llama", 1}}, {}) == R"(; did you mean "gpt4"?)");
  CHECK(similar_value("a", {{"", 1}}, {}).empty());
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
