// What a metric's entry may say: each problem with its place and its exact words.
#include "scalers/read/world.hpp"
#include "test/rigs/kind_names.hpp"
#include "test/rigs/nodes.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using Lines = std::vector<std::string>;

// The problems of a configuration with the backend `prom` on line 1 and these metrics from line 2.
Lines problems_of(std::string_view metrics) {
  test::FakeClock clock;
  test::ReadEvents events;
  Loop loop;
  Clients clients(loop);
  Problems problems;
  const Node document =
      test::node("{backends: {prom: {prometheus: {url: 'http://prom:9090'}}}, metrics: [\n" +
                 std::string(metrics) + "\n]}");
  const auto world = World::build(std::span(&document, 1), loop, clients, clock, events, problems);
  CHECK((world == nullptr) == !problems.empty());
  return problems.lines();
}

struct Row {
  std::string_view name;
  std::string metrics;
  Lines problems;
};

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) { CHECK(problems_of(row.metrics) == row.problems); }
}

// A metric whose entry begins with `common`, at line 2.
std::string metric(const std::string& common) {
  return "{" + common + ", prometheus: {backend: prom, query: up}}";
}
std::string named(const std::string& name) {
  return metric("name: " + name + ", namespaces: [ml]");
}
std::string in_namespaces(const std::string& list) {
  return metric("name: a, namespaces: " + list);
}
std::string with(const std::string& setting) {
  return metric("name: a, namespaces: [ml], " + setting);
}
std::string with_labels(const std::string& labels, const std::string& query) {
  return "{name: a, namespaces: [ml], labels: " + labels +
         ", prometheus: {backend: prom, query: '" + query + "'}}";
}
std::string asking(const std::string& block) {
  return "{name: a, namespaces: [ml], prometheus: " + block + "}";
}

