// Settings tables: keys, requirements, secrets, and the order in which problems are listed.
#include "scalers/settings/table.hpp"
#include "test/rigs/nodes.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using Lines = std::vector<std::string>;

struct Depth {
  std::string queue;
  std::string vhost = "/";
  Duration every{1000};
  Url url;
  SecretFile password;
  FilePath ca;
  std::map<std::string, std::string> headers;
};

constexpr std::array kTable{
    required_setting<&Depth::queue>("queue", "the queue's name"),
    setting<&Depth::vhost>("virtualHost", "the virtual host"),
    setting<&Depth::every>("every", "how often"),
    setting<&Depth::url>("url", "where"),
    setting<&Depth::password>("password", "file with the password"),
    setting<&Depth::ca>("ca", "PEM bundle"),
    setting<&Depth::headers>("headers", "more headers"),
};

struct Row {
  std::string_view name;
  std::string text;
  Lines problems;
};

Lines problems_of(const std::string& text) {
  Depth settings;
  Problems problems;
  read_settings(test::node(text), kTable, "depth", settings, problems);
  return problems.all_lines();
}

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) { CHECK(problems_of(row.text) == row.problems); }
}

TEST_CASE("a block fills its struct, and other fields have their defaults") {
  Depth settings;
  Problems problems;

  read_settings(test::node("{queue: q, every: 2s, url: 'http://h', headers: {a: b}}"),
                kTable,
                "depth",
                settings,
                problems);

  CHECK(problems.empty());
  CHECK(settings.queue == "q");
  CHECK(settings.vhost == "/");
  CHECK(settings.every == Duration{2000});
  CHECK(settings.url.text() == "http://h:80");
  CHECK_FALSE(settings.password.is_set());
  CHECK(settings.headers == std::map<std::string, std::string>{{"a", "b"}});
}

