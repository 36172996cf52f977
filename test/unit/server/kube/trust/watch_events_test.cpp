#include "server/kube/trust/watch_events.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server::cluster {
namespace {

using Kind = WatchEvent::Kind;
using Lines = std::optional<std::vector<std::string>>;

TEST_CASE("a list gives the ConfigMap's data and where to watch from") {
  const auto found =
      parse_config_map_list(R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"7"},)"
                            R"("items":[{"data":{"a":"1","n":2},"metadata":{}}]})");
  const auto none = parse_config_map_list(
      R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"8"},"items":null})");

  REQUIRE(found.has_value());
  CHECK(found->resource_version == "7");
  CHECK(found->data == ConfigMapData{{"a", "1"}});
  REQUIRE(none.has_value());
  CHECK_FALSE(none->data);
}

TEST_CASE("anything but a list of ConfigMaps is an error") {
  const std::string_view rows[] = {
      "",
      "[]",
      "{}",
      R"({"kind":"ConfigMapList","items":[]})",
      R"({"kind":"Status","metadata":{"resourceVersion":"7"},"items":[]})",
      R"({"kind":"ConfigMapList","metadata":{"resourceVersion":7},"items":[]})",
      R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"7"},"items":{}})",
  };

  for (const std::string_view row : rows) {
    DYNAMIC_SECTION("reply " << row) {
      CHECK(test::shown(parse_config_map_list(row)) ==
            "bad_reply: the response is not a list of ConfigMaps");
    }
  }
}

TEST_CASE("each line of a watch is one event") {
  struct Row {
    std::string_view line;
    Kind kind;
    std::string_view version;
  };
  const Row rows[] = {
      {R"({"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}})", Kind::changed, "1"},
      {R"({"type":"MODIFIED","object":{"metadata":{"resourceVersion":"2"}}})", Kind::changed, "2"},
      {R"({"type":"DELETED","object":{"metadata":{"resourceVersion":"3"}}})", Kind::deleted, "3"},
      {R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"4"}}})", Kind::bookmark, "4"},
      {R"({"type":"ERROR","object":{"kind":"Status","code":410}})", Kind::gone, ""},
      {R"({"type":"ERROR","object":{"kind":"Status","code":500}})", Kind::error, ""},
      {R"({"type":"ADDED","object":{}})", Kind::error, ""},
      {R"({"type":"ADDED"})", Kind::error, ""},
      {R"({"type":"OTHER","object":{"metadata":{"resourceVersion":"5"}}})", Kind::error, "5"},
      {"gibberish", Kind::error, ""},
      {"[1]", Kind::error, ""},
      {"", Kind::error, ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION("line " << row.line) {
      const WatchEvent event = parse_watch_event(row.line);

      CHECK(event.kind == row.kind);
      CHECK(event.resource_version == row.version);
    }
  }
}

TEST_CASE("an event carries the data") {
  const auto event = parse_watch_event(
      R"({"type":"ADDED","object":{"data":{"k":"v"},"metadata":{"resourceVersion":"1"}}})");

  CHECK(event.data == ConfigMapData{{"k", "v"}});
}

TEST_CASE("lines are assembled from parts") {
  LineBuffer buffer(10);

  CHECK(buffer.take("ab") == Lines(std::vector<std::string>{}));
  CHECK(buffer.take("c\nde\n\nf") == Lines({"abc", "de"}));
  CHECK(buffer.take("\n") == Lines({"f"}));
  CHECK(buffer.take("0123456789\n") == Lines({"0123456789"}));
}

TEST_CASE("a line over the limit ends the watch, with or without the line's end") {
  CHECK_FALSE(LineBuffer(10).take("01234567890\n"));
  CHECK_FALSE(LineBuffer(10).take("01234567890"));
  LineBuffer slow(4);
  CHECK(slow.take("0123"));
  CHECK_FALSE(slow.take("4"));
}

}  // namespace
}  // namespace weir::server::cluster