TEST_CASE("a metric without a fault has no problem") {
  const Row rows[] = {
      {"the least", named("a"), {}},
      {"everything",
       with("freshness: 1s, deadline: 30s, empty: 0, nan: -1.5, negative: allow"),
       {}},
      {"every policy",
       with("clamp: {min: 1, max: 100}, zeroAtOrBelow: 10, fallback: {after: 45s, hold: 2m}, "
            "settle: 30s"),
       {}},
      {"a clamp with one bound, a fallback with a value",
       with("clamp: {max: 100}, fallback: {after: 45s, value: 20}"),
       {}},
      {"a fallback of the 0 that zeroAtOrBelow reports, too",
       with("clamp: {min: 1}, zeroAtOrBelow: 5, fallback: {after: 45s, value: 0}"),
       {}},
      {"bounds below zero where that is allowed", with("clamp: {min: -5}, negative: allow"), {}},
      {"maxAge and ageOf",
       asking("{backend: prom, query: up, maxAge: 1m, ageOf: 'up{job=\"a\"}'}"),
       {}},
      {"a label with a pattern", with_labels("{q: 'a+'}", "up{q=\"$(q)\"}"), {}},
      {"a label with a default",
       with_labels("{q: {pattern: 'a+', default: aa}}", "up{q=\"$(q)\"}"),
       {}},
      {"a name with a dot", named("a.b"), {}},
      {"three dots", named("..."), {}},
      {"aggregate and warnings",
       asking("{backend: prom, query: up, aggregate: max, warnings: allow}"),
       {}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a metric's name has to be valid in a url") {
  const std::string reserved = " is reserved: Kubernetes reads it as a part of the namespace";
  const std::string path = " is not valid in a url path; do not use /, % or the names . and ..";
  const Row rows[] = {
      {"status", named("status"), {"t.yaml:2:8: the name status" + reserved}},
      {"finalize", named("finalize"), {"t.yaml:2:8: the name finalize" + reserved}},
      {"a dot", named("."), {"t.yaml:2:8: the name \".\"" + path}},
      {"two dots", named(".."), {"t.yaml:2:8: the name \"..\"" + path}},
      {"a percent sign", named("x%y"), {"t.yaml:2:8: the name \"x%y\"" + path}},
      {"a slash", named("x/y"), {"t.yaml:2:8: the name \"x/y\"" + path}},
      {"empty", named("''"), {"t.yaml:2:8: expected text; found \"\""}},
      {"a list", named("[a]"), {"t.yaml:2:8: expected text; found a list"}},
      {"none",
       metric("namespaces: [ml]"),
       {"t.yaml:2:1: a metric needs name: what the HPA writes in external.metric.name"}},
      {"twice",
       metric("name: a, name: b, namespaces: [ml]"),
       {"t.yaml:2:11: duplicate key name (first at 2:2)"}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a metric lists its namespaces, and no two entries serve the same namespace") {
  const std::string form = " is not a namespace: lower-case letters, digits and -";
  const std::string overlap =
      "duplicate metric a (first at t.yaml:2): their namespaces overlap; metrics may share a name "
      "only with disjoint namespaces";
  const auto twice = [](const std::string& one, const std::string& other) {
    return in_namespaces(one) + ",\n" + in_namespaces(other);
  };
  const Row rows[] = {
      {"none",
       metric("name: a"),
       {"t.yaml:2:1: a metric needs namespaces: the namespaces whose HPAs may read the metric, "
        "such as "
        "[ml-inference], or ['*'] for all"}},
      {"an empty list",
       in_namespaces("[]"),
       {"t.yaml:2:23: expected a list of texts, such as [a, b]; found a list"}},
      {"a text",
       in_namespaces("ml"),
       {"t.yaml:2:23: expected a list of texts, such as [a, b]; found \"ml\""}},
      {"'*' with others",
       in_namespaces("[ml, '*']"),
       {"t.yaml:2:23: '*' means every namespace: write it alone"}},
      {"upper case", in_namespaces("[ML]"), {"t.yaml:2:24: \"ML\"" + form}},
      {"a pattern", in_namespaces("['ml-*']"), {"t.yaml:2:24: \"ml-*\"" + form}},
      {"a dash first", in_namespaces("[-ml]"), {"t.yaml:2:24: \"-ml\"" + form}},
      {"a dot", in_namespaces("[ml.x]"), {"t.yaml:2:24: \"ml.x\"" + form}},
      {"64 bytes",
       in_namespaces("[" + std::string(64, 'a') + "]"),
       {"t.yaml:2:24: \"" + std::string(64, 'a') + "\"" + form}},
      {"the same name and namespace", twice("[ml]", "[ml]"), {"t.yaml:3:1: " + overlap}},
      {"one namespace of many", twice("[api, ml]", "[ml, web]"), {"t.yaml:3:1: " + overlap}},
      {"all, then one", twice("['*']", "[ml]"), {"t.yaml:3:1: " + overlap}},
      {"one, then all", twice("[ml]", "['*']"), {"t.yaml:3:1: " + overlap}},
      {"all twice", twice("['*']", "['*']"), {"t.yaml:3:1: " + overlap}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a metric's common settings are checked") {
  const std::string all =
      " keys are name, namespaces, freshness, deadline, empty, nan, negative, clamp, "
      "zeroAtOrBelow, fallback, settle, labels, " +
      test::kind_names();
  const std::string duration =
      "expected a duration above zero with its unit, such as 500ms, 5s or 2m; found ";
  const Row rows[] = {
      {"deadline over 30 s", with("deadline: 30001ms"), {"t.yaml:2:39: a deadline is at most 30s"}},
      {"deadline of nothing", with("deadline: 0s"), {"t.yaml:2:39: " + duration + "\"0s\""}},
      {"deadline without a unit", with("deadline: 2"), {"t.yaml:2:39: " + duration + "\"2\""}},
      {"freshness of nothing", with("freshness: ~"), {"t.yaml:2:40: " + duration + "nothing"}},
      {"empty: zero",
       with("empty: zero"),
       {"t.yaml:2:36: expected error, or a number to report instead; found \"zero\""}},
      {"nan: .inf",
       with("nan: .inf"),
       {"t.yaml:2:34: expected error, or a number to report instead; found \".inf\""}},
      {"nan in quotes",
       with("nan: '0'"),
       {"t.yaml:2:34: expected error, or a number to report instead; found \"0\""}},
      {"negative: 0",
       with("negative: 0"),
       {"t.yaml:2:39: expected one of error, zero, allow; found \"0\""}},
      {"a mistyped key",
       with("freshnes: 1s"),
       {R"(t.yaml:2:29: unknown key "freshnes" in a metric; did you mean "freshness"? Its)" + all}},
      {"a key like nothing",
       with("interval: 1s"),
       {"t.yaml:2:29: unknown key \"interval\" in a metric; its" + all}},
      {"a text", "x", {"t.yaml:2:1: expected a map of settings for a metric; found \"x\""}},
      {"a number below zero without negative: allow",
       with("empty: -1"),
       {"t.yaml:2:1: a number below zero for empty, nan, clamp or fallback needs negative: allow, "
        "because an HPA would scale to maxReplicas on it"}},
      {"a number that no HPA can read",
       with("nan: 1e300"),
       {"t.yaml:2:34: the number must be below 9.2e15, the largest value an HPA can read"}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a policy that could never have an effect is an error") {
  const std::string below_zero =
      "t.yaml:2:1: a number below zero for empty, nan, clamp or fallback needs negative: allow, "
      "because an HPA would scale to maxReplicas on it";
  const std::string one_of =
      "t.yaml:2:39: fallback needs hold or value, and not both: write {after: 45s, hold: 2m} or "
      "{after: 45s, value: NUMBER}";
  const std::string all_zero =
      "t.yaml:2:44: zeroAtOrBelow makes every value 0: clamp reports nothing above its max, which "
      "is not larger; raise max or remove one of them";
  const std::string together =
      "t.yaml:2:41: maxAge and ageOf go together; write both, as in maxAge: 1m, ageOf: "
      "'jobs_waiting{queue=\"a\"}'";
  const Row rows[] = {
      {"an empty clamp",
       with("clamp: {}"),
       {"t.yaml:2:36: clamp needs min, max or both: write {min: NUMBER, max: NUMBER}"}},
      {"a clamp of a number",
       with("clamp: 5"),
       {"t.yaml:2:36: expected a map of settings for a clamp; found \"5\""}},
      {"min above max",
       with("clamp: {min: 5, max: 4}"),
       {"t.yaml:2:36: clamp has a min above its max; exchange them"}},
      {"a bound that no HPA can read",
       with("clamp: {max: 1e300}"),
       {"t.yaml:2:36: a bound of clamp is below 9.2e15, the most an HPA can read"}},
      {"a bound below zero", with("clamp: {min: -1}"), {below_zero}},
      {"a mistyped bound",
       with("clamp: {mx: 1}"),
       {"t.yaml:2:37: unknown key \"mx\" in a clamp; did you mean \"max\"? Its keys are min, "
        "max"}},
      {"zeroAtOrBelow below zero",
       with("zeroAtOrBelow: -1"),
       {"t.yaml:2:44: zeroAtOrBelow is 0 or more; negative says what is below zero"}},
      {"zeroAtOrBelow that clamp keeps from ever counting",
       with("zeroAtOrBelow: 3, clamp: {min: 4}"),
       {"t.yaml:2:44: zeroAtOrBelow never applies: clamp reports nothing below its min, which is "
        "larger; lower min or remove one of them"}},
      {"zeroAtOrBelow that makes all a zero",
       with("zeroAtOrBelow: 5, clamp: {max: 4}"),
       {all_zero}},
      {"zeroAtOrBelow that makes even the most a zero",
       with("zeroAtOrBelow: 5, clamp: {max: 5}"),
       {all_zero}},
      {"a fallback below the clamp",
       with("clamp: {min: 2}, fallback: {after: 1s, value: 1}"),
       {"t.yaml:2:56: the number of fallback is below clamp's min, and clamp does not touch it; "
        "raise it or lower min"}},
      {"a fallback above the clamp",
       with("clamp: {max: 2}, fallback: {after: 1s, value: 3}"),
       {"t.yaml:2:56: the number of fallback is above clamp's max, and clamp does not touch it; "
        "lower it or raise max"}},
      {"a fallback without a number", with("fallback: {after: 45s}"), {one_of}},
      {"a fallback with two numbers", with("fallback: {after: 45s, hold: 2m, value: 1}"), {one_of}},
      {"a fallback without after",
       with("fallback: {hold: 2m}"),
       {"t.yaml:2:39: a fallback needs after: how long after the last good value, such as 45s"}},
      {"a hold that ends before it begins",
       with("fallback: {after: 2m, hold: 2m}"),
       {"t.yaml:2:39: hold is longer than after: both count from the last good value, as in "
        "{after: 45s, hold: 2m}"}},
      {"a fallback below zero", with("fallback: {after: 1s, value: -1}"), {below_zero}},
      {"a fallback that no HPA can read",
       with("fallback: {after: 1s, value: 1e300}"),
       {"t.yaml:2:39: the number of fallback is below 9.2e15, the most an HPA can read"}},
      {"settle without a unit",
       with("settle: 30"),
       {"t.yaml:2:37: expected a duration above zero with its unit, such as 500ms, 5s or 2m; found "
        "\"30\""}},
      {"maxAge alone", asking("{backend: prom, query: up, maxAge: 1m}"), {together}},
      {"ageOf alone", asking("{backend: prom, query: up, ageOf: up}"), {together}},
      {"ageOf with a function",
       asking("{backend: prom, query: up, maxAge: 1m, ageOf: 'rate(up[1m])'}"),
       {"t.yaml:2:87: ageOf must be a plain selector, such as jobs_waiting{queue=\"a\"}, without "
        "functions, ranges or offset, because a computed sample is never old"}},
      {"ageOf with an unknown parameter",
       asking("{backend: prom, query: up, maxAge: 1m, ageOf: 'up{pod=\"$(pod)\"}'}"),
       {"t.yaml:2:87: $(pod) is not a declared label; use one of $(namespace) (write $$( for a "
        "literal $()"}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a metric has one kind, and a backend that exists") {
  const std::string no_kind =
      "t.yaml:2:1: a metric needs one block named after its kind: " + test::kind_names();
  const Row rows[] = {
      {"no kind", "{name: a, namespaces: [ml]}", {no_kind}},
      {"two kinds",
       "{name: a, namespaces: [ml], prometheus: {backend: prom, query: up}, prometheus: {}}",
       {"t.yaml:2:69: duplicate key prometheus (first at 2:29)"}},
      {"no backend",
       asking("{query: up}"),
       {"t.yaml:2:41: a prometheus metric needs backend: name of an entry of backends"}},
      {"a mistyped backend",
       asking("{backend: prm, query: up}"),
       {"t.yaml:2:51: there is no backend \"prm\"; did you mean \"prom\"?"}},
      {"a backend like none",
       asking("{backend: rabbit, query: up}"),
       {"t.yaml:2:51: there is no backend \"rabbit\""}},
      {"no query",
       asking("{backend: prom}"),
       {"t.yaml:2:41: a prometheus metric needs query: the PromQL query; $(label) inside its "
        "strings is a parameter"}},
      {"an empty query",
       asking("{backend: prom, query: ''}"),
       {"t.yaml:2:64: expected text; found \"\""}},
      {"an unknown aggregate",
       asking("{backend: prom, query: up, aggregate: mean}"),
       {"t.yaml:2:79: expected one of sum, max, min, avg; found \"mean\""}},
      {"a mistyped key of the kind",
       asking("{backend: prom, query: up, agregate: sum}"),
       {"t.yaml:2:68: unknown key \"agregate\" in a prometheus metric; did you mean "
        "\"aggregate\"? Its keys are backend, query, aggregate, warnings, maxAge, ageOf, "
        "parameters"}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("labels are declared, valid and used") {
  const std::string query = "up{q=\"$(q)\"}";
  const Row rows[] = {
      {"declared but unused",
       with_labels("{q: a, pod: b}", query),
       {"t.yaml:2:37: label pod is declared but nothing uses $(pod): every value would get the "
        "same number"}},
      {"used but not declared",
       with_labels("{pod: b}", "up{q=\"$(q)$(pod)\"}"),
       {"t.yaml:2:82: $(q) is not a declared label; use one of $(namespace), $(pod) (write $$( for "
        "a "
        "literal $()"}},
      {"a name that no selector can set",
       with_labels("{'a b': x}", "up"),
       {"t.yaml:2:37: label a b is declared but nothing uses $(a b): every value would get the "
        "same number",
        "t.yaml:2:38: \"a b\" is not a valid label key, so no selector can set it: use letters, "
        "digits, -, _ "
        "and ., with a "
        "letter or digit at both ends"}},
      {"a list",
       with_labels("[q]", "up"),
       {"t.yaml:2:37: labels is a map from a label's name to its pattern, such as {queue: "
        "'ml\\.[a-z]+'}"}},
      {"a bad pattern",
       with_labels("{q: '('}", query),
       {"t.yaml:2:41: the pattern is not valid RE2: missing ): (",
        "t.yaml:2:82: $(q) is not a declared label; use one of $(namespace) (write $$( for a "
        "literal $()"}},
      {"an empty pattern",
       with_labels("{q: ''}", query),
       {"t.yaml:2:41: expected text; found \"\""}},
      {"a default that does not match",
       with_labels("{q: {pattern: 'a+', default: ab}}", query),
       {"t.yaml:2:41: the default \"ab\" does not match the pattern a+"}},
      {"a default without a pattern",
       with_labels("{q: {default: a}}", query),
       {"t.yaml:2:41: a label needs pattern: the RE2 pattern that a value must match as a whole",
        "t.yaml:2:41: the default \"a\" does not match the pattern "}},
      {"a mistyped key",
       with_labels("{q: {patern: a, pattern: a}}", query),
       {"t.yaml:2:42: unknown key \"patern\" in a label; did you mean \"pattern\"? Its keys are "
        "pattern, default"}},
      {"the built-in namespace",
       with_labels("{namespace: a}", "up{n=\"$(namespace)\"}"),
       {"t.yaml:2:38: the label namespace is built in: remove it and write $(namespace)"}},
      {"twice", with_labels("{q: a, q: b}", query), {"t.yaml:2:44: duplicate label q; keep one"}},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("every problem is reported at once, in the order of the file") {
  const Lines problems = problems_of(
      "{name: status, namespaces: [ML], deadline: 31s,\n"
      " labels: {q: '('}, prometheus: {backend: prm}},\n"
      "{name: b, namespaces: [ml], nan: x, prometheus: {backend: prom, query: 'up $(pod)'}}");

  CHECK(
      problems ==
      Lines{"t.yaml:2:8: the name status is reserved: Kubernetes reads it as a part of the "
            "namespace",
            "t.yaml:2:29: \"ML\" is not a namespace: lower-case letters, digits and -",
            "t.yaml:2:44: a deadline is at most 30s",
            "t.yaml:3:14: the pattern is not valid RE2: missing ): (",
            "t.yaml:3:32: a prometheus metric needs query: the PromQL query; $(label) inside its "
            "strings is a "
            "parameter",
            "t.yaml:3:42: there is no backend \"prm\"; did you mean \"prom\"?",
            "t.yaml:4:34: expected error, or a number to report instead; found \"x\"",
            "t.yaml:4:72: $(pod) is not a declared label; use one of $(namespace) (write $$( for a "
            "literal $()"});
}

}  // namespace
}  // namespace weir::scalers
