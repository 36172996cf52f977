// YAML text -> nodes: kinds, positions, and what is refused.
#include "server/yaml/parse.hpp"

#include "scalers/settings/table.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

using scalers::Node;
using scalers::Problems;
using scalers::SettingDoc;
using Kind = Node::Kind;
using Texts = std::vector<std::string>;

// The document of a text that has no problem.
Node parse(std::string_view text) {
  Problems problems;
  Node out = parse_yaml(text, "f.yaml", problems);
  CHECK(problems.lines() == Texts{});
  return out;
}

Texts problems_of(std::string_view text) {
  Problems problems;
  static_cast<void>(parse_yaml(text, "f.yaml", problems));
  return problems.lines();
}

std::string position(const Node& node) {
  return std::to_string(node.mark.line) + ":" + std::to_string(node.mark.column);
}

TEST_CASE("every node knows its file, its line and its column") {
  const Node root = parse(
      "# a comment\n"
      "backends:\n"
      "  prom:\n"
      "    prometheus: {url: \"http://a\", n: 1}\n"
      "metrics:\n"
      "  - name: q\n"
      "  -\n"
      "    - x\n");

  REQUIRE(root.kind == Kind::map);
  REQUIRE(root.fields.size() == 2);
  CHECK(position(root) == "2:1");
  CHECK(root.mark.file == "f.yaml");
  CHECK(root.fields[1].key == "metrics");
  CHECK(root.fields[1].mark.line == 5);
  CHECK(root.fields[1].mark.column == 1);
  const Node* prometheus = root.find("backends")->find("prom")->find("prometheus");
  REQUIRE(prometheus != nullptr);
  CHECK(position(*prometheus) == "4:17");
  CHECK(position(*prometheus->find("url")) == "4:23");
  CHECK(prometheus->fields[1].mark.column == 35);
  const Node& metrics = *root.find("metrics");
  REQUIRE(metrics.kind == Kind::list);
  REQUIRE(metrics.items.size() == 2);
  CHECK(position(metrics) == "6:3");
  CHECK(position(metrics.items[0]) == "6:5");
  CHECK(position(metrics.items[1].items[0]) == "8:7");
}

TEST_CASE("a scalar has its text, and whether it was quoted") {
  struct Row {
    std::string_view name;
    std::string_view yaml;
    std::string_view text;
    bool is_quoted;
  };
  const Row rows[] = {
      {"a number", "a: 5", "5", false},
      {"a number in quotes", "a: \"5\"", "5", true},
      {"single quotes", "a: 'it''s'", "it's", true},
      {"plain text", "a: b c", "b c", false},
      {"no is a text", "a: no", "no", false},
      {"a leading zero stays", "a: 0755", "0755", false},
      {"a date stays", "a: 2001-01-01", "2001-01-01", false},
      {"an empty text in quotes", "a: \"\"", "", true},
      {"null in quotes", "a: \"null\"", "null", true},
      {"a block", "a: |\n  x\n  y\n", "x\ny\n", true},
      {"a folded block", "a: >-\n  x\n  y\n", "x y", true},
      {"an escape", R"(a: "\u00e4\n")", "\xc3\xa4\n", true},
      {"a number before a comment", "a: 5 # five", "5", false},
      {"a comment sign inside", "a: b#c", "b#c", false},
      {"parameters", "a: $(queue)", "$(queue)", false},
      {"UTF-8", "a: \xc3\xa4", "\xc3\xa4", false},
      {"a byte order mark",
       "\xef\xbb\xbf"
       "a: 5",
       "5",
       false},
      {"Windows line ends", "a: 5\r\nb: 6\r\n", "5", false},
      {"an alias", "x: &v 5\na: *v", "5", false},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Node root = parse(row.yaml);

      REQUIRE(root.find("a") != nullptr);
      CHECK(root.find("a")->kind == Kind::scalar);
      CHECK(root.find("a")->text == row.text);
      CHECK(root.find("a")->is_quoted == row.is_quoted);
    }
  }
}

