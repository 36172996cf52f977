#include "scalers/settings/template.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using Lines = std::vector<std::string>;

struct Parsed {
  TextTemplate text;
  Lines problems;
  Lines unused;
};

Parsed parse(std::string_view text) {
  ParameterNames names({"queue", "zone"});
  Problems problems;
  auto parsed = TextTemplate::parse(text, {"t.yaml", 3, 7}, names, problems);
  return {std::move(parsed), problems.lines(), names.unused()};
}

struct Good {
  std::string_view name;
  std::string_view text;
  std::string rendered;
};

TEST_CASE("a template renders each parameter in its place") {
  const Parameters parameters{"ml", {{"queue", "a b"}, {"zone", "$(queue)"}}};
  const Good rows[] = {
      {"no parameter", "jobs", "jobs"},
      {"one", "$(queue)", "a b"},
      {"text around it", "q:$(queue):len", "q:a b:len"},
      {"two side by side", "$(namespace)$(queue)", "mla b"},
      {"twice the same", "$(queue)/$(queue)", "a b/a b"},
      {"a value with a parameter stays a value", "$(zone)", "$(queue)"},
      {"a literal $(", "$$(queue)", "$(queue)"},
      {"a literal $( in front of a parameter", "$$($(queue))", "$(a b)"},
      {"a literal $( that nothing closes", "a$$(", "a$("},
      {"a dollar before a literal $(", "$$$(queue)", "$$(queue)"},
      {"a dollar alone", "cost$", "cost$"},
      {"a dollar before text", "$queue", "$queue"},
      {"other brackets", "${queue} $[queue]", "${queue} $[queue]"},
      {"a bracket alone", "a)(b", "a)(b"},
      {"empty", "", ""},
  };

  for (const Good& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto parsed = parse(row.text);

      CHECK(parsed.problems == Lines{});
      CHECK(parsed.text.render(parameters) == row.rendered);
    }
  }
}

struct Bad {
  std::string_view name;
  std::string_view text;
  Lines problems;
};

TEST_CASE("a parameter that is not known is a problem") {
  const auto unknown = [](std::string_view name) {
    return "t.yaml:3:7: $(" + std::string(name) +
           ") is not a declared label; use one of $(namespace), $(queue), $(zone) (write $$( for a "
           "literal $()";
  };
  const std::string open = "t.yaml:3:7: a parameter has the form $(label); the ) is missing";
  const Bad rows[] = {
      {"undeclared", "$(topic)", {unknown("topic")}},
      {"in other letters", "$(Queue)", {unknown("Queue")}},
      {"a blank inside", "$( queue)", {unknown(" queue")}},
      {"empty", "$()", {unknown("")}},
      {"nested", "$($(queue))", {unknown("$(queue")}},
      {"not closed", "a$(queue", {open}},
      {"not closed, at the end", "a$(", {open}},
      {"two of them", "$(a)$(b)", {unknown("a"), unknown("b")}},
      {"one of two", "$(queue)$(b)", {unknown("b")}},
      {"one, and one not closed", "$(b)$(", {unknown("b"), open}},
  };

  for (const Bad& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(parse(row.text).problems == row.problems); }
  }
}

TEST_CASE("a parameter in use is marked as used, a literal one is not") {
  CHECK(parse("$(queue)").unused == Lines{"zone"});
  CHECK(parse("$(queue)$(zone)$(namespace)").unused == Lines{});
  CHECK(parse("$$(queue)").unused == Lines{"queue", "zone"});
}

TEST_CASE("a template is empty without text") {
  CHECK(TextTemplate().empty());
  CHECK(parse("").text.empty());
  CHECK_FALSE(parse("a").text.empty());
  CHECK_FALSE(parse("$(queue)").text.empty());
  CHECK_FALSE(parse("$$(").text.empty());
}

TEST_CASE("a template knows whether a caller's value is part of it") {
  CHECK(parse("jobs:$(queue)").text.has_parameters());
  CHECK(parse("$(namespace)").text.has_parameters());
  CHECK_FALSE(parse("jobs:$$(queue)").text.has_parameters());
  CHECK_FALSE(parse("").text.has_parameters());
  CHECK(parse("a $(queue) $(namespace)").text.has_parameter("namespace"));
  CHECK_FALSE(parse("queue $(namespace)").text.has_parameter("queue"));
}

}  // namespace
}  // namespace weir::scalers
