#include "scalers/settings/pattern.hpp"

#include "scalers/settings/parameters.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::scalers {
namespace {

struct Match {
  std::string_view name;
  std::string pattern;
  std::string text;
  bool matches;
};

struct Bad {
  std::string_view name;
  std::string pattern;
  std::string why;
};

TEST_CASE("a pattern matches a whole text or not at all") {
  const Match rows[] = {
      {"the whole", "ml\\.[a-z]+", "ml.requests", true},
      {"empty and empty", "", "", true},
      {"UTF-8", ".", "\u00e9", true},
      {"the beginning", "ml", "mlx", false},
      {"the end", "ml", "xml", false},
      {"an alternative's beginning", "a|b", "ab", false},
      {"a line", "ml", "ml\n", false},
      {"a line of many", "(?m)^ml$", "a\nml\nb", false},
      {"a dot is not a line end", "a.b", "a\nb", false},
      {"another case", "ml", "ML", false},
      {"the empty text", "a+", "", false},
  };

  for (const Match& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto compiled = Pattern::compile(row.pattern);

      REQUIRE(std::holds_alternative<Pattern>(compiled));
      CHECK(std::get<Pattern>(compiled).matches(row.text) == row.matches);
      CHECK(std::get<Pattern>(compiled).text() == row.pattern);
    }
  }
}

TEST_CASE("a pattern whose literals have other bytes matches no text of the allowed ones") {
  struct Row {
    std::string pattern;
    bool may_match;
  };
  const Row rows[] = {
      {"team/a", false},
      {"team/.*", false},
      {"[^/]+/[^/]+", false},
      {"a/b|c/d", false},
      {"x{3}\\+", false},
      {"(?i)TEAM/A", false},
      {"\u00e9", false},
      {"a/b|c", true},
      {"a/?b", true},
      {"(?:a/)*b", true},
      {"[a-z/]+", true},
      {"[A-Z]+", true},
      {"ABC", true},
      {".+", true},
      {"", true},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION("pattern " << row.pattern) {
      const auto compiled = Pattern::compile(row.pattern);

      REQUIRE(std::holds_alternative<Pattern>(compiled));
      CHECK(std::get<Pattern>(compiled).may_match_bytes([](char c) {
        return std::string_view("abctemx").find(c) != std::string_view::npos;
      }) == row.may_match);
    }
  }
}

TEST_CASE("a pattern without operators is its only text") {
  const auto literal = [](const std::string& pattern) {
    return std::get<Pattern>(Pattern::compile(pattern)).literal();
  };

  CHECK(literal("team/a") == "team/a");
  CHECK(literal("ml\\.embed") == "ml.embed");
  CHECK(literal("") == "");
  CHECK(literal("ml.embed") == std::nullopt);
  CHECK(literal("a|b") == std::nullopt);
  CHECK(literal("a+") == std::nullopt);
  CHECK(literal("\\d") == std::nullopt);
  CHECK(literal("(?i)a") == std::nullopt);
}

TEST_CASE("a pattern that RE2 rejects is an error with the reason") {
  const Bad rows[] = {
      {"an open bracket", "(", "missing ): ("},
      {"a closed bracket", ")", "unexpected ): )"},
      {"an open class", "[a", "missing ]: [a"},
      {"nothing to repeat", "*", "no argument for repetition operator: *"},
      {"a backreference", "(a)\\1", "invalid escape sequence: \\1"},
      {"a look-ahead", "(?=a)", "invalid perl operator: (?="},
      {"a repetition without bound", "a{1001}", "invalid repetition size: {1001}"},
      {"a backslash last", "a\\", "trailing \\"},
      {"one byte of many", "\\C", "\\C is not supported"},
      {"invalid UTF-8", "\xff", "invalid UTF-8"},
  };

  for (const Bad& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto compiled = Pattern::compile(row.pattern);

      REQUIRE(std::holds_alternative<Pattern::Invalid>(compiled));
      CHECK(std::get<Pattern::Invalid>(compiled).why == row.why);
    }
  }
}

TEST_CASE("a parameter counts if it is used and exists") {
  ParameterNames names({"queue", "vhost", "pod"});

  CHECK(names.use("vhost"));
  CHECK(names.use("vhost"));
  CHECK(names.use("namespace"));
  CHECK_FALSE(names.use("Vhost"));
  CHECK_FALSE(names.use(""));
  CHECK_FALSE(names.use("queue "));
  CHECK(names.unused() == std::vector<std::string>{"queue", "pod"});
  CHECK(names.listed() == "$(namespace), $(queue), $(vhost), $(pod)");
}

TEST_CASE("without labels the namespace is the only parameter") {
  ParameterNames names({});

  CHECK(names.use("namespace"));
  CHECK(names.unused().empty());
  CHECK(names.listed() == "$(namespace)");
}

TEST_CASE("a backend has no labels, and a namespace that is sent has to be a DNS label") {
  ParameterNames names = ParameterNames::of_backend();

  CHECK_FALSE(names.use("queue"));
  CHECK(names.problem_of("queue") ==
        "$(queue) is not known to a backend, which has $(namespace) alone: labels are those of a "
        "metric (write $$( for a literal $()");
  CHECK(names.use("namespace"));
  CHECK_FALSE(names.needs_dns_label());
  names.send_namespace();
  CHECK(names.needs_dns_label());
}

}  // namespace
}  // namespace weir::scalers