TEST_CASE("nothing is null, however it is written") {
  const std::string_view texts[] = {"a:", "a: ", "a: ~", "a: null", "a: NULL", "{a: }", "{a}"};

  for (const std::string_view text : texts) {
    DYNAMIC_SECTION(text) {
      const Node root = parse(text);

      REQUIRE(root.find("a") != nullptr);
      CHECK(root.find("a")->kind == Kind::null);
    }
  }
}

TEST_CASE("an empty list is a list and an empty map is a map") {
  const Node root = parse("a: []\nb: {}\n");

  CHECK(root.find("a")->kind == Kind::list);
  CHECK(root.find("a")->items.empty());
  CHECK(root.find("b")->kind == Kind::map);
  CHECK(root.find("b")->fields.empty());
}

TEST_CASE("a duplicate key stays in the nodes, so that check_keys names the second") {
  Problems problems;
  const Node root = parse_yaml("a: 1\nb: 2\na: 3\n", "f.yaml", problems);
  const SettingDoc rows[] = {{"a", "text", nullptr, false, ""}, {"b", "text", nullptr, false, ""}};

  CHECK(scalers::check_keys(root, rows, "test", problems));

  REQUIRE(root.fields.size() == 3);
  CHECK(root.fields[0].value.text == "1");
  CHECK(root.fields[2].value.text == "3");
  CHECK(problems.lines() == Texts{"f.yaml:3:1: duplicate key a (first at 1:1)"});
}

TEST_CASE("a text without a document is an error that says what to write") {
  const std::string_view texts[] =
      {"", " \n\n", "# a comment\n", "---\n", "~", "---\n...\n", "\xef\xbb\xbf"};

  for (const std::string_view text : texts) {
    DYNAMIC_SECTION("text '" << text << "'") {
      Problems problems;
      const Node root = parse_yaml(text, "f.yaml", problems);

      CHECK(root.kind == Kind::null);
      CHECK(problems.lines() ==
            Texts{"f.yaml:1:1: the file is empty; write backends: and metrics:"});
    }
  }
}

TEST_CASE("the second document of a file is an error, and the first is still read") {
  Problems problems;
  const Node root = parse_yaml("a: 1\n---\nb: 2\n", "f.yaml", problems);

  CHECK(root.find("a") != nullptr);
  CHECK(root.find("b") == nullptr);
  CHECK(problems.lines() == Texts{"f.yaml:1:1: a file has one document; move the part after --- "
                                  "to a separate file"});
}

TEST_CASE("a document between marks is one document") {
  CHECK(parse("---\na: 1\n...\n").find("a")->text == "1");
  CHECK(parse("%YAML 1.2\n---\na: 1\n").find("a")->text == "1");
}

TEST_CASE("invalid YAML is an error at the position of the fault") {
  struct Row {
    std::string_view name;
    std::string_view yaml;
    std::string_view beginning;
  };
  const Row rows[] = {
      {"an open list", "a: [1, 2\n", "f.yaml:2:1: not valid YAML: "},
      {"an open map", "a: {b: 1\n", "f.yaml:2:1: not valid YAML: "},
      {"a tab as indent", "a:\n\tb: 1\n", "f.yaml:2:3: not valid YAML: "},
      {"a wrong indent", "a:\n  b: 1\n c: 2\n", "f.yaml:3:2: not valid YAML: "},
      {"a map in a value", "a: b: c\n", "f.yaml:1:5: not valid YAML: "},
      {"an unknown alias", "a: *x\n", "f.yaml:1:4: not valid YAML: "},
      {"an unknown escape", "a: \"\\q\"\n", "f.yaml:1:7: not valid YAML: "},
      {"a closing bracket", "a: 1\n]\n", "f.yaml:2:1: not valid YAML: "},
      {"an at sign", "a: @b\n", "f.yaml:1:4: not valid YAML: "},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Problems problems;
      const Node root = parse_yaml(row.yaml, "f.yaml", problems);

      CHECK(root.kind == Kind::null);
      REQUIRE(problems.size() == 1);
      CHECK_THAT(problems.lines().front(), Catch::StartsWith(std::string(row.beginning)));
    }
  }
}

