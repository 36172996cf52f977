// Keys of caches: no two lists of texts share one.
#include "scalers/text/key_writer.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace weir::scalers {
namespace {

using Texts = std::vector<std::string>;

std::string key_of(const Texts& texts, std::size_t typical_bytes = 64) {
  KeyWriter key(typical_bytes);
  for (const std::string& text : texts) key.add(text);
  return std::move(key).take();
}

TEST_CASE("equal lists of texts have equal keys, whatever the buffer's capacity") {
  const Texts texts{"queue", "", std::string(300, 'x')};

  CHECK(key_of(texts, 0) == key_of(texts, 1000));
}

TEST_CASE("other lists of texts have other keys") {
  struct Row {
    const char* name;
    Texts left;
    Texts right;
  };
  const auto row = GENERATE(values<Row>({
      {"another text", {"a"}, {"b"}},
      {"the end moves into the next text", {"ab", "c"}, {"a", "bc"}},
      {"an empty text in front", {"", "a"}, {"a", ""}},
      {"one text fewer", {"a", ""}, {"a"}},
      {"a text that looks like a length", {std::string("\1\0\0\0a", 5)}, {"a"}},
      {"zero bytes", {std::string("a\0", 2)}, {"a"}},
  }));

  DYNAMIC_SECTION(row.name) { CHECK(key_of(row.left) != key_of(row.right)); }
}

TEST_CASE("a number is four bytes, and other numbers have other keys") {
  KeyWriter one(16);
  KeyWriter other(16);
  one.add(1U);
  other.add(2U);

  CHECK(one.view().size() == 4);
  CHECK(one.view() != other.view());
}

TEST_CASE("a cleared key starts again") {
  KeyWriter key(16);
  key.add(std::string(100, 'x'));
  key.clear();
  key.add("a");

  CHECK(key.view() == key_of({"a"}));
}

}  // namespace
}  // namespace weir::scalers
