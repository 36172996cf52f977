#include "scalers/read/world.hpp"

#include "test/rigs/folder.hpp"
#include "test/rigs/nodes.hpp"
#include "test/rigs/shown.hpp"
#include "test/rigs/world_rig.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using test::Lines;
using test::Site;

// A configuration with the backend `prom` on line 1, and these metrics from line 2 on.
std::string with_metrics(std::string_view metrics) {
  return "{backends: {prom: {prometheus: {url: 'http://prom:9090'}}}, metrics: [\n" +
         std::string(metrics) + "\n]}";
}

struct Bad {
  std::string_view name;
  std::string text;
  Lines problems;
};

void check(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    Site site;

    const auto built = site.build({row.text});

    CHECK(built.world == nullptr);
    CHECK(built.problems == row.problems);
  }
}

TEST_CASE("a configuration becomes metrics in its order") {
  Site site;

  const auto built = site.build({with_metrics(
      "{name: b, namespaces: [ml, api], prometheus: {backend: prom, query: 'up{a=\"$(x)$(y)\"}'},"
      " labels: {y: 'a+', x: {pattern: 'b+', default: bb}}},"
      "{name: a, namespaces: ['*'], prometheus: {backend: prom, query: up}}")});

  CHECK(built.problems == Lines{});
  REQUIRE(built.world != nullptr);
  const auto& metrics = built.world->metrics();
  REQUIRE(metrics.size() == 2);
  CHECK(metrics[0].name == "b");
  CHECK(metrics[0].namespaces == Lines{"api", "ml"});
  REQUIRE(metrics[0].labels.size() == 2);
  CHECK(metrics[0].labels[0].name == "y");
  CHECK_FALSE(metrics[0].labels[0].has_default);
  CHECK(metrics[0].labels[1].name == "x");
  CHECK(metrics[0].labels[1].has_default);
  CHECK(metrics[0].labels[1].pattern == "b+");
  CHECK(metrics[1].namespaces == Lines{"*"});
}

struct SelectorRow {
  std::string_view name;
  std::vector<LabelRequirement> requirements;
  std::string_view refusal;  // empty: none
};

void check(const SelectorRow& row) {
  DYNAMIC_SECTION(row.name) {
    const MetricInfo metric{"depth",
                            {"ml"},
                            {{"queue", false, "[a-z]+"}, {"mode", true, "x|y"}},
                            "broker"};

    const auto refusal = selector_refusal(metric, row.requirements);

    CHECK((refusal ? refusal->message() : "") == row.refusal);
  }
}

TEST_CASE("a selector is checked as in a read, without a read") {
  using Operator = LabelRequirement::Operator;
  check({"bound", {{"queue", Operator::in, {"a", "b"}}}, ""});
  check({"nothing",
         {},
         "label queue has no value; write queue=VALUE in the selector (its pattern is [a-z]+)"});
  check({"another value",
         {{"queue", Operator::equals, {"A"}}},
         "value \"A\" of label queue does not match the pattern [a-z]+"});
  check({"another label",
         {{"quue", Operator::equals, {"a"}}},
         "label \"quue\" is not declared; this metric declares queue, mode"});
  check({"another operator",
         {{"queue", Operator::not_in, {"a"}}},
         "operator notin on label queue binds no value; write queue=VALUE or queue in (A,B)"});
}

TEST_CASE("documents are one configuration: a metric may use a later document's backend") {
  Site site;

  const auto built = site.build(
      {"{metrics: [{name: a, namespaces: [ml], prometheus: {backend: prom, query: up}}]}",
       "{backends: {prom: {prometheus: {url: 'https://prom'}}}}"});

  CHECK(built.problems == Lines{});
  CHECK(built.world != nullptr);
}

TEST_CASE("the state of a backend has its address, wherever its url is") {
  Site site;
  const test::Folder folder;
  const std::string url = folder.write("url", "redis://me:secret@cache.ml:7000/1\n");

  const auto built = site.build(
      {"{backends: {a: {prometheus: {url: 'https://prom.monitoring/prefix'}, maxInFlight: 3},"
       " b: {rabbitmq: {url: 'amqp://h', username: {file: " +
       url + "}, password: {file: " + url + "}}}, c: {redis: {url: 'redis://[::1]'}}," +
       " d: {redis: {sentinel: {service: s, nodes: ['x:1', 'y:2']}}}, e: {redis: {url: {file: " +
       url + "}}}}}"});

  CHECK(built.problems == Lines{});
  REQUIRE(built.world != nullptr);
  Lines addresses;
  for (const BackendState& state : built.world->backends())
    addresses.push_back(state.name + " " + state.address);
  CHECK(
      addresses ==
      Lines{"a prom.monitoring:443", "b h:5672", "c [::1]:6379", "d x:1, y:2", "e cache.ml:7000"});
}

