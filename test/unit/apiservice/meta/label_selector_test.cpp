#include "apiservice/meta/label_selector.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {
namespace {

using scalers::Errc;
using scalers::Error;
using scalers::LabelRequirement;
using Operator = LabelRequirement::Operator;
using Requirements = std::vector<LabelRequirement>;
using namespace std::string_literals;

struct Good {
  std::string_view name;
  std::string text;
  Requirements requirements;
};

struct Bad {
  std::string_view name;
  std::string text;
  std::string message;
};

void check(const Good& row) {
  DYNAMIC_SECTION(row.name) {
    const auto requirements = parse_selector(row.text);

    REQUIRE(requirements.has_value());
    CHECK(*requirements == row.requirements);
  }
}

void check(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    const auto requirements = parse_selector(row.text);

    REQUIRE(requirements.has_error());
    CHECK(requirements.error() == Error{Errc::bad_request, row.message, ""});
  }
}

// For the long tails, whose wording differs between versions of Kubernetes.
void check_prefix(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    const auto requirements = parse_selector(row.text);

    REQUIRE(requirements.has_error());
    CHECK(requirements.error().code == Errc::bad_request);
    CHECK(requirements.error().remote.empty());
    CHECK(requirements.error().detail.substr(0, row.message.size()) == row.message);
  }
}