TEST_CASE("an unknown, duplicate or missing key is a problem that says what to write") {
  const std::string names = " keys are queue, virtualHost, every, url, password, ca, headers";
  const std::string keys = "; its" + names;
  const std::string after_guess = " Its" + names;
  const Row rows[] = {
      {"a typing error",
       "{queue: q, virtulHost: v}",
       {"t.yaml:1:12: unknown key \"virtulHost\" in a depth; did you mean \"virtualHost\"?" +
        after_guess}},
      {"letter case",
       "{Queue: q}",
       {"t.yaml:1:1: a depth needs queue: the queue's name",
        "t.yaml:1:2: unknown key \"Queue\" in a depth; did you mean \"queue\"?" + after_guess}},
      {"another way to write it",
       "{queue: q, virtual_host: v}",
       {"t.yaml:1:12: unknown key \"virtual_host\" in a depth; did you mean \"virtualHost\"?" +
        after_guess}},
      {"like nothing",
       "{queue: q, mode: v}",
       {"t.yaml:1:12: unknown key \"mode\" in a depth" + keys}},
      {"the empty key", "{queue: q, '': v}", {"t.yaml:1:12: unknown key \"\" in a depth" + keys}},
      {"twice", "{queue: q, queue: r}", {"t.yaml:1:12: duplicate key queue (first at 1:2)"}},
      {"three times",
       "{queue: q, queue: r, queue: s}",
       {"t.yaml:1:12: duplicate key queue (first at 1:2)",
        "t.yaml:1:22: duplicate key queue (first at 1:2)"}},
      {"missing", "{}", {"t.yaml:1:1: a depth needs queue: the queue's name"}},
      {"a key twice in a map of texts",
       "{queue: q, headers: {a: b, a: c}}",
       {"t.yaml:1:28: duplicate key a (first at 1:22)"}},
      {"a list", "[queue]", {"t.yaml:1:1: expected a map of settings for a depth; found a list"}},
      {"nothing", "~", {"t.yaml:1:1: expected a map of settings for a depth; found nothing"}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a secret that was written by mistake is not in the error") {
  const std::string expected = "expected {file: PATH}: secrets come from files only";
  const Row rows[] = {
      {"the secret itself", "{queue: q, password: s3cret}", {"t.yaml:1:22: " + expected}},
      {"in quotes", "{queue: q, password: 's3cret'}", {"t.yaml:1:22: " + expected}},
      {"in a list", "{queue: q, password: [s3cret]}", {"t.yaml:1:22: " + expected}},
      {"under another key", "{queue: q, password: {value: s3cret}}", {"t.yaml:1:22: " + expected}},
      {"beside the file",
       "{queue: q, password: {file: /etc/hostname, value: s3cret}}",
       {"t.yaml:1:22: " + expected}},
      {"a list of files", "{queue: q, password: {file: [s3cret]}}", {"t.yaml:1:22: " + expected}},
      {"nothing", "{queue: q, password: ~}", {"t.yaml:1:22: " + expected}},
      {"a file that is missing",
       "{queue: q, password: {file: /no/such}}",
       {"t.yaml:1:29: the credential file /no/such cannot be read: No such file or directory"}},
      {"a file that is empty",
       "{queue: q, password: {file: /dev/null}}",
       {"t.yaml:1:29: the credential file /dev/null is empty"}},
      {"in a url",
       "{queue: q, url: 'http://me:s3cret@h'}",
       {"t.yaml:1:17: a url must not contain a user or password; write username: {file: PATH} and "
        "password: "
        "{file: PATH}, or url: {file: PATH} for a file with the whole url"}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a named secret file has to exist") {
  const Row rows[] = {
      {"missing", "{queue: q, ca: /no/such.pem}", {"t.yaml:1:16: there is no file /no/such.pem"}},
      {"a folder", "{queue: q, ca: /tmp}", {"t.yaml:1:16: there is no file /tmp"}},
      {"empty", "{queue: q, ca: ''}", {"t.yaml:1:16: expected text; found \"\""}},
      {"a list", "{queue: q, ca: [a]}", {"t.yaml:1:16: expected text; found a list"}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("all problems of a block are reported at once, in the order of the file") {
  CHECK(problems_of("{every: 5,\n urk: x, ca: /no/such,\n password: s3cret, every: 1s}") ==
        Lines{"t.yaml:1:1: a depth needs queue: the queue's name",
              "t.yaml:1:9: expected a duration above zero with its unit, such as 500ms, 5s or 2m; "
              "found \"5\"",
              "t.yaml:2:2: unknown key \"urk\" in a depth; did you mean \"url\"? Its keys are "
              "queue, virtualHost, every, url, password, ca, headers",
              "t.yaml:2:14: there is no file /no/such",
              "t.yaml:3:12: expected {file: PATH}: secrets come from files only",
              "t.yaml:3:20: duplicate key every (first at 1:2)"});
}

TEST_CASE("problems are listed in the order of files, lines and columns, numbers by their size") {
  Problems problems;
  problems.add({"b.yaml", 1, 1}, "5");
  problems.add({"a.yaml", 10, 1}, "4");
  problems.add({"a.yaml", 2, 10}, "3");
  problems.add({"a.yaml", 2, 9}, "2");
  problems.add({"a.yaml", 0, 0}, "1, without a place");

  CHECK(problems.size() == 5);
  CHECK(problems.lines() == Lines{"a.yaml: 1, without a place",
                                  "a.yaml:2:9: 2",
                                  "a.yaml:2:10: 3",
                                  "a.yaml:10:1: 4",
                                  "b.yaml:1:1: 5"});
}

TEST_CASE("a table describes itself") {
  const auto docs = docs_of<Depth>(kTable);

  REQUIRE(docs.size() == 7);
  CHECK(docs[0].name == "queue");
  CHECK(docs[0].type == "text");
  CHECK(docs[0].is_required);
  CHECK(docs[1].default_text() == "/");
  CHECK(docs[2].default_text() == "1s");
  CHECK(docs[3].default_text().empty());
  CHECK_FALSE(docs[1].is_required);
  CHECK(docs[2].type == "duration (500ms, 5s, 2m)");
  CHECK(docs[3].type == "url");
  CHECK(docs[4].type == "{file: PATH}");
  CHECK(docs[5].type == "path");
  CHECK(docs[6].type == "map of texts");
}

}  // namespace
}  // namespace weir::scalers
