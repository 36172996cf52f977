#include "server/http/response.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

namespace weir::server {
namespace {

using apiservice::Response;

TEST_CASE("the bytes of a response") {
  struct Row {
    std::string_view name;
    Response response;
    bool is_head;
    bool is_keep_alive;
    std::string_view bytes;
  };
  const Row rows[] = {
      {"what every response has",
       {200, "application/json", "{}"},
       false,
       true,
       "HTTP/1.1 200 OK\r\nAudit-Id: a\r\nX-Content-Type-Options: nosniff\r\n"
       "Content-Type: application/json\r\nCache-Control: no-cache, private\r\n"
       "Content-Length: 2\r\n\r\n{}"},
      {"to a HEAD, the last one",
       {405, "text/plain", "no"},
       true,
       false,
       "HTTP/1.1 405 Method Not Allowed\r\nAudit-Id: a\r\nX-Content-Type-Options: nosniff\r\n"
       "Content-Type: text/plain\r\nCache-Control: no-cache, private\r\n"
       "Content-Length: 2\r\nConnection: close\r\n\r\n"},
      {"headers of its own, which win",
       {200, "t", "x", {{"ETag", "\"1\""}, {"Cache-Control", "public"}}},
       false,
       true,
       "HTTP/1.1 200 OK\r\nAudit-Id: a\r\nX-Content-Type-Options: nosniff\r\n"
       "Content-Type: t\r\nETag: \"1\"\r\nCache-Control: public\r\nContent-Length: 1\r\n\r\nx"},
      {"not modified: neither length nor body",
       {304, "", "ignored", {{"ETag", "\"1\""}}},
       false,
       true,
       "HTTP/1.1 304 Not Modified\r\nAudit-Id: a\r\nX-Content-Type-Options: nosniff\r\n"
       "ETag: \"1\"\r\nCache-Control: no-cache, private\r\n\r\n"},
      {"an empty body without a type",
       {406, "", ""},
       false,
       true,
       "HTTP/1.1 406 Not Acceptable\r\nAudit-Id: a\r\nX-Content-Type-Options: nosniff\r\n"
       "Cache-Control: no-cache, private\r\nContent-Length: 0\r\n\r\n"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::string out = "before|";

      append_response(out, row.response, "a", row.is_head, row.is_keep_alive);

      CHECK(out == "before|" + std::string(row.bytes));
    }
  }
}

}  // namespace
}  // namespace weir::server