TEST_CASE("each operator gives its requirement") {
  const Good rows[] = {
      {"case 2: one equals sign", "a=b", {{"a", Operator::equals, {"b"}}}},
      {"two equals signs", "a==b", {{"a", Operator::double_equals, {"b"}}}},
      {"case 4: not equal", "a!=b", {{"a", Operator::not_equals, {"b"}}}},
      {"case 5: absent", "!a", {{"a", Operator::does_not_exist, {}}}},
      {"absent after a blank", "! a", {{"a", Operator::does_not_exist, {}}}},
      {"case 6: present", "a", {{"a", Operator::exists, {}}}},
      {"case 8: the empty value", "a=", {{"a", Operator::equals, {""}}}},
      {"not the empty value", "a!=", {{"a", Operator::not_equals, {""}}}},
      {"case 13: greater", "a>5", {{"a", Operator::greater_than, {"5"}}}},
      {"less", "a < 5", {{"a", Operator::less_than, {"5"}}}},
      {"one of", "a in (c,b)", {{"a", Operator::in, {"b", "c"}}}},
      {"none of", "a notin (b)", {{"a", Operator::not_in, {"b"}}}},
      {"the greatest int64",
       "a>9223372036854775807",
       {{"a", Operator::greater_than, {"9223372036854775807"}}}},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("a selector without a requirement selects everything") {
  const Good rows[] = {
      {"case 9: empty", "", {}},
      {"blanks", " \t\r\n", {}},
      {"a NUL byte first", "\0a=b"s, {}},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("in and notin are keywords only after a key") {
  const Good rows[] = {
      {"case 10: three of them", "in in (in)", {{"in", Operator::in, {"in"}}}},
      {"as a value", "in=in", {{"in", Operator::equals, {"in"}}}},
      {"as a key alone", "notin", {{"notin", Operator::exists, {}}}},
      {"as an absent key", "!in", {{"in", Operator::does_not_exist, {}}}},
      {"as the second key", "a,in", {{"a", Operator::exists, {}}, {"in", Operator::exists, {}}}},
      {"without a blank after it", "a in(b)", {{"a", Operator::in, {"b"}}}},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("a set's missing values are empty, and its duplicates are merged") {
  const Good rows[] = {
      {"nothing", "a in ()", {{"a", Operator::in, {""}}}},
      {"one comma", "a in (,)", {{"a", Operator::in, {""}}}},
      {"two commas", "a in (,,)", {{"a", Operator::in, {""}}}},
      {"a comma first", "a in (,b)", {{"a", Operator::in, {"", "b"}}}},
      {"a comma last", "a in (b,)", {{"a", Operator::in, {"", "b"}}}},
      {"two commas between", "a in (c,,b)", {{"a", Operator::in, {"", "b", "c"}}}},
      {"duplicates", "a notin (b,c,b)", {{"a", Operator::not_in, {"b", "c"}}}},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("requirements are sorted by key, with a stable order within a key") {
  const Good rows[] = {
      {"two keys", "b=1,a=2", {{"a", Operator::equals, {"2"}}, {"b", Operator::equals, {"1"}}}},
      {"case 12: one key twice",
       "a=c,a=b",
       {{"a", Operator::equals, {"c"}}, {"a", Operator::equals, {"b"}}}},
      {"an empty value before a comma",
       "b=,a",
       {{"a", Operator::exists, {}}, {"b", Operator::equals, {""}}}},
      {"as an HPA writes it",
       "a in (b,c),!d,e=f,g",
       {{"a", Operator::in, {"b", "c"}},
        {"d", Operator::does_not_exist, {}},
        {"e", Operator::equals, {"f"}},
        {"g", Operator::exists, {}}}},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("a NUL byte ends the selector or the word before it") {
  const Good rows[] = {
      {"after a blank", "a=b \0,c=d"s, {{"a", Operator::equals, {"b"}}}},
      {"after a word at the end", "a=b\0"s, {{"a", Operator::equals, {"b"}}}},
      {"two after a word", "a=b\0\0,c=d"s, {{"a", Operator::equals, {"b"}}}},
      {"after a word",
       "a=b\0,c=d"s,
       {{"a", Operator::equals, {"b"}}, {"c", Operator::equals, {"d"}}}},
      {"after a sign", "a=\0b"s, {{"a", Operator::equals, {"b"}}}},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("a key and a value may be as long as their limits") {
  const std::string longest(63, 'v');
  const std::string prefix = std::string(253, 'p') + "/";
  const Good rows[] = {
      {"case 20: a value of 63 bytes", "a=" + longest, {{"a", Operator::equals, {longest}}}},
      {"a name of 63 bytes", longest, {{longest, Operator::exists, {}}}},
      {"a prefix of 253 bytes", prefix + longest, {{prefix + longest, Operator::exists, {}}}},
      {"inner signs",
       "app.example.com/a-b_c.D=e-f_g.H",
       {{"app.example.com/a-b_c.D", Operator::equals, {"e-f_g.H"}}}},
  };

  for (const Good& row : rows) check(row);
}

TEST_CASE("cases 14 and 16: a selector that is not a list of requirements is rejected") {
  const Bad rows[] = {
      {"case 14: two values without a comma",
       "a=b c",
       "found 'c', expected: ',' or 'end of string'"},
      {"two values with signs", "a=b=c", "found '=', expected: ',' or 'end of string'"},
      {"two sets", "a in (b)(c)", "found '(', expected: ',' or 'end of string'"},
      {"an absent key with an operator", "!a=b", "found '=', expected: ',' or 'end of string'"},
      {"an absent key with in", "!a in (b)", "found 'in', expected: ',' or 'end of string'"},
      {"a closing bracket too many", "a=b)", "found ')', expected: ',' or 'end of string'"},
      {"case 16: a comma first", ",a", "found ',', expected: !, identifier, or 'end of string'"},
      {"only a comma", ",", "found ',', expected: !, identifier, or 'end of string'"},
      {"an operator first", "=b", "found '=', expected: !, identifier, or 'end of string'"},
      {"not equal first", "!=b", "found '!=', expected: !, identifier, or 'end of string'"},
      {"a bracket first", "(a)", "found '(', expected: !, identifier, or 'end of string'"},
      {"a comma last", "a,", "found '', expected: identifier after ','"},
      {"a comma and blanks last", "a=b, ", "found '', expected: identifier after ','"},
      {"two commas", "a,,b", "found ',', expected: identifier after ','"},
      {"an operator after a comma", "a,=b", "found '=', expected: identifier after ','"},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("case 17: a requirement that is truncated or has a wrong word is rejected") {
  const std::string prefix = "unable to parse requirement: ";
  const Bad rows[] = {
      {"no operator", "a b", prefix + "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
      {"a bracket as the operator",
       "a(b)",
       prefix + "found '(', expected: in, notin, =, ==, !=, gt, lt"},
      {"in glued to the key",
       "ain (b)",
       prefix + "found '(', expected: in, notin, =, ==, !=, gt, lt"},
      {"an exclamation mark after the key",
       "a!",
       prefix + "found '!', expected: in, notin, =, ==, !=, gt, lt"},
      {"a NUL byte after the key",
       "a\0b"s,
       prefix + "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
      {"case 17: a set without brackets", "a in b", prefix + "found 'b' expected: '('"},
      {"a set that ends before its bracket", "a in", prefix + "found '' expected: '('"},
      {"two words of in", "a in in", prefix + "found 'in' expected: '('"},
      {"an open set", "a in (b", prefix + "found '', expected: ',' or ')'"},
      {"a set without a comma", "a in (b c)", prefix + "found 'c', expected: ',' or ')'"},
      {"a sign after a set's value", "a in (b=", prefix + "found '=', expected: ',' or ')'"},
      {"a set that breaks off at once",
       "a in (",
       prefix + "found '', expected: ',', ')' or identifier"},
      {"a set that begins with a sign",
       "a in (!b)",
       prefix + "found '!', expected: ',', ')' or identifier"},
      {"a set that ends with a comma",
       "a in (b,",
       prefix + "found '', expected: ',', or identifier"},
      {"a sign after a set's comma",
       "a in (b,=)",
       prefix + "found '=', expected: ',', or identifier"},
      {"a negated value", "a=!b", prefix + "found '!', expected: identifier"},
      {"a bracket as the value", "a=(b)", prefix + "found '(', expected: identifier"},
      {"greater or equal", "a>=5", prefix + "found '=', expected: identifier"},
      {"three equals signs", "a===b", prefix + "found '=', expected: identifier"},
      {"absent twice", "!!a", prefix + "found '!', expected: identifier"},
      {"absent without a key", "!", prefix + "found '', expected: identifier"},
      {"absent without a key before a comma", "a,!,b", prefix + "found ',', expected: identifier"},
      {"the second requirement",
       "a=b,c d",
       prefix + "found 'd', expected: in, notin, =, ==, !=, gt, lt"},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("an order compares with an int64 only") {
  const std::string tail = ": for 'Gt', 'Lt' operators, the value must be an integer";
  const std::string prefix = "unable to parse requirement: values[0]: Invalid value: ";
  const Bad rows[] = {
      {"a word", "a>x", prefix + "\"x\"" + tail},
      {"no value", "a<", prefix + "\"\"" + tail},
      {"a fraction", "a>1.5", prefix + "\"1.5\"" + tail},
      {"hexadecimal", "a>0x1", prefix + "\"0x1\"" + tail},
      {"digit groups", "a>1_000", prefix + "\"1_000\"" + tail},
      {"one above int64", "a<9223372036854775808", prefix + "\"9223372036854775808\"" + tail},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("a number with a sign is an integer but not a label value") {
  const std::string prefix = "unable to parse requirement: ";
  const Bad rows[] = {
      {"a minus", "a>-5", prefix + "values[0][a]: Invalid value: \"-5\": a valid label must be "},
      {"a plus", "a>+5", prefix + "values[0][a]: Invalid value: \"+5\": a valid label must be "},
      {"two signs are both faults",
       "a>+-5",
       prefix +
           "[values[0]: Invalid value: \"+-5\": for 'Gt', 'Lt' operators, the value must be an "
           "integer, values[0][a]: Invalid value: \"+-5\": a valid label must be "},
  };

  for (const Bad& row : rows) check_prefix(row);
}

TEST_CASE("cases 18, 20 and 21: a value that no label can have is rejected") {
  const std::string prefix = "unable to parse requirement: values[0][a]: Invalid value: ";
  const std::string too_long(64, 'v');
  const std::string list = "unable to parse requirement: values[1][a]: Invalid value: ";
  const std::string tail = ": a valid label must be ";
  const Bad rows[] = {
      {"case 18: a dash first", "a=-b", prefix + "\"-b\"" + tail},
      {"a dot last", "a=b.", prefix + "\"b.\"" + tail},
      {"case 20: 64 bytes",
       "a=" + too_long,
       prefix + "\"" + too_long + "\": must be no more than 63 bytes"},
      {"64 bytes of dashes",
       "a=" + std::string(64, '-'),
       prefix + "\"" + std::string(64, '-') + "\": must be no more than 63 bytes; a valid label "},
      {"case 21: quotes", "a=\"b\"", prefix + "\"\\\"b\\\"\"" + tail},
      {"a percent sign", "a=b%20", prefix + "\"b%20\"" + tail},
      {"a star", "a=*", prefix + "\"*\"" + tail},
      {"a slash", "a=b/c", prefix + "\"b/c\"" + tail},
      {"a backslash", "a=b\\c", prefix + "\"b\\\\c\"" + tail},
      {"a letter beyond ASCII", "a=caf\xc3\xa9", prefix + "\"caf\xc3\xa9\"" + tail},
      {"a letter beyond the basic plane",
       "a=\xf0\x9f\x98\x80",
       prefix + "\"\xf0\x9f\x98\x80\"" + tail},
      {"a control byte", "a=b\x01\x0b", prefix + "\"b\\x01\\v\"" + tail},
      {"a zero-width blank", "a=\xe2\x80\x8b", prefix + "\"\\u200b\"" + tail},
      {"a byte that is not UTF-8", "a=b\xff", prefix + "\"b\\xff\"" + tail},
      {"a truncated code point", "a=\xe2\x80", prefix + "\"\\xe2\\x80\"" + tail},
      {"a surrogate", "a=\xed\xa0\x80", prefix + "\"\\xed\\xa0\\x80\"" + tail},
      {"an overlong code point", "a=\xc0\xaf", prefix + "\"\\xc0\\xaf\"" + tail},
      {"the second of a set", "a in (b,c-)", list + "\"c-\"" + tail},
      {"two of a set are both named",
       "a in (b-,c-)",
       "unable to parse requirement: [values[0][a]: Invalid value: \"b-\"" + tail},
  };

  for (const Bad& row : rows) check_prefix(row);
}

TEST_CASE("a key that no label can have is rejected") {
  const std::string prefix = "unable to parse requirement: <nil>: Invalid value: ";
  const std::string too_long(64, 'v');
  const std::string long_prefix = std::string(254, 'p') + "/a";
  const Bad rows[] = {
      {"an empty prefix", "/a", prefix + "\"/a\": prefix part must be non-empty"},
      {"an empty name", "a/", prefix + "\"a/\": name part must be non-empty; name part must "},
      {"only a slash",
       "/",
       prefix + "\"/\": prefix part must be non-empty; name part must be non-empty; name part "},
      {"two slashes", "a/b/c", prefix + "\"a/b/c\": a "},
      {"a capital in the prefix", "A/b", prefix + "\"A/b\": prefix part a lowercase RFC 1123 "},
      {"an underscore in the prefix", "a_b/c", prefix + "\"a_b/c\": prefix part a lowercase "},
      {"two dots in the prefix", "a..b/c", prefix + "\"a..b/c\": prefix part a lowercase "},
      {"a dash before a dot", "a-.b/c", prefix + "\"a-.b/c\": prefix part a lowercase "},
      {"a dash after a dot", "a.-b/c", prefix + "\"a.-b/c\": prefix part a lowercase "},
      {"a dot last in the prefix", "a./c", prefix + "\"a./c\": prefix part a lowercase "},
      {"a prefix of 254 bytes",
       long_prefix,
       prefix + "\"" + long_prefix + "\": prefix part must be no more than 253 bytes"},
      {"a name of 64 bytes",
       too_long,
       prefix + "\"" + too_long + "\": name part must be no more than 63 bytes"},
      {"a dash first", "-a=b", prefix + "\"-a\": name part must consist of "},
      {"an underscore last", "!a_", prefix + "\"a_\": name part must consist of "},
      {"quotes", "\"a\"=b", prefix + "\"\\\"a\\\"\": name part must consist of "},
      {"a letter beyond ASCII", "caf\xc3\xa9", prefix + "\"caf\xc3\xa9\": name part must consist "},
      {"a bad key before a missing operator", "a* b", prefix + "\"a*\": name part must consist "},
  };

  for (const Bad& row : rows) check_prefix(row);
}

TEST_CASE("a selector of many requirements is sorted in the order of its keys") {
  std::string text = "z";
  Requirements expected;
  for (char key = 'a'; key <= 'y'; ++key)
    text = std::string(1, key) + "," + text + "," + key + "=1";
  for (char key = 'a'; key <= 'y'; ++key) {
    expected.push_back({std::string(1, key), Operator::exists, {}});
    expected.push_back({std::string(1, key), Operator::equals, {"1"}});
  }
  expected.push_back({"z", Operator::exists, {}});

  const auto requirements = parse_selector(text);

  REQUIRE(requirements.has_value());
  CHECK(*requirements == expected);
}

}  // namespace
}  // namespace weir::apiservice
