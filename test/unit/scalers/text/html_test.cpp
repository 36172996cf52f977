// page_words(): the title or the text of pages that proxies send.
#include "scalers/text/html.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace weir::scalers {
namespace {

TEST_CASE("a page is its title, or all of its text") {
  struct Row {
    std::string_view name;
    std::string body;
    std::optional<std::string> words;
  };
  const Row rows[] = {
      {"a title",
       "<html><head><title>403 Forbidden</title></head><body>x</body></html>",
       "403 Forbidden"},
      {"upper case", "<!DOCTYPE HTML><HTML><TITLE>Moved</TITLE>", "Moved"},
      {"a byte-order mark and blanks", "\xEF\xBB\xBF \r\n<html><title>a</title>", "a"},
      {"attributes", "<html lang=en><title data-x='1'>a</title>", "a"},
      {"attributes with a >", "<html><TITLE Lang='a>b' x = \"c>d\">e</TITLE>", "e"},
      {"attributes with other quotes", "<html><title x=it's y=\"z>a</title>", "a"},
      {"a text with attributes and no title", "<html><p class=\"x>y\">No</p>host", "No host"},
      {"a title in front", "<TITLE lang=en>Sign in</TITLE><p>x", "Sign in"},
      {"a comment in front", "<!-- a <b> --><html><title>Sign in</title>", "Sign in"},
      {"a comment in front of no page", "<!-- a --> <span>No</span> host", "No host"},
      {"two comments, blanks and a declaration",
       "\n<!-- a -->\r\n<?xml version='1.0'?>\n<!-- b -->\xEF\xBB\xBF<!DOCTYPE "
       "html>\n<title>c</title>",
       "c"},
      {"an empty comment", "<!--><html>a<!---->b", "a b"},
      {"a comment alone", "<!-- a -->", ""},
      {"an open comment in front", "<!-- <title>a</title>", ""},
      {"an open declaration", "<?xml version", ""},
      {"on several lines", "<html><title>\n  Sign\r\n\tin  \n</title>", "Sign in"},
      {"entities",
       "<html><title>a &lt;b&gt; &amp;amp; &quot;c&#39;s&nbsp;d &copy;</title>",
       "a <b> &amp; \"c's d &copy;"},
      {"other entities", "<title>a&#160;b &apos;c&#x27;</title>", "a b 'c'"},
      {"an empty title", "<html><title> </title><body>No <b>route</b></body>", "No route"},
      {"no title",
       "<html><head><style>p {x: y}</style></head><script>1 < 2</script><p>No</p><p>host</p>",
       "No host"},
      {"a header is not a head", "<html><header>Top</header>Text", "Top Text"},
      {"a comment", "<html><!-- <title> --><title>a</title>", "a"},
      {"a comment with text", "<html><!-- secret > -->b", "b"},
      {"an open title", "<html><title>cut o", "cut o"},
      {"an open tag", "<html><body", ""},
      {"an open script", "<html>a<script>b", "a"},
      {"an open comment", "<html>a<!-- b", "a"},
      {"tags alone", "<html></html>", ""},
      {"a < of the text", "<html>1 < 2 <title>a</title>", "a"},
      {"text with <", "<html><p>1 < 2 <3</p>", "1 < 2 <3"},
      {"a fragment", "<h1>Not Found</h1>", "Not Found"},
      {"XML", "<?xml version=\"1.0\"?><E><Code>A</Code><Message>B</Message></E>", "A B"},
      {"a text", "upstream connect error", std::nullopt},
      {"JSON", R"({"error":"<html>"})", std::nullopt},
      {"another bracket", "<- no", std::nullopt},
      {"a word in brackets", "<nil> <b>", std::nullopt},
      {"nothing", "", std::nullopt},
      {"blanks", "  \n", std::nullopt},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(page_words(row.body) == row.words); }
  }
}

TEST_CASE("of a large page only the start is read") {
  const auto page = [](char filler) {
    return "<html>" + std::string(1'000'000, filler) + "<title>late</title>";
  };

  CHECK(page_words(page(' ')) == "");
  CHECK(page_words("<!--" + std::string(1'000'000, ' ') + "--><title>a</title>") == "a");
  CHECK(page_words(page('<')) == std::string(8192 - 6, '<'));
}

}  // namespace
}  // namespace weir::scalers
