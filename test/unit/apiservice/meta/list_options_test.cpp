// The query of a list: what is refused, in which words, and what changes nothing.
#include "apiservice/meta/list_options.hpp"

#include "apiservice/meta/field_selector.hpp"
#include "apiservice/request/request_info.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::apiservice {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Request asking(Pairs query) {
  Request out;
  out.method = "GET";
  out.path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/m";
  out.query = std::move(query);
  return out;
}

Status refused(Pairs query) {
  auto out = parse_list_options(asking(std::move(query)));
  REQUIRE(std::holds_alternative<Status>(out));
  return std::get<Status>(std::move(out));
}

TEST_CASE("options without effect are accepted") {
  struct Row {
    std::string_view name;
    Pairs query;
  };
  const Row rows[] = {
      {"none", {}},
      {"case 25: limit", {{"limit", "500"}}},
      {"a negative limit", {{"limit", "-1"}}},
      {"a signed limit", {{"limit", "+1"}}},
      {"the largest limit", {{"limit", "9223372036854775807"}}},
      {"timeoutSeconds", {{"timeoutSeconds", "10"}}},
      {"of two limits the first", {{"limit", "1"}, {"limit", "x"}}},
      {"case 28: a field selector", {{"fieldSelector", "metadata.name=foo"}}},
      {"two fields", {{"fieldSelector", "metadata.namespace!=a,metadata.name==b"}}},
      {"empty terms", {{"fieldSelector", ",,"}}},
      {"an escape", {{"fieldSelector", "metadata.name=a\\,b"}}},
      {"resourceVersion", {{"resourceVersion", "0"}}},
      {"a match with a version",
       {{"resourceVersionMatch", "NotOlderThan"}, {"resourceVersion", "0"}}},
      {"an empty match", {{"resourceVersionMatch", ""}}},
      {"continue", {{"continue", "abc"}}},
      {"bookmarks", {{"allowWatchBookmarks", "maybe"}}},
      {"case 34: an unknown one", {{"foo", "bar"}}},
      {"another case", {{"Limit", "x"}}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(std::holds_alternative<ListOptions>(parse_list_options(asking(row.query))));
    }
  }
}

TEST_CASE("case 26: an option that cannot be parsed is 400 with Go's text") {
  struct Row {
    std::string_view name;
    Pairs query;
    std::string_view message;
  };
  const Row rows[] = {
      {"a word", {{"limit", "x"}}, R"(strconv.ParseInt: parsing "x": invalid syntax)"},
      {"empty", {{"limit", ""}}, R"(strconv.ParseInt: parsing "": invalid syntax)"},
      {"a fraction", {{"limit", "1.5"}}, R"(strconv.ParseInt: parsing "1.5": invalid syntax)"},
      {"a blank", {{"limit", " 1"}}, R"(strconv.ParseInt: parsing " 1": invalid syntax)"},
      {"two signs", {{"limit", "+-1"}}, R"(strconv.ParseInt: parsing "+-1": invalid syntax)"},
      {"a sign", {{"limit", "+"}}, R"(strconv.ParseInt: parsing "+": invalid syntax)"},
      {"an underscore", {{"limit", "1_0"}}, R"(strconv.ParseInt: parsing "1_0": invalid syntax)"},
      {"quotes", {{"limit", "\"\n"}}, R"(strconv.ParseInt: parsing "\"\n": invalid syntax)"},
      {"too large",
       {{"limit", "9223372036854775808"}},
       R"(strconv.ParseInt: parsing "9223372036854775808": value out of range)"},
      {"too large, then a letter",
       {{"limit", "9223372036854775808x"}},
       R"(strconv.ParseInt: parsing "9223372036854775808x": invalid syntax)"},
      {"timeoutSeconds first",
       {{"limit", "x"}, {"timeoutSeconds", "y"}},
       R"(strconv.ParseInt: parsing "y": invalid syntax)"},
      {"numbers before selectors",
       {{"labelSelector", ",a"}, {"limit", "x"}},
       R"(strconv.ParseInt: parsing "x": invalid syntax)"},
      {"labels before fields",
       {{"fieldSelector", "a"}, {"labelSelector", ",a"}},
       "found ',', expected: !, identifier, or 'end of string'"},
      {"a field without an operator",
       {{"fieldSelector", "metadata.name=a,b"}},
       "invalid selector: 'metadata.name=a,b'; can't understand 'b'"},
      {"a bare = in a value",
       {{"fieldSelector", "metadata.name=a=b"}},
       "invalid field selector: unescaped character in value: 61"},
      {"an unknown escape",
       {{"fieldSelector", "metadata.name=a\\b"}},
       "invalid field selector: invalid escape sequence: \\b"},
      {"half an escape",
       {{"fieldSelector", "metadata.name=a\\"}},
       "invalid field selector: invalid escape sequence: \\"},
      {"case 29: another field",
       {{"fieldSelector", "spec.x=1"}},
       R"("spec.x" is not a known field selector: only "metadata.name", "metadata.namespace")"},
      {"the first of two unknown ones, sorted",
       {{"fieldSelector", "b=1,a=1"}},
       R"("a" is not a known field selector: only "metadata.name", "metadata.namespace")"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Status status = refused(row.query);

      CHECK(status.code == 400);
      CHECK(status.reason == "BadRequest");
      CHECK(status.message == row.message);
      CHECK_FALSE(status.details);
    }
  }
}