TEST_CASE("a selector that filters needs no declared label") {
  MetricInfo metric{"depth", {"*"}, {}, "prom", false, true};

  CHECK_FALSE(selector_refusal(
      metric,
      std::vector<LabelRequirement>{{"queue", LabelRequirement::Operator::exists, {}}}));
}

// A query of the old world may fail after the reload: the log would have a backend_down that the
// new world never follows with backend_up.
TEST_CASE(
    "a backend that a reload does not change shares its health, and a new backend has its own") {
  Site site;
  const std::string both =
      "{backends: {prom: {prometheus: {url: 'http://prom:9090'}},"
      " other: {prometheus: {url: 'http://other:9090'}}}}";
  const auto before = site.build({with_metrics("")}).world->backends();

  const auto after = site.build({both}, before).world->backends();

  REQUIRE(after.size() == 2);
  CHECK(after[0].health == before[0].health);
  CHECK(after[1].health != nullptr);
  CHECK(after[1].health != before[0].health);
}

TEST_CASE("a backend with other settings begins in the health of its namesake, and has its own") {
  Site site;
  const auto before = site.build({with_metrics("")}).world->backends();
  const read::Answer failed{Error{Errc::unreachable, "", ""}, {}, {}, {}, {}};
  REQUIRE(before[0].health->observe(failed, SteadyTime{std::chrono::hours{1}}) ==
          read::BackendHealth::Change::down);

  const auto after =
      site.build({"{backends: {prom: {prometheus: {url: 'http://other:9090'}}}}"}, before)
          .world->backends();

  CHECK(after[0].health != before[0].health);
  CHECK(after[0].health->is_down());
}

TEST_CASE("an empty configuration is a valid world without metrics") {
  Site site;

  const auto none = site.build({});
  const auto empty = site.build({"{}"});

  REQUIRE(none.world != nullptr);
  CHECK(none.world->metrics().empty());
  REQUIRE(empty.world != nullptr);
  CHECK(empty.world->metrics().empty());
}

TEST_CASE("metrics with disjoint namespaces may share a name") {
  Site site;

  const auto built = site.build(
      {with_metrics("{name: a, namespaces: [ml], prometheus: {backend: prom, query: up}},"
                    "{name: a, namespaces: [web], prometheus: {backend: prom, query: up}}")});

  CHECK(built.problems == Lines{});
}

TEST_CASE("a world can read: an unknown metric is an error of its source") {
  Site site;
  const auto built = site.build({with_metrics(
      "{name: queue_depth, namespaces: [ml], prometheus: {backend: prom, query: up}}")});
  REQUIRE(built.world != nullptr);

  const auto readings = test::run(
      site.loop,
      built.world->source().read({"ml", "queue_dept", {}}, test::within(std::chrono::seconds{5})));

  CHECK(test::shown(readings) ==
        "unknown_metric: metric ml/queue_dept is not configured; did you mean \"queue_depth\"?");
}

