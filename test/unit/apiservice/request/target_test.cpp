#include "apiservice/request/target.hpp"

#include "scalers/settings/url.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::apiservice {
namespace {

using namespace std::string_view_literals;
using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a percent escape is two hexadecimal digits, and a broken one is an error") {
  struct Row {
    std::string_view name;
    std::string_view text;
    std::optional<std::string> decoded;
  };
  const Row rows[] = {
      {"nothing", "", ""},
      {"no escape", "abc", "abc"},
      {"a plus sign stays", "a+b", "a+b"},
      {"capitals and small letters", "%2F%2f", "//"},
      {"the whole text", "%41", "A"},
      {"at the end", "a%41", "aA"},
      {"UTF-8", "%C3%A9", "\xc3\xa9"},
      {"no UTF-8", "%ff", "\xff"},
      {"decoded once", "%2541", "%41"},
      {"NUL", "a%00b", std::string("a\0b", 3)},
      {"a sign alone", "%", std::nullopt},
      {"one digit", "%4", std::nullopt},
      {"one digit at the end", "a%4", std::nullopt},
      {"a sign at the end", "a%", std::nullopt},
      {"no digits", "%zz", std::nullopt},
      {"a bad first digit", "%g1", std::nullopt},
      {"a bad second digit", "%1g", std::nullopt},
      {"a blank as digit", "% 1", std::nullopt},
      {"a sign as digit", "%+1", std::nullopt},
      {"two signs", "%%41", std::nullopt},
      {"after a good one", "%41%", std::nullopt},
      {"a unicode escape", "%u0041", std::nullopt},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(scalers::percent_decoded(row.text) == row.decoded); }
  }
}

TEST_CASE("a target that is not a path is rejected") {
  struct Row {
    std::string_view name;
    std::string_view text;
  };
  const Row rows[] = {
      {"nothing", ""},
      {"an asterisk", "*"},
      {"absolute form", "http://a/b"},
      {"authority form", "a:443"},
      {"a query alone", "?x=1"},
      {"a blank first", " /a"},
      {"a broken escape", "/a%"},
      {"an escape broken by the query", "/a%2?x=1"},
      {"an escape of no digits", "/a%zzb"},
      {"NUL", "/a%00"},
      {"a raw NUL", "/a\0b"sv},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK_FALSE(parse_target(row.text).has_value()); }
  }
}

TEST_CASE("a path is decoded and otherwise unchanged") {
  struct Row {
    std::string_view name;
    std::string_view text;
    std::string_view path;
  };
  const Row rows[] = {
      {"the root", "/", "/"},
      {"an escaped slash is a slash", "/a%2Fb", "/a/b"},
      {"a plus sign", "/a+b", "/a+b"},
      {"a semicolon", "/a;b", "/a;b"},
      {"a fragment", "/a#b", "/a#b"},
      {"an escaped question mark", "/a%3Fb=c", "/a?b=c"},
      {"S22: dots", "/a/%2e%2e/b", "/a/../b"},
      {"an empty query", "/a?", "/a"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto target = parse_target(row.text);

      REQUIRE(target);
      CHECK(target->path == row.path);
      CHECK(target->query.empty());
    }
  }
}

TEST_CASE("a query is read as Go reads it, in its order") {
  struct Row {
    std::string_view name;
    std::string_view query;
    Pairs pairs;
  };
  const Row rows[] = {
      {"one pair", "a=b", {{"a", "b"}}},
      {"no value", "watch", {{"watch", ""}}},
      {"an empty value", "watch=", {{"watch", ""}}},
      {"an empty name", "=b", {{"", "b"}}},
      {"two equals signs", "a=b=c", {{"a", "b=c"}}},
      {"a plus sign is a blank", "a+x=b+c", {{"a x", "b c"}}},
      {"an escaped plus sign", "a=b%2Bc", {{"a", "b+c"}}},
      {"an escaped ampersand", "a=b%26c=d", {{"a", "b&c=d"}}},
      {"an escaped semicolon", "a=b%3Bc", {{"a", "b;c"}}},
      {"a second question mark", "a=b?c", {{"a", "b?c"}}},
      {"case 22: one name twice", "s=x&s=y", {{"s", "x"}, {"s", "y"}}},
      {"empty pairs", "&&a=b&&", {{"a", "b"}}},
      {"ampersands alone", "&&&", {}},
      {"NUL in a value", "a=%00", {{"a", std::string(1, '\0')}}},
      {"NUL in a name", "%00=a", {{std::string(1, '\0'), "a"}}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto target = parse_target("/m?" + std::string(row.query));

      REQUIRE(target);
      CHECK(target->path == "/m");
      CHECK(target->query == row.pairs);
    }
  }
}

TEST_CASE("a query pair that cannot be decoded rejects the request: a selector is never dropped") {
  struct Row {
    std::string_view name;
    std::string_view query;
  };
  const Row rows[] = {
      {"a raw semicolon", "a=b;c=d&e=f"},
      {"a raw semicolon in a name", "a;b&e=f"},
      {"a broken escape in a value", "a=%zz&e=f"},
      {"a broken escape in a name", "%z=1&e=f"},
      {"an escape cut off at the end", "e=f&a=%2"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK_FALSE(parse_target("/m?" + std::string(row.query))); }
  }
}

}  // namespace
}  // namespace weir::apiservice
