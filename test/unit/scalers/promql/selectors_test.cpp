#include "scalers/promql/selectors.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::scalers::promql {
namespace {

// Each selector as PromQL, with its range.
std::vector<std::string> shown(std::string_view query) {
  std::vector<std::string> out;
  for (const Selector& selector : parse_selectors(query))
    out.push_back(text_of(selector) + (selector.range.empty() ? "" : "[" + selector.range + "]"));
  return out;
}

TEST_CASE("the selectors of a query are found between functions, labels and numbers") {
  struct Row {
    std::string_view name;
    std::string_view query;
    std::vector<std::string> selectors;
  };
  const Row rows[] = {
      {"a name", "up", {"up"}},
      {"with matchers", R"(up{job="a", env!~"x|y"})", {R"(up{job="a",env!~"x|y"})"}},
      {"matchers alone", R"({__name__="up"})", {R"({__name__="up"})"}},
      {"a range", "rate(x_total[5m])", {"x_total[5m]"}},
      {"a subquery is no range", "max_over_time(x[5m:1m])", {"x"}},
      {"a quantile",
       R"(histogram_quantile(0.95, sum by (le) (rate(l_bucket{job="i"}[5m]))))",
       {R"(l_bucket{job="i"}[5m])"}},
      {"grouping after", "sum(a) by (b, c)", {"a"}},
      {"two sides", "a / on (x) group_left (y) b", {"a", "b"}},
      {"the same twice", "a / a", {"a"}},
      {"keywords in capitals", "a AND b OFFSET 5m", {"a", "b"}},
      {"no more than three", "a + b + c + d", {"a", "b", "c"}},
      {"a comment", "a # b\n+ c", {"a", "c"}},
      {"words in strings", R"(label_replace(a, "b", "c", "d", "e"))", {"a"}},
      {"a brace inside a string", R"(a{b="}"} + c)", {R"(a{b="}"})", "c"}},
      {"a quote inside a string", R"(a{b="\"}"} + c)", {R"(a{b="\"}"})", "c"}},
      {"a recording rule", "job:x:sum", {"job:x:sum"}},
      {"numbers", "vector(1) > 0x1F + 1e5 + 5m", {}},
      {"at", "a @ start()", {"a"}},
      {"an open brace", "a{b=", {}},
      {"an open string", "a{b=\"c", {}},
      {"an open bracket", "a[5m", {"a[5m]"}},
      {"only a backslash", "\\", {}},
      {"nothing", "", {}},
      {"a name in quotes", R"({"my.metric",job="a"} + {"up"})", {R"({"my.metric",job="a"})", "up"}},
      {"a label in quotes", R"(a{"my.label"=~"x"})", {R"(a{"my.label"=~"x"})"}},
      {"two names", R"(a{"b"} + c)", {"c"}},
      {"a brace in a string of a selector that is not understood",
       R"(a{b="}" or c="d"} + e)",
       {"e"}},
      {"a range with a comment", "rate(a[5m # x\n])", {"a[5m]"}},
      {"an exponent with a sign", "a * 1e-3", {"a"}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(shown(row.query) == row.selectors); }
  }
}

TEST_CASE("words of MetricsQL are not metrics") {
  struct Row {
    std::string_view query;
    std::vector<std::string> selectors;
  };
  const Row rows[] = {
      {"rate(a[5m]) keep_metric_names", {"a[5m]"}},
      {"sum(a) by (b) limit 5", {"a"}},
      {"sum(a) limit 5", {"a"}},
      {"a default b", {"a", "b"}},
      {"a default 0", {"a"}},
      {"a if b", {"a", "b"}},
      {"a{b=\"c\"} default d", {R"(a{b="c"})", "d"}},
      {"limit + default + if", {"limit", "default", "if"}},
      {"a / on(b) group_left(*) prefix \"x\" c", {"a", "c"}},
      {"rate(a[5i]) + b[1.5h]", {"a[5i]", "b[1.5h]"}},
      {R"(foo\-bar + a)", {"a"}},
      {"größe + a", {"a"}},
      {R"(label_match(a, "b", "c"))", {"a"}},
      {"a[5m] anchored + b", {"a[5m]", "b"}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.query) { CHECK(shown(row.query) == row.selectors); }
  }
}

TEST_CASE("a query says whether a selector was omitted") {
  CHECK_FALSE(has_omitted_selectors("a + b + a + b + a + b"));
  CHECK_FALSE(has_omitted_selectors("sum by (x) (a) limit 5"));
  CHECK(has_omitted_selectors("a + b + c + d"));
  CHECK(has_omitted_selectors(R"(a + b{c="d" or e="f"})"));
  CHECK(has_omitted_selectors(R"(foo\-bar)"));
}

