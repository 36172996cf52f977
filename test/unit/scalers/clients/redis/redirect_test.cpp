// The cluster specification's slots, and redirects as servers really write them.
#include "scalers/clients/redis/redirect.hpp"

#include "test/rigs/redis_replies.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::error;
using test::integer;
using test::shown;
using test::text;

TEST_CASE("the slot of a key is that of its hash tag") {
  const std::pair<std::string_view, std::uint16_t> rows[] = {
      {"123456789", 0x31C3},  // the specification's test vector
      {"foo", 12182},
      {"", 0},
      {"{user1000}.following", slot_of("user1000")},
      {"foo{bar}{zap}", slot_of("bar")},
      {"foo{{bar}}zap", slot_of("{bar")},
      {"foo}{bar}", slot_of("bar")},
  };
  for (const auto& [key, slot] : rows) {
    CAPTURE(key);
    CHECK(slot_of(key) == slot);
  }
  CHECK(slot_of("foo{}{bar}") != slot_of("bar"));
  CHECK(slot_of("foo{bar") != slot_of("bar"));
  CHECK(slot_of("\xff\x80") < kSlots);
}

std::string found(const std::string& reply) {
  const std::vector<RedisReply> replies{integer(1), text("QUEUED"), error(reply)};
  const auto redirect = find_redirect(replies, {"asked", 1});
  if (!redirect) return shown(redirect.error());
  if (!*redirect) return "none";
  return fmt::format("{} {} {}",
                     (*redirect)->is_ask ? "ask" : "moved",
                     (*redirect)->to.host,
                     (*redirect)->to.port);
}

TEST_CASE("a redirect names the node to ask") {
  const std::string nowhere =
      "bad_reply: the cluster names no address for the key; set cluster-announce-hostname on its "
      "nodes, or cluster-preferred-endpoint-type ip";
  const std::pair<std::string, std::string> rows[] = {
      {"MOVED 3999 127.0.0.1:6381", "moved 127.0.0.1 6381"},
      {"ASK 3999 127.0.0.1:6381", "ask 127.0.0.1 6381"},
      {"ERR MOVED 7572 10.0.0.1:6379", "moved 10.0.0.1 6379"},
      {"ERR ASK 7572 10.0.0.1:6379", "ask 10.0.0.1 6379"},
      {"MOVED 3999 fd00::12:6381", "moved fd00::12 6381"},
      {"MOVED 3999 redis-0.redis:6379", "moved redis-0.redis 6379"},
      {"MOVED 3999 :6381", "moved asked 6381"},
      {"MOVED 3999 ?:6381", nowhere},
      {"MOVED 3999 a/b:6381", nowhere},
      {"MOVED 3999 " + std::string(254, 'a') + ":6381", nowhere},
      {"MOVED 3999 127.0.0.1:0", nowhere},
      {"MOVED 3999 127.0.0.1:66000", nowhere},
      {"MOVED 3999 127.0.0.1", nowhere},
      {"MOVED 3999", nowhere},
      {"TRYAGAIN Multiple keys request during rehashing of slot", "none"},
      {"WRONGTYPE Operation against a key", "none"},
  };
  for (const auto& [reply, expected] : rows) {
    CAPTURE(reply);
    CHECK(found(reply) == expected);
  }
}

TEST_CASE("ASKING precedes each command, and a transaction once") {
  const std::vector<RedisWords> two{{"XINFO", "GROUPS", "a"}, {"XINFO", "STREAM", "a"}};
  const std::vector<RedisWords> transaction{{"MULTI"}, {"ROLE"}, {"LLEN", "a"}, {"EXEC"}};

  CHECK(with_asking(two) == std::vector<RedisWords>{{"ASKING"}, two[0], {"ASKING"}, two[1]});
  CHECK(with_asking(transaction) ==
        std::vector<RedisWords>{{"ASKING"}, {"MULTI"}, {"ROLE"}, {"LLEN", "a"}, {"EXEC"}});

  const auto of_two = without_asking(two, {text("OK"), integer(1), text("OK"), integer(2)});
  REQUIRE(of_two.size() == 2);
  CHECK(of_two[0].integer == 1);
  CHECK(of_two[1].integer == 2);
  const auto of_transaction =
      without_asking(transaction,
                     {text("OK"), text("OK"), text("QUEUED"), text("QUEUED"), integer(7)});
  REQUIRE(of_transaction.size() == 4);
  CHECK(of_transaction[3].integer == 7);
}

}  // namespace
}  // namespace weir::scalers::clients
