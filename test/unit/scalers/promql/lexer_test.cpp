#include "scalers/promql/lexer.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::promql {
namespace {

// One letter a token for its kind, and its text: "n:up s:{".
std::string shown(const std::vector<Token>& tokens) {
  std::string out;
  for (const Token& token : tokens) {
    if (!out.empty()) out += ' ';
    out += "bcSNnps"[static_cast<int>(token.kind)];
    if (!token.is_complete) out += '!';
    out += ':';
    out += token.text;
  }
  return out;
}

TEST_CASE("a query is cut into the tokens of PromQL and MetricsQL") {
  struct Row {
    std::string_view name;
    std::string_view query;
    std::string_view tokens;
  };
  const Row rows[] = {
      {"nothing", "", ""},
      {"a selector", R"(up{job="a",b!~'c'})", R"(n:up s:{ n:job s:= S:"a" s:, n:b s:!~ S:'c' s:})"},
      {"a name with colons", ":job:x:sum", "n::job:x:sum"},
      {"a subquery", "x[5m:1m]", "n:x s:[ N:5m s:: N:1m s:]"},
      {"a subquery without a step", "x[5m:]", "n:x s:[ N:5m s:: s:]"},
      {"a name after a range", "x[5m] + a:b", "n:x s:[ N:5m s:] s:+ n:a:b"},
      {"numbers", "1 .5 1e3 1e-3 0x1F 1_000", "N:1 N:.5 N:1e3 N:1e-3 N:0x1F N:1_000"},
      {"a sum of a hexadecimal number", "0x1e+3", "N:0x1e s:+ N:3"},
      {"a sum of a duration", "5e+m", "N:5e s:+ n:m"},
      {"Inf and NaN", "-Inf + NaN", "s:- N:Inf s:+ N:NaN"},
      {"a label inf", R"({inf="x"})", R"(s:{ n:inf s:= S:"x" s:})"},
      {"durations", "1h30m 1.5h 5i 500ms", "N:1h30m N:1.5h N:5i N:500ms"},
      {"comparisons",
       "a==b!=c<=d>=e<f>g",
       "n:a s:== n:b s:!= n:c s:<= n:d s:>= n:e s:< n:f s:> n:g"},
      {"a name in quotes", R"({"my.metric"})", R"(s:{ S:"my.metric" s:})"},
      {"quotes in strings", R"("a\"'" '\'"' `\`)", R"(S:"a\"'" S:'\'"' S:`\`)"},
      {"a line end in a string", "\"a\nb\"", "S:\"a\nb\""},
      {"an open string", R"(a "b\")", R"(n:a S!:"b\")"},
      {"an open string of a backslash", "\"\\", "S!:\"\\"},
      {"a # in a string", "'#' # '", "S:'#'"},
      {"at and offset", "a @ end() offset -5m", "n:a s:@ n:end s:( s:) n:offset s:- N:5m"},
      {"a parameter", "up * $(job)", "n:up s:* p:$(job)"},
      {"a parameter without its )", "up * $(job", "n:up s:* p!:$(job"},
      {"a literal $(", "$$(job)", "s:$$( n:job s:)"},
      {"a dollar", "$x", "s:$ n:x"},
      {"MetricsQL's escapes", R"(foo\-bar)", R"(n:foo\-bar)"},
      {"a backslash", "\\", "s:\\"},
      {"a letter of another alphabet", "größe", "n:größe"},
      {"a point", ". a.b", "s:. n:a s:. n:b"},
      {"closing brackets alone", "}]) a:b", "s:} s:] s:) n:a:b"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(shown(tokens_of(row.query)) == row.tokens); }
  }
}

TEST_CASE("all tokens together are the query") {
  CHECK(shown(all_tokens("a # b\n\t+ c# d")) == "n:a b:  c:# b b:\n\t s:+ b:  n:c c:# d");
}

TEST_CASE("a string has the escapes of Go") {
  struct Row {
    std::string_view name;
    std::string_view string;
    std::string_view meaning;  // "invalid": none
  };
  const Row rows[] = {
      {"none", R"("a'b")", "a'b"},
      {"its quotes", R"('a\'b')", "a'b"},
      {"letters", R"("\a\b\f\n\r\t\v\\")", "\a\b\f\n\r\t\v\\"},
      {"octal", R"("\101")", "A"},
      {"hexadecimal", R"("\x41\x6a\x6A")", "Ajj"},
      {"Unicode", R"("\u0041\u00e9\u20AC\U0001F600")", "Aé€😀"},
      {"raw", R"(`\d"`)", R"(\d")"},
      {"empty", "''", ""},
      {"the other quotes", R"("\'")", "invalid"},
      {"a pattern's", R"("\d")", "invalid"},
      {"octal above a byte", R"("\400")", "invalid"},
      {"too few digits", R"("\x4")", "invalid"},
      {"a surrogate", R"("\ud800")", "invalid"},
      {"above Unicode", R"("\U00110000")", "invalid"},
      {"no end", "\"a", "invalid"},
      {"a backslash at the end", R"("\")", "invalid"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto tokens = tokens_of(row.string);

      REQUIRE(tokens.size() == 1);
      CHECK(unquoted(tokens[0]).value_or("invalid") == row.meaning);
    }
  }
}

TEST_CASE("a quoted text means itself") {
  const std::string text = "a\"b\\c\nd'é";
  const std::string string = quoted(text);

  CHECK(string == R"("a\"b\\c\nd'é")");
  CHECK(unquoted(tokens_of(string).at(0)) == text);
}

TEST_CASE("a colon is for names of metrics") {
  CHECK(is_metric_name("a:b_1"));
  CHECK_FALSE(is_label_name("a:b_1"));
  CHECK(is_label_name("_b1"));
  CHECK_FALSE(is_metric_name("1a"));
  CHECK_FALSE(is_metric_name(""));
  CHECK_FALSE(is_metric_name("a.b"));
  CHECK_FALSE(is_metric_name("größe"));
  CHECK_FALSE(is_metric_name("Inf"));
  CHECK(is_label_name("inf"));
}

}  // namespace
}  // namespace weir::scalers::promql