TEST_CASE("a selector of its own is parsed, or the problem is named") {
  struct Row {
    std::string_view text;
    std::string result;
  };
  const Row rows[] = {
      {"up", "up"},
      {" up { job = \"a\" } # x", "up{job = \"a\"}"},
      {R"({"my.metric"})", R"({"my.metric"})"},
      {R"({__name__="up"})", R"({__name__="up"})"},
      {R"({"inf"})", R"({"inf"})"},
      {"", "there is no metric name"},
      {"{}", "there is no metric name"},
      {"1", "expected a selector, such as up{job=\"x\"}; found 1"},
      {"rate(up[1m])", "expected a selector, such as up{job=\"x\"}; found ("},
      {"up[5m]", "expected a selector, such as up{job=\"x\"}; found ["},
      {"up offset 5m", "expected a selector, such as up{job=\"x\"}; found offset"},
      {"a.b", "expected a selector, such as up{job=\"x\"}; found ."},
      {"größe", "größe is not a valid metric name"},
      {"up{job}", "expected =, !=, =~ or !~ after job; found }"},
      {"up{job==\"a\"}", "expected =, !=, =~ or !~ after job; found =="},
      {"up{a:b=\"a\"}", "expected a label name; found a:b"},
      {"up{=\"a\"}", "expected a label name; found ="},
      {"up{job=a}", "expected a string in quotes after job=; found a"},
      {"up{job=\"a}", "\"a} is not a valid string: its end is missing"},
      {R"(up{job="\d"})", R"("\d" is not a valid string: it has an unknown escape)"},
      {"up{job=\"a\" b=\"c\"}", "expected , or }; found b"},
      {"up{job=\"a\"", "the } is missing"},
      {"up{job=\"a\",", "the } is missing"},
      {R"(up{"down"})", R"(there are two metric names, up and "down")"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.text) {
      const auto parsed = parse_selector(row.text);
      const auto* problem = std::get_if<InvalidSelector>(&parsed);

      CHECK((problem != nullptr ? problem->why : text_of(std::get<Selector>(parsed))) ==
            row.result);
    }
  }
}

TEST_CASE("a label that is not a plain name is quoted") {
  CHECK(text_of_label("job") == "job");
  CHECK(text_of_label("my.label") == R"("my.label")");
}

TEST_CASE("functions that need two samples are distinguished from the others") {
  struct Row {
    std::string_view query;
    bool needs_two;
  };
  const Row rows[] = {
      {"rate(x[5m])", true},
      {"irate(x[5m])", true},
      {"increase(x[5m])", true},
      {"delta(x[5m])", true},
      {"idelta(x[5m])", true},
      {"sum by (y) (DERIV (x{y=\"(\"}[5m]))", true},
      {"predict_linear(x[5m], 3)", true},
      {"holt_winters(x[5m], 0.5, 0.5)", true},
      {"double_exponential_smoothing(x[5m], 0.5, 0.5)", true},
      {"changes(x[5m])", false},
      {"resets(x[5m])", false},
      {"rate(avg_over_time(x[5m])[10m:])", false},
      {"quantile_over_time(0.9, x[5m])", false},
      {"sum(x)", false},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.query) {
      const auto selectors = parse_selectors(row.query);

      REQUIRE(selectors.size() == 1);
      CHECK(selectors[0].needs_two_samples == row.needs_two);
    }
  }
}

TEST_CASE("offset, @ and unless make a query undiagnosable only as words of PromQL") {
  struct Row {
    std::string_view query;
    std::string word;  // empty: none
  };
  const Row rows[] = {
      {"a offset 5m", "offset"},
      {"rate(a[5m] OFFSET 1w)", "offset"},
      {"a @ 1600000000", "@"},
      {"a@end()", "@"},
      {"a unless on (x) b", "unless"},
      {R"(sum(WITH (f = {queue="q"}) jobs{f}))", "with"},
      {"a ifnot b", "ifnot"},
      {"ifnot + b", ""},
      {"with_x + with", ""},
      {"a + b + c + d offset 5m", "offset"},
      {"a and b", ""},
      {"offset_total + unless_x", ""},
      {R"(a{offset="unless @"})", ""},
      {R"(label_replace(a, "@", "offset", "unless", ""))", ""},
      {"sum by (offset, unless) (a)", ""},
      {"a # offset @", ""},
      {"", ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.query) { CHECK(undiagnosable_word(row.query).value_or("") == row.word); }
  }
}

TEST_CASE("a matcher's value is shown without quotes and escapes") {
  const auto selectors = parse_selectors(R"(a{b='x\'y', c=`\d`})");

  REQUIRE(selectors.size() == 1);
  CHECK(selectors[0].matchers ==
        std::vector<Matcher>{{"b", "=", "x'y", R"(b='x\'y')"}, {"c", "=", "\\d", R"(c=`\d`)"}});
}

TEST_CASE("a selector with more than kMaxMatchers matchers is omitted") {
  std::string query = "a{";
  for (std::size_t i = 0; i <= kMaxMatchers; ++i) query += R"(b="c",)";

  CHECK(parse_selectors(query + "} + d") == std::vector<Selector>{{"d", {}, {}, false}});
}

TEST_CASE("a matcher can be removed") {
  const auto selectors = parse_selectors(R"(a{b="1",c="2"})");

  CHECK(text_of(without(selectors.at(0), 0)) == R"(a{c="2"})");
  CHECK(text_of(without(without(selectors.at(0), 0), 0)) == "a");
}

}  // namespace
}  // namespace weir::scalers::promql
