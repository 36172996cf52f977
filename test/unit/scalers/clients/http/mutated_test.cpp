// Responses with random damage: each ends in a reply or an error, and the client goes on. 2,000 of
// them; WEIR_SCALE multiplies that (./dev nightly mutations: 142,000).
#include "test/rigs/http_rig.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::Connection;
using test::ok;
using test::shown;
using test::TcpServer;
using namespace std::chrono_literals;

int scaled(int size) {
  const char* const scale = std::getenv("WEIR_SCALE");
  return scale == nullptr || *scale == '\0' ? size : static_cast<int>(size * std::stod(scale));
}

const std::vector<std::string>& originals() {
  static const std::vector<std::string> texts{
      ok(R"({"status":"success","data":{"resultType":"vector","result":[]}})"),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-T: "
      "1\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
      "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate, NTLM, Basic realm=\"x\"\r\n"
      "Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n",
      "HTTP/1.0 200 OK\r\n\r\nuntil the end"};
  return texts;
}

class Damage {
 public:
  std::string next() {
    std::string out = originals()[below(originals().size())];
    for (std::size_t i = below(4) + 1; i > 0 && !out.empty(); --i) change(out);
    return out;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  void change(std::string& text) {
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0: text[at] = static_cast<char>(below(256)); return;
      case 1: text.erase(at, below(8) + 1); return;
      case 2: text.insert(at, text.substr(below(text.size()), below(40))); return;
      case 3: text.resize(at); return;
      default: text.insert(at, std::string(below(3) + 1, "\r\n:0 "[below(5)])); return;
    }
  }

  std::minstd_rand random_{1};
};

TEST_CASE("a response with random damage is a reply or an error, and the next one is whole") {
  Damage damage;
  TcpServer server({[&](Connection& connection) {
    if (connection.read_request().empty()) return;
    connection.write(damage.next());
  }});
  test::HttpRig site;
  const int responses = scaled(2'000);
  int replies = 0;

  for (int i = 0; i < responses; ++i) {
    const auto reply = site.send(site.request(server.port()), 5s);
    if (reply) ++replies;
    const bool is_timeout = !reply && reply.error().code == Errc::timed_out;
    if (is_timeout) FAIL(shown(reply));
  }

  CHECK(replies > responses / 10);
  TcpServer healthy({test::always(ok("{}"))});
  CHECK(shown(site.send(site.request(healthy.port()))) == "a value");
}

}  // namespace
}  // namespace weir::scalers::clients