TEST_CASE("a key that is not a text is an error, and the other keys are read") {
  struct Row {
    std::string_view name;
    std::string_view yaml;
    std::string_view problem;
  };
  const Row rows[] = {
      {"a list",
       "b: 1\n? [x, y]\n: 2\n",
       "f.yaml:2:3: a key must be a string, not a list or a map"},
      {"a map", "b: 1\n? {x: y}\n: 2\n", "f.yaml:2:3: a key must be a string, not a list or a map"},
      {"a list in braces",
       "{b: 1, [x]: 2}\n",
       "f.yaml:1:8: a key must be a string, not a list or a map"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Problems problems;
      const Node root = parse_yaml(row.yaml, "f.yaml", problems);

      CHECK(root.fields.size() == 1);
      CHECK(root.find("b") != nullptr);
      CHECK(problems.lines() == Texts{std::string(row.problem)});
    }
  }
}

std::string nested(std::size_t depth) {
  return "a: " + std::string(depth, '[') + "1" + std::string(depth, ']') + "\n";
}

TEST_CASE("nesting is bounded, and reported once") {
  const std::string too_much = "the configuration is too large or nested too deeply";

  CHECK(problems_of(nested(60)).empty());
  CHECK(problems_of(nested(70)) == Texts{"f.yaml:1:68: " + too_much});
  CHECK(problems_of(nested(100)).size() == 1);
  CHECK(problems_of(nested(100'000)).size() == 1);
  CHECK(problems_of("a: " + std::string(100'000, '[')).size() == 1);
  CHECK(problems_of("a: " + std::string(100'000, '{')).size() == 1);
}

TEST_CASE("S46: aliases that multiply each other end in one problem") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 12; ++level) {
    const std::string above = "*a" + std::to_string(level - 1);
    const std::string name = "a" + std::to_string(level);
    bomb += name + ": &" + name + " [";
    for (int i = 0; i < 9; ++i) bomb += above + ", ";
    bomb += above + "]\n";
  }

  const Texts lines = problems_of(bomb);

  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines.front(), Catch::EndsWith("the configuration is too large or nested too deeply"));
}

TEST_CASE("an alias within its own anchor would be endless, and is an error") {
  const std::string too_much = "the configuration is too large or nested too deeply";

  CHECK(problems_of("a: &x [1, *x]\n") == Texts{"f.yaml:1:11: " + too_much});
  CHECK(problems_of("&x a:\n  b: &y {c: *y}\n") == Texts{"f.yaml:2:13: " + too_much});
}

TEST_CASE("S46: an alias that is a key copies nothing") {
  constexpr std::size_t kTimes = 20'000;
  std::string list = "x: &x [";
  std::string keys = "y: {";
  for (std::size_t i = 0; i < kTimes; ++i) {
    list += "a,";
    keys += "*x : 1,";
  }

  const auto problems = problems_of(list + "]\n" + keys + "}\n");

  REQUIRE(problems.size() == kTimes);
  CHECK_THAT(problems.front(), Catch::EndsWith("a key must be a string, not a list or a map"));
}

TEST_CASE("an alias counts with the depth of its position") {
  const std::string deep = "x: &x " + std::string(40, '[') + std::string(40, ']') + "\n";
  const std::string lists(24, '[');
  const std::string ends(24, ']');

  CHECK(problems_of(deep + "a: " + lists + "*x" + ends + "\n").empty());
  CHECK(problems_of(deep + "a: [" + lists + "*x" + ends + "]\n") ==
        Texts{"f.yaml:1:46: the configuration is too large or nested too deeply"});
}

TEST_CASE("an alias of a text is a key as well") {
  const Node root = parse("x: &name q\ny: {*name : 5}\n");

  REQUIRE(root.find("y")->find("q") != nullptr);
  CHECK(root.find("y")->find("q")->text == "5");
}

TEST_CASE("an alias of a block is the block, with its own position") {
  const Node root = parse("x: &tls {ca: f}\ny: *tls\n");

  REQUIRE(root.find("y")->kind == Kind::map);
  CHECK(root.find("y")->find("ca")->text == "f");
  CHECK(position(*root.find("y")->find("ca")) == "1:14");
}

}  // namespace
}  // namespace weir::server
