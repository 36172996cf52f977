#include "apiservice/meta/status.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace weir::apiservice {
namespace {

using scalers::Errc;

TEST_CASE("every Errc has its HTTP code and its reason") {
  struct Row {
    Errc code;
    int status;
    std::string_view reason;
  };
  const Row rows[] = {
      {Errc::unknown_metric, 404, "NotFound"},
      {Errc::unknown_object, 404, "NotFound"},
      {Errc::bad_request, 400, "BadRequest"},
      {Errc::no_value, 503, "ServiceUnavailable"},
      {Errc::not_a_number, 503, "ServiceUnavailable"},
      {Errc::negative, 503, "ServiceUnavailable"},
      {Errc::out_of_range, 503, "ServiceUnavailable"},
      {Errc::too_many, 503, "ServiceUnavailable"},
      {Errc::too_large, 503, "ServiceUnavailable"},
      {Errc::stale, 503, "ServiceUnavailable"},
      {Errc::partial, 503, "ServiceUnavailable"},
      {Errc::bad_reply, 503, "ServiceUnavailable"},
      {Errc::timed_out, 504, "Timeout"},
      {Errc::overloaded, 429, "TooManyRequests"},
      {Errc::unreachable, 503, "ServiceUnavailable"},
      {Errc::tls, 503, "ServiceUnavailable"},
      {Errc::refused, 503, "ServiceUnavailable"},
      {Errc::forbidden, 503, "ServiceUnavailable"},
      {Errc::settling, 503, "ServiceUnavailable"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(name_of(row.code)) {
      const Status status = status_of({row.code, "metric ns/m: why", ""});

      CHECK(status.code == row.status);
      CHECK(status.reason == row.reason);
      CHECK(status.message == "metric ns/m: why");
      CHECK_FALSE(status.details.has_value());
    }
  }
}

TEST_CASE("the remote text follows Weir's text") {
  const Status status = status_of({Errc::bad_reply, "prometheus prom", "parse error at char 3"});

  CHECK(status.message == "prometheus prom: parse error at char 3");
}

TEST_CASE("a Status has Kubernetes' keys in Kubernetes' order") {
  struct Row {
    std::string_view name;
    Status status;
    std::string_view tail;  // after the keys that never change
  };
  const Row rows[] = {
      {"details left out",
       {400, "BadRequest", "m", std::nullopt},
       R"("message":"m","reason":"BadRequest","code":400})"},
      {"empty details",
       {404, "NotFound", "m", StatusDetails{}},
       R"("message":"m","reason":"NotFound","details":{},"code":404})"},
      {"a group alone",
       {403, "Forbidden", "m", StatusDetails{"g", ""}},
       R"("message":"m","reason":"Forbidden","details":{"group":"g"},"code":403})"},
      {"a kind alone",
       {403, "Forbidden", "m", StatusDetails{"", "k"}},
       R"("message":"m","reason":"Forbidden","details":{"kind":"k"},"code":403})"},
      {"group and kind",
       {405, "MethodNotAllowed", "m", StatusDetails{"g", "*"}},
       R"("message":"m","reason":"MethodNotAllowed","details":{"group":"g","kind":"*"},"code":405})"},
      {"no reason", {500, "", "m", std::nullopt}, R"("message":"m","code":500})"},
      {"an empty message",
       {503, "ServiceUnavailable", "", std::nullopt},
       R"("message":"","reason":"ServiceUnavailable","code":503})"},
      {"escapes in message and details",
       {403, "Forbidden", "a \"<\n", StatusDetails{"", "&"}},
       R"("message":"a \"\u003c\n","reason":"Forbidden","details":{"kind":"\u0026"},"code":403})"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const Response response = render(row.status);

      CHECK(response.status == row.status.code);
      CHECK(response.content_type == "application/json");
      CHECK(response.body ==
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)" +
                std::string(row.tail) + "\n");
    }
  }
}

TEST_CASE("statuses and texts are those of Kubernetes") {
  const Response page = page_not_found();

  CHECK(render(unauthorized()).body ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
        R"("message":"Unauthorized","reason":"Unauthorized","code":401})"
        "\n");
  CHECK(render(resource_not_found()).body ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
        R"("the server could not find the requested resource","reason":"NotFound",)"
        R"("details":{},"code":404})"
        "\n");
  CHECK(render(method_not_allowed()).body ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
        R"("the server does not allow this method on the requested resource",)"
        R"("reason":"MethodNotAllowed","details":{},"code":405})"
        "\n");
  CHECK(page.status == 404);
  CHECK(page.content_type == "text/plain; charset=utf-8");
  CHECK(page.body == "404 page not found\n");
}

}  // namespace
}  // namespace weir::apiservice
