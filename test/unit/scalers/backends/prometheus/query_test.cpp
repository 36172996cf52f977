#include "scalers/backends/prometheus/prometheus.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

const Mark kMark{"t.yaml", 3, 7};

struct Good {
  std::string_view name;
  std::string query;
  std::string value;  // of $(job)
  std::string rendered;
};

struct Bad {
  std::string_view name;
  std::string query;
  std::vector<std::string> problems;
};

void check(const Good& row) {
  DYNAMIC_SECTION(row.name) {
    ParameterNames names({"job"});
    Problems problems;

    const auto query = QueryTemplate::parse(row.query, kMark, names, problems);

    CHECK(problems.lines().empty());
    CHECK(query.render({"ml", {{"job", row.value}}}) == row.rendered);
  }
}

void check(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    ParameterNames names({"job", "queue"});
    Problems problems;

    static_cast<void>(QueryTemplate::parse(row.query, kMark, names, problems));

    CHECK(problems.lines() == row.problems);
  }
}

TEST_CASE("a value stays a single string, whatever it contains") {
  const Good rows[] = {
      {"plain", R"q(up{job="$(job)"})q", "a", R"q(up{job="a"})q"},
      {"empty", R"q(up{job="$(job)"})q", "", R"q(up{job=""})q"},
      {"a double quote", R"q(up{job="$(job)"})q", R"q(a"b)q", R"q(up{job="a\"b"})q"},
      {"a backslash", R"q(up{job="$(job)"})q", R"q(a\b)q", R"q(up{job="a\\b"})q"},
      {"a backslash last", R"q(up{job="$(job)"})q", R"q(a\)q", R"q(up{job="a\\"})q"},
      {"a line end", R"q(up{job="$(job)"})q", "a\nb", R"q(up{job="a\nb"})q"},
      {"an end of the matcher",
       R"q(up{job="$(job)"})q",
       R"q("} or vector(1) #)q",
       R"q(up{job="\"} or vector(1) #"})q"},
      {"another parameter", R"q(up{job="$(job)"})q", "$(namespace)", R"q(up{job="$(namespace)"})q"},
      {"a regex is plain text after =", R"q(up{job="$(job)"})q", ".*", R"q(up{job=".*"})q"},
      {"nor after !=", R"q(up{job!="$(job)"})q", ".*", R"q(up{job!=".*"})q"},
      {"a double quote in single quotes",
       R"q(up{job='$(job)'})q",
       R"q(a"b)q",
       R"q(up{job='a"b'})q"},
      {"a single quote in single quotes",
       R"q(up{job='$(job)'})q",
       R"q(a'b)q",
       R"q(up{job='a\'b'})q"},
      {"a single quote in double quotes",
       R"q(up{job="$(job)"})q",
       R"q(a'b)q",
       R"q(up{job="a'b"})q"},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("a value after =~ and !~ matches only itself") {
  const Good rows[] = {
      {"after =~", R"q(up{job=~"$(job)"})q", "a.b", R"q(up{job=~"a\\.b"})q"},
      {"after !~", R"q(up{job!~"$(job)"})q", "a.b", R"q(up{job!~"a\\.b"})q"},
      {"blanks between", "up{job =~ \t\n \"$(job)\"}", "a.b", "up{job =~ \t\n \"a\\\\.b\"}"},
      {"in a longer pattern",
       R"q(up{job=~"ml-$(job)|x.*"})q",
       "a|b",
       R"q(up{job=~"ml-a\\|b|x.*"})q"},
      {"every special byte",
       R"q(up{job=~"$(job)"})q",
       R"q(\.+*?()|[]{}^$)q",
       R"q(up{job=~"\\\\\\.\\+\\*\\?\\(\\)\\|\\[\\]\\{\\}\\^\\$"})q"},
      {"a quote too", R"q(up{job=~"$(job)"})q", R"q(a".b)q", R"q(up{job=~"a\"\\.b"})q"},
      {"single quotes", R"q(up{job=~'$(job)'})q", "a'.b", R"q(up{job=~'a\'\\.b'})q"},
      {"a comment after the operator",
       "up{job=~ # any\n\"$(job)\"}",
       "a.b",
       "up{job=~ # any\n\"a\\\\.b\"}"},
      {"the next matcher is no pattern",
       R"q(up{a=~"x",job="$(job)"})q",
       "a.b",
       R"q(up{a=~"x",job="a.b"})q"},
      {"a string that MetricsQL joins",
       R"q(up{a=~"x-" + "$(job)" + '-$(job)'})q",
       "a.b",
       R"q(up{a=~"x-" + "a\\.b" + '-a\\.b'})q"},
      {"a string that MetricsQL joins to a name",
       R"q(WITH (p = "x") up{a=~p + "$(job)"})q",
       "a.b",
       R"q(WITH (p = "x") up{a=~p + "a\\.b"})q"},
      {"a joined string of the next matcher",
       R"q(up{a=~"x" or b="y" + "$(job)"} + up{b="$(job)"})q",
       "a.b",
       R"q(up{a=~"x" or b="y" + "a.b"} + up{b="a.b"})q"},
      {"an operator inside a string is text",
       R"q(up{a="=~",job="$(job)"})q",
       "a.b",
       R"q(up{a="=~",job="a.b"})q"},
  };

  for (const Good& row : rows) check(row);
}

