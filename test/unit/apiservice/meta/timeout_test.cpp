#include "apiservice/meta/timeout.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace weir::apiservice {
namespace {

Request waiting(std::string timeout) {
  Request out;
  out.method = "GET";
  out.path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/m";
  out.query = {{"timeout", std::move(timeout)}};
  return out;
}

scalers::Result<std::optional<Duration>> timeout_for(const Request& request) {
  return timeout_of(request, request_info_of(request, {}));
}

TEST_CASE("a timeout is a Go duration") {
  struct Row {
    std::string_view name;
    std::string text;
    std::optional<Duration> granted;
  };
  const Row rows[] = {
      {"kubectl", "32s", Duration{32'000}},
      {"a fraction", "1.5s", Duration{1'500}},
      {"no digit in front", ".5s", Duration{500}},
      {"no digit after", "1.s", Duration{1'000}},
      {"several units", "1m2s3ms", Duration{62'003}},
      {"hours", "1h", Duration{3'600'000}},
      {"micro", "2500us", Duration{2}},
      {"micro with its sign", "1000\xc2\xb5s", Duration{1}},
      {"less than a millisecond", "1ns", Duration{0}},
      {"a plus", "+1s", Duration{1'000}},
      {"empty: not said", "", std::nullopt},
      {"zero: no limit", "0", std::nullopt},
      {"zero seconds", "0s", std::nullopt},
      {"negative: no limit", "-1s", std::nullopt},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto timeout = timeout_for(waiting(row.text));

      REQUIRE(timeout.has_value());
      CHECK(*timeout == row.granted);
    }
  }
  CHECK(timeout_for(Request{}).value() == std::nullopt);
}

TEST_CASE("an invalid timeout is rejected with Go's text") {
  struct Row {
    std::string_view name;
    std::string text;
    std::string_view why;
  };
  const Row rows[] = {
      {"a word", "abc", R"(invalid duration "abc")"},
      {"no unit", "5", R"(missing unit in duration "5")"},
      {"no unit after another", "5s3", R"(missing unit in duration "5s3")"},
      {"another unit", "5x", R"(unknown unit "x" in duration "5x")"},
      {"days", "1d", R"(unknown unit "d" in duration "1d")"},
      {"capitals", "1S", R"(unknown unit "S" in duration "1S")"},
      {"no digits", ".s", R"(invalid duration ".s")"},
      {"a sign alone", "-", R"(invalid duration "-")"},
      {"two points", "1.2.3s", R"(missing unit in duration "1.2.3s")"},
      {"a blank", "1 s", R"(unknown unit " s" in duration "1 s")"},
      {"too long", "3000000h", R"(invalid duration "3000000h")"},
      {"very long", "99999999999999999999s", R"(invalid duration "99999999999999999999s")"},
      {"quotes and UTF-8", "\"\xc3\xa4", R"(invalid duration "\"\xc3\xa4")"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto timeout = timeout_for(waiting(row.text));

      REQUIRE(timeout.has_error());
      CHECK(timeout.error().code == scalers::Errc::bad_request);
      CHECK(timeout.error().message() ==
            "invalid timeout specified in the request URL - time: " + std::string(row.why));
    }
  }
}

TEST_CASE("the timeout of a watch is not checked") {
  Request request = waiting("abc");
  request.query.emplace_back("watch", "1");

  CHECK(timeout_for(request).has_value());
}

}  // namespace
}  // namespace weir::apiservice
