// Which proxy each backend of a configuration uses.
#include "scalers/read/world.hpp"
#include "test/rigs/folder.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/nodes.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

struct Site {
  // The proxy of the backend with this kind and block; or the problems.
  std::string proxy_of(std::string_view kind, const std::string& block) {
    Problems problems;
    const std::vector<Node> documents{
        test::node("{backends: {b: {" + std::string(kind) + ":\n" + with_login(block) + "}}}")};
    const auto world = World::build(documents, loop, clients, clock, events, problems);
    if (!world) return problems.lines().front();
    return world->backends().front().proxy;
  }

  std::string with_login(std::string text) const {
    if (const auto at = text.find("LOGIN"); at != text.npos) {
      const std::string file = "{file: " + folder.write("word", "x") + "}";
      text.replace(at, 5, "username: " + file + ", password: " + file);
    }
    return text;
  }

  test::Folder folder;
  test::FakeClock clock;
  test::ReadEvents events;
  Loop loop;
  Clients clients{loop,
                  {},
                  clients::ProxyRules({{"HTTP_PROXY", "http://user:word@one:3128"},
                                       {"HTTPS_PROXY", "two:3128"},
                                       {"no_proxy", ".svc"}})};
};

struct Row {
  std::string_view name;
  std::string_view kind;
  std::string block;
  std::string_view proxy;
};

TEST_CASE("a backend uses its own proxy, or that of the environment") {
  const Row rows[] = {
      {"http", "prometheus", "{url: 'http://prom'}", "http://***@one:3128 (HTTP_PROXY)"},
      {"https", "prometheus", "{url: 'https://prom'}", "http://two:3128 (HTTPS_PROXY)"},
      {"an exception", "prometheus", "{url: 'http://prom.ml.svc'}", "none (.svc in no_proxy)"},
      {"its own",
       "prometheus",
       "{url: 'http://prom.ml.svc', proxy: 'http://own:1'}",
       "http://own:1 (proxy of the backend)"},
      {"none",
       "prometheus",
       "{url: 'http://prom', proxy: none}",
       "none (proxy: none of the backend)"},
      {"the management API",
       "rabbitmq",
       "{url: 'http://broker', LOGIN}",
       "http://***@one:3128 (HTTP_PROXY)"},
      {"the management API, its own",
       "rabbitmq",
       "{url: 'https://broker', LOGIN, proxy: 'https://own'}",
       "https://own:443 (proxy of the backend)"},
      {"AMQP", "rabbitmq", "{url: 'amqp://broker', LOGIN}", ""},
      {"Redis", "redis", "{url: 'redis://cache'}", ""},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(Site().proxy_of(row.kind, row.block) == row.proxy); }
  }
}

TEST_CASE("a proxy that nothing would use is a problem") {
  const Row rows[] = {
      {"AMQP",
       "rabbitmq",
       "{url: 'amqp://broker', LOGIN,\nproxy: 'http://own'}",
       "t.yaml:3:8: proxy needs a url with http:// or https://, because AMQP connects directly; "
       "remove proxy"},
      {"Redis",
       "redis",
       "{url: 'redis://cache',\nproxy: 'http://own'}",
       "t.yaml:3:1: unknown key \"proxy\" in a redis backend"},
      {"a login",
       "prometheus",
       "{url: 'http://prom',\nproxy: 'http://u:p@own'}",
       "t.yaml:3:8: the url of a proxy must not contain a user or password; set the environment "
       "variable HTTP_PROXY or HTTPS_PROXY from a Secret instead, whose url may have "
       "USER:PASSWORD@"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK_THAT(Site().proxy_of(row.kind, row.block), Catch::StartsWith(std::string(row.proxy)));
    }
  }
}

}  // namespace
}  // namespace weir::scalers