TEST_CASE("case 30: conflicting options are 422 with their causes") {
  const std::string lonely =
      "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
  struct Row {
    std::string_view name;
    Pairs query;
    std::string message;
    std::vector<std::string_view> causes;  // their types
  };
  const Row rows[] = {
      {"a match alone",
       {{"resourceVersionMatch", "Exact"}},
       "resourceVersionMatch: " + lonely,
       {"FieldValueForbidden"}},
      {"with continue",
       {{"resourceVersionMatch", "Exact"}, {"resourceVersion", "1"}, {"continue", "x"}},
       "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is "
       "provided",
       {"FieldValueForbidden"}},
      {"exactly 0",
       {{"resourceVersionMatch", "Exact"}, {"resourceVersion", "0"}},
       "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for "
       "resourceVersion \"0\"",
       {"FieldValueForbidden"}},
      {"initial events, even false",
       {{"sendInitialEvents", "false"}},
       "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
       {"FieldValueForbidden"}},
      {"two at once",
       {{"resourceVersionMatch", "x"}},
       "[resourceVersionMatch: " + lonely +
           ", resourceVersionMatch: Unsupported value: \"x\": supported values: \"Exact\", "
           "\"NotOlderThan\", \"\"]",
       {"FieldValueForbidden", "FieldValueNotSupported"}},
      {"before an unknown field",
       {{"sendInitialEvents", ""}, {"fieldSelector", "spec.x=1"}},
       "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
       {"FieldValueForbidden"}},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Status status = refused(row.query);

      CHECK(status.code == 422);
      CHECK(status.reason == "Invalid");
      CHECK(status.message == "ListOptions.meta.k8s.io \"\" is invalid: " + row.message);
      REQUIRE(status.details);
      CHECK(status.details->group == "meta.k8s.io");
      CHECK(status.details->kind == "ListOptions");
      std::vector<std::string_view> causes;
      for (const StatusCause& cause : status.details->causes) causes.emplace_back(cause.reason);
      CHECK(causes == row.causes);
    }
  }
}

TEST_CASE("a Status with causes as JSON") {
  CHECK(render(refused({{"resourceVersionMatch", "Exact"}})).body ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
        R"("ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: )"
        R"(resourceVersionMatch is forbidden unless resourceVersion is provided",)"
        R"("reason":"Invalid","details":{"group":"meta.k8s.io","kind":"ListOptions","causes":[)"
        R"({"reason":"FieldValueForbidden","message":"Forbidden: resourceVersionMatch is )"
        R"(forbidden unless resourceVersion is provided","field":"resourceVersionMatch"}]},)"
        R"("code":422})"
        "\n");
}

TEST_CASE("a field selector's requirements") {
  const auto parsed = parse_field_selector("b!=x\\=y,a==,c=\\\\\\,");

  REQUIRE(parsed.has_value());
  CHECK(*parsed ==
        std::vector<FieldRequirement>{{"a", "", true}, {"b", "x=y", false}, {"c", "\\,", true}});
}

TEST_CASE("case 28: a list of one name is authorized as that name") {
  struct Row {
    std::string_view name;
    Pairs query;
    std::string_view expected_name;
  };
  const Row rows[] = {
      {"no selector", {}, ""},
      {"a name", {{"fieldSelector", "metadata.name=foo"}}, "foo"},
      {"==", {{"fieldSelector", "metadata.name==foo"}}, "foo"},
      {"beside another", {{"fieldSelector", "metadata.namespace=a,metadata.name=foo"}}, "foo"},
      {"not that one", {{"fieldSelector", "metadata.name!=foo"}}, ""},
      {"another field", {{"fieldSelector", "spec.x=foo"}}, ""},
      {"no segment", {{"fieldSelector", "metadata.name=a/b"}}, ""},
      {"dots", {{"fieldSelector", "metadata.name=.."}}, ""},
      {"a broken one", {{"fieldSelector", "metadata.name=foo,x"}}, ""},
      {"a broken number beside it", {{"fieldSelector", "metadata.name=foo"}, {"limit", "x"}}, ""},
      {"of two the first", {{"fieldSelector", ""}, {"fieldSelector", "metadata.name=foo"}}, ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const RequestInfo attributes = request_info_of(asking(row.query), {});

      CHECK(attributes.verb == "list");
      CHECK(attributes.resource == "m");
      CHECK(attributes.name == row.expected_name);
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