TEST_CASE("a section of another form is an error") {
  const Bad rows[] = {
      {"the document is a list",
       "[a]",
       {"t.yaml:1:1: expected a map of settings for a configuration; found a list"}},
      {"an unknown section",
       "{metric: [a]}",
       {"t.yaml:1:2: unknown key \"metric\" in a configuration; did you mean \"metrics\"? Its "
        "keys are backends, metrics"}},
      {"backends is a list",
       "{backends: [a]}",
       {"t.yaml:1:12: backends is a map from a backend's name to its settings"}},
      {"backends is nothing",
       "{backends: ~}",
       {"t.yaml:1:12: backends is a map from a backend's name to its settings"}},
      {"metrics is a map",
       "{metrics: {a: b}}",
       {"t.yaml:1:11: metrics is a list: start each metric with a dash, as in - name: ..."}},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("a backend reports its missing settings") {
  const std::string kind =
      "a backend needs one block named after its kind: prometheus, rabbitmq, redis";
  const Bad rows[] = {
      {"no kind", "{backends: {prom: {}}}", {"t.yaml:1:19: " + kind}},
      {"an unknown kind",
       "{backends: {prom: {promtheus: {}}}}",
       {"t.yaml:1:19: " + kind,
        "t.yaml:1:20: unknown key \"promtheus\" in a backend; did you mean "
        "\"prometheus\"? Its keys are maxInFlight, maxWaiting, prometheus, "
        "rabbitmq, redis"}},
      {"a text",
       "{backends: {prom: x}}",
       {"t.yaml:1:19: expected a map of settings for a backend; found \"x\""}},
      {"two kinds",
       "{backends: {prom: {prometheus: {url: 'http://a'}, prometheus: {url: 'http://b'}}}}",
       {"t.yaml:1:51: duplicate key prometheus (first at 1:20)"}},
      {"the name twice",
       "{backends: {a: {prometheus: {url: 'http://a'}}, a: {prometheus: {url: 'http://b'}}}}",
       {"t.yaml:1:49: duplicate backend a (first at t.yaml:1); give each its own name"}},
      {"no limit at all",
       "{backends: {a: {maxInFlight: 0, prometheus: {url: 'http://a'}}}}",
       {"t.yaml:1:30: expected a whole number from 1 to 1000000; found \"0\""}},
      {"no url",
       "{backends: {a: {prometheus: {}}}}",
       {"t.yaml:1:29: a prometheus backend needs url: URL of the server, with the path before "
        "/api/v1 if there is one; from a file it may have USER:PASSWORD@"}},
      {"a password in the url",
       "{backends: {a: {prometheus: {url: 'http://me:s3cret@a'}}}}",
       {"t.yaml:1:35: a url must not contain a user or password; write username: {file: PATH} and "
        "password: "
        "{file: PATH}, or url: {file: PATH} for a file with the whole url"}},
      {"a token that is no file",
       "{backends: {a: {prometheus: {url: 'http://a', token: s3cret}}}}",
       {"t.yaml:1:54: expected {file: PATH}: secrets come from files only"}},
      {"tls without https",
       "{backends: {a: {prometheus: {url: 'http://a', tls: {}}}}}",
       {"t.yaml:1:52: tls needs a url with https://; this url begins with http://"}},
      {"HTTP/2 without https",
       "{backends: {a: {prometheus: {url: 'http://a', http2: true}}}}",
       {"t.yaml:1:54: http2 needs a url with https://; this url begins with http://"}},
      {"HTTP/2 of a management API without https",
       "{backends: {a: {rabbitmq: {url: 'http://a', username: {file: /proc/version}, password: "
       "{file: /proc/version}, http2: true}}}}",
       {"t.yaml:1:118: http2 needs a url with https://; this url begins with http://"}},
      {"HTTP/2 over AMQP",
       "{backends: {a: {rabbitmq: {url: 'amqps://a', username: {file: /proc/version}, password: "
       "{file: /proc/version}, http2: true}}}}",
       {"t.yaml:1:119: http2 needs a url with https://; this url begins with amqps://"}},
      {"a certificate without its key",
       "{backends: {a: {prometheus: {url: 'https://a', tls: {certificate: /dev/null}}}}}",
       {"t.yaml:1:53: certificate and key go together; write both or neither"}},
      {"an unknown method",
       "{backends: {a: {prometheus: {url: 'http://a', method: get}}}}",
       {"t.yaml:1:55: expected one of GET, POST; found \"get\""}},
      {"two headers Authorization",
       "{backends: {a: {prometheus: {url: 'http://a', token: {file: /proc/version}, headers: "
       "{authorization: {file: /proc/version}}}}}}",
       {"t.yaml:1:86: the header authorization and token are mutually exclusive; keep one"}},
      {"a token and auth",
       "{backends: {a: {prometheus: {url: 'http://a', token: {file: /proc/version}, auth: {google: "
       "{}}}}}}",
       {"t.yaml:1:83: auth and token are mutually exclusive; keep one of them"}},
      {"a user and auth",
       "{backends: {a: {prometheus: {url: 'http://a', username: {file: /proc/version}, password: "
       "{file: /proc/version}, auth: {google: {}}}}}}",
       {"t.yaml:1:119: auth and username are mutually exclusive; keep one of them"}},
      {"a header and auth",
       "{backends: {a: {prometheus: {url: 'http://a', auth: {google: {}}, headers: "
       "{Authorization: {file: /proc/version}}}}}}",
       {"t.yaml:1:76: the header Authorization and auth are mutually exclusive; keep one"}},
      {"a header that is none",
       "{backends: {a: {prometheus: {url: 'http://a', headers: {'X A': b}}}}}",
       {"t.yaml:1:57: \"X A\" is not a valid header name"}},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("the default of a label may be an empty text, and a pattern still bounds it") {
  const auto labelled = [](std::string_view label) {
    return with_metrics("{name: a, namespaces: [ml], labels: {q: " + std::string(label) +
                        "}, prometheus: {backend: prom, query: 'up{a=\"$(q)\"}'}}");
  };
  Site site;

  const auto built = site.build({labelled("{pattern: 'a*', default: ''}")});

  REQUIRE(built.problems.empty());
  CHECK(built.world->metrics()[0].labels[0].has_default);
  CHECK(site.build({labelled("{pattern: 'a+', default: ''}")}).problems ==
        Lines{"t.yaml:2:41: the default \"\" does not match the pattern a+"});
}

// Field report 7: an HPA reads both in lower case, whatever their namespaces are.
TEST_CASE("two metrics whose names differ in case alone are a problem") {
  check(
      {"disjoint namespaces",
       with_metrics("{name: Depth, namespaces: [a], prometheus: {backend: prom, query: up}},\n"
                    "{name: depth, namespaces: [b], prometheus: {backend: prom, query: up}}"),
       {"t.yaml:3:1: the metric depth differs from Depth (first at t.yaml:2) in case alone, and an "
        "HPA reads both in lower case; use one spelling"}});
}

}  // namespace
}  // namespace weir::scalers