// Field report 18: in MetricsQL the third argument is a pattern, in which a dot matches any byte.
TEST_CASE("the patterns of label_match, label_mismatch and label_transform are regex-quoted") {
  const Good rows[] = {
      {"label_match",
       R"q(label_match(up, "queue", "$(job)"))q",
       "a.b",
       R"q(label_match(up, "queue", "a\\.b"))q"},
      {"label_mismatch",
       R"q(label_mismatch(up, "queue", "$(job)"))q",
       "a.b",
       R"q(label_mismatch(up, "queue", "a\\.b"))q"},
      {"label_transform",
       R"q(label_transform(up, "queue", "$(job)", "x"))q",
       "a.b",
       R"q(label_transform(up, "queue", "a\\.b", "x"))q"},
      {"functions of MetricsQL ignore case",
       R"q(Label_Match(up, "queue", "$(job)"))q",
       "a.b",
       R"q(Label_Match(up, "queue", "a\\.b"))q"},
      {"another argument",
       R"q(label_transform(up, "$(job)", "p", "x"))q",
       "a.b",
       R"q(label_transform(up, "a.b", "p", "x"))q"},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("label_replace's pattern is regex-quoted, its other arguments are not") {
  const Good rows[] = {
      {"the pattern",
       R"q(label_replace(up, "d", "r", "s", "$(job)"))q",
       "a.b",
       R"q(label_replace(up, "d", "r", "s", "a\\.b"))q"},
      {"the source",
       R"q(label_replace(up, "d", "r", "$(job)", "p"))q",
       "a.b",
       R"q(label_replace(up, "d", "r", "a.b", "p"))q"},
      {"commas in the first argument's matcher",
       R"q(label_replace(up{a="b",c="d"}, "d", "r", "s", "$(job)"))q",
       "a.b",
       R"q(label_replace(up{a="b",c="d"}, "d", "r", "s", "a\\.b"))q"},
      {"a call in the first argument",
       R"q(label_replace(max(x, y), "d", "r", "s", "$(job)"))q",
       "a.b",
       R"q(label_replace(max(x, y), "d", "r", "s", "a\\.b"))q"},
      {"a comma in a string",
       R"q(label_replace(up, ",d", ",(", "s", "$(job)"))q",
       "a.b",
       R"q(label_replace(up, ",d", ",(", "s", "a\\.b"))q"},
      {"a blank in front of the bracket",
       R"q(label_replace (up, "d", "r", "s", "$(job)"))q",
       "a.b",
       R"q(label_replace (up, "d", "r", "s", "a\\.b"))q"},
      {"a comment in front of the bracket",
       "label_replace # x\n(up, \"d\", \"r\", \"s\", \"$(job)\")",
       "a.b",
       "label_replace # x\n(up, \"d\", \"r\", \"s\", \"a\\\\.b\")"},
      {"label_join has no pattern",
       R"q(label_join(up, "d", "-", "a", "$(job)"))q",
       "a.b",
       R"q(label_join(up, "d", "-", "a", "a.b"))q"},
      {"after the call",
       R"q(label_replace(up, "d", "r", "s", "p") + up{job="$(job)"})q",
       "a.b",
       R"q(label_replace(up, "d", "r", "s", "p") + up{job="a.b"})q"},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("text that only looks like a parameter is unchanged") {
  const Good rows[] = {
      {"no parameter", "sum(rate(x[5m])) * 60", "a", "sum(rate(x[5m])) * 60"},
      {"the empty query", "", "a", ""},
      {"$$( in a string", R"q(up{job="$$(job)"})q", "a", R"q(up{job="$(job)"})q"},
      {"$$( in a comment", "up # $$(x)", "a", "up # $(x)"},
      {"$$( outside of strings", "up $$(job)", "a", "up $(job)"},
      {"$$( in front of a parameter", R"q(up{job="$$($(job)"})q", "a", R"q(up{job="$(a"})q"},
      {"a dollar alone",
       R"q(label_replace(up, "d", "$1", "s", "(.*)"))q",
       "a",
       R"q(label_replace(up, "d", "$1", "s", "(.*)"))q"},
      {"an escaped quote ends no string", R"q(up{a="\"$(job)"})q", "v", R"q(up{a="\"v"})q"},
      {"an escaped backslash in front", R"q(up{a="\\$(job)"})q", "v", R"q(up{a="\\v"})q"},
      {"a backslash in a raw string escapes nothing",
       R"q(up{a=`\`,job="$(job)"})q",
       "v",
       R"q(up{a=`\`,job="v"})q"},
      {"a quote in a comment opens no string",
       "# it's\nup{job=\"$(job)\"}",
       "v",
       "# it's\nup{job=\"v\"}"},
      {"a # in a string opens no comment",
       R"q(up{a="#",job="$(job)"})q",
       "v",
       R"q(up{a="#",job="v"})q"},
      {"another kind of quote in a string",
       R"q(up{a="'",b='"',job="$(job)"})q",
       "v",
       R"q(up{a="'",b='"',job="v"})q"},
      {"an escaped dollar", R"q(up{a="\$(job)",b="$(job)"})q", "v", R"q(up{a="\$(job)",b="v"})q"},
      {"twice", R"q(up{a="$(job)",b="$(job)"})q", "v", R"q(up{a="v",b="v"})q"},
      {"the built-in namespace", R"q(up{n="$(namespace)"})q", "v", R"q(up{n="ml"})q"},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("a parameter that could change the query is an error") {
  const std::string outside =
      "t.yaml:3:7: $(job) must be inside a quoted string, such as {label=\"$(job)\"}";
  const Bad rows[] = {
      {"as a metric's name", "$(job)", {outside}},
      {"as a label's name", R"(up{$(job)="x"})", {outside}},
      {"as a matcher's whole value", "up{job=$(job)}", {outside}},
      {"as a number", "up * $(job)", {outside}},
      {"as a range", "rate(up[$(job)])", {outside}},
      {"after a string", R"(up{a="x"} $(job))", {outside}},
      {"in a raw string",
       "up{job=`$(job)`}",
       {"t.yaml:3:7: $(job) must not be in a `string`; write the string in \"double quotes\""}},
      {"in a comment", "up # of $(job)", {"t.yaml:3:7: a parameter must not be in a comment"}},
      {"after a comment in the middle of a matcher, but unquoted",
       "up{job=~ # any\n$(job)}",
       {outside}},
      {"in a comment above",
       "# $(job)\nup{job=\"$(job)\"}",
       {"t.yaml:3:7: a parameter must not be in a comment"}},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("an undeclared parameter is reported with the declared ones") {
  const std::string tail =
      " is not a declared label; use one of $(namespace), $(job), $(queue) (write $$( for a "
      "literal $()";
  const Bad rows[] = {
      {"undeclared", R"q(up{job="$(pod)"})q", {"t.yaml:3:7: $(pod)" + tail}},
      {"the empty name", R"q(up{job="$()"})q", {"t.yaml:3:7: $()" + tail}},
      {"blanks in the name", R"q(up{job="$( job )"})q", {"t.yaml:3:7: $( job )" + tail}},
      {"another case", R"q(up{job="$(Job)"})q", {"t.yaml:3:7: $(Job)" + tail}},
      {"a Go template", R"q(up{job="$({{.Job}})"})q", {"t.yaml:3:7: $({{.Job}})" + tail}},
      {"outside of strings", "up $(pod)", {"t.yaml:3:7: $(pod)" + tail}},
      {"without its )",
       R"q(up{job="$(job"})q",
       {"t.yaml:3:7: a parameter has the form $(label); the ) is missing"}},
      {"without its ), which is after the string",
       R"q(sum(up{job="$(job"}))q",
       {"t.yaml:3:7: a parameter has the form $(label); the ) is missing"}},
      {"without its ) outside of strings",
       "up $(job",
       {"t.yaml:3:7: a parameter has the form $(label); the ) is missing"}},
      {"several at once",
       R"q(up{a="$(pod)"} $(job))q",
       {"t.yaml:3:7: $(job) must be inside a quoted string, such as {label=\"$(job)\"}",
        "t.yaml:3:7: $(pod)" + tail}},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("a label counts as used where the query names it") {
  const std::string text = R"q(up{job="$(job)",n="$(namespace)",x="$$(queue)"})q";
  ParameterNames names({"job", "queue", "pod"});
  Problems problems;

  static_cast<void>(QueryTemplate::parse(text, kMark, names, problems));

  CHECK(problems.empty());
  CHECK(names.unused() == std::vector<std::string>{"queue", "pod"});
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
