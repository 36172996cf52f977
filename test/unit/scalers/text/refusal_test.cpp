// The forms of refusals, and which of them are known to be words. Their words in the forms of
// hosted services are in test/unit/scalers/backends/prometheus/words_test.cpp.
#include "scalers/text/refusal.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::scalers {
namespace {

struct Row {
  std::string_view name;
  std::string body;
  RefusalForm form;
  std::string words;
};

TEST_CASE("a refusal has the words of its form") {
  const Row rows[] = {
      {"nothing", "", RefusalForm::none, ""},
      {"a text", "no entry", RefusalForm::text, "no entry"},
      {"a JSON text", R"("no entry")", RefusalForm::text, "no entry"},
      {"a list of texts", R"(["no entry"])", RefusalForm::text, "no entry"},
      {"a message", R"({"message":"no entry"})", RefusalForm::members, "no entry"},
      {"RabbitMQ",
       R"({"error":"not_authorized","reason":"Login failed"})",
       RefusalForm::members,
       "not_authorized: Login failed"},
      {"a code and a message",
       R"({"code":"AccessDenied","message":"no entry"})",
       RefusalForm::members,
       "AccessDenied: no entry"},
      {"the status line again",
       R"({"code":"403","message":"no entry"})",
       RefusalForm::members,
       "no entry"},
      {"Google, with its list",
       R"({"error":{"code":403,"message":"no","errors":[{"message":"no"}],"status":"DENIED"}})",
       RefusalForm::members,
       "DENIED: no"},
      {"a list of objects", R"([{"error":"x"}])", RefusalForm::members, "x"},
      {"another form", R"({"why":"x"})", RefusalForm::unknown_json, R"({"why":"x"})"},
      {"a result", R"({"status":"success","data":[]})", RefusalForm::none, ""},
      {"XML",
       "\n<ErrorResponse><Error><Code>A</Code><Message>b &amp;lt; c</Message></Error>",
       RefusalForm::members,
       "A: b &lt; c"},
      {"XML of another form", "<?xml?><why>x</why>", RefusalForm::xml, "x"},
      {"a page", "<!-- --><html><title>x</title>y</html>", RefusalForm::page, "x"},
      {"a text with markup", "no <Code>A</Code>", RefusalForm::text, "no <Code>A</Code>"},
  };

  for (const Row& row : rows) {
    INFO(row.name);
    const Refusal refusal = read_refusal(row.body);
    CHECK(refusal.form == row.form);
    CHECK(refusal.words == row.words);
    CHECK(refusal_words(row.body) == row.words);
  }
}

}  // namespace
}  // namespace weir::scalers
