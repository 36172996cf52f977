// The holder of a slot by the replies of nodes that agree, disagree, or have no opinion.
#include "scalers/clients/redis/slot_owner.hpp"

#include "test/rigs/redis_replies.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::error;
using test::integer;
using test::shown;
using test::text;

// The owner when each node, node-0 and so on, sends its replies.
std::string owner_by(const std::vector<std::vector<RedisReply>>& nodes) {
  SlotOpinions opinions;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    add_opinion(opinions, {fmt::format("node-{}", i), 6379}, nodes[i]);
  const auto owner = slot_owner(opinions);
  if (!owner) return shown(owner.error());
  return *owner ? (*owner)->host : "none";
}

TEST_CASE("the holder of a slot is the node that most others name") {
  const std::vector<RedisReply> old{error("MOVED 1 old:6379")};
  const std::vector<RedisReply> newer{error("MOVED 1 new:6379")};
  const std::vector<RedisReply> value{integer(3)};
  const std::vector<RedisReply> down{error("CLUSTERDOWN The cluster is down")};
  const std::string differ =
      "partial: the nodes of the cluster name different nodes for the key; is a failover in "
      "progress?";
  const std::pair<std::vector<std::vector<RedisReply>>, std::string> rows[] = {
      {{}, "none"},
      {{old}, "old"},
      {{old, newer, newer}, "new"},
      {{newer, old, newer, down}, "new"},
      {{old, newer}, differ},
      {{old, newer, newer, old}, differ},
      {{value, old}, "old"},  // the same node under two names
      {{down, value}, "node-1"},
      {{down, {error("LOADING Redis is loading the dataset in memory")}}, "none"},
      {{{error("NOPERM this user has no permissions")}, {error("NOAUTH")}}, "none"},
      {{{error("WRONGTYPE Operation against a key")}}, "node-0"},
      {{{error("ERR no such key"), error("ERR no such key")}}, "node-0"},
      {{{error("ASK 1 new:6379")}}, "node-0"},
      {{{error("MOVED 1 ?:6379")}}, "none"},
      {{{text("OK"), text("QUEUED"), error("MOVED 1 old:6379"), error("EXECABORT")}}, "old"},
  };
  for (const auto& [nodes, expected] : rows) {
    CAPTURE(expected);
    CHECK(owner_by(nodes) == expected);
  }
}

TEST_CASE("a command is about a key that is one of its arguments") {
  CHECK(is_about_key({{"MULTI"}, {"ROLE"}, {"LLEN", "jobs"}, {"EXEC"}}, "jobs"));
  CHECK(is_about_key({{"XINFO", "STREAM", "jobs"}}, "jobs"));
  CHECK_FALSE(is_about_key({{"SCAN", "0", "COUNT", "500"}}, "jobs"));
  CHECK_FALSE(is_about_key({{"LLEN", "jobs"}}, "LLEN"));
}

}  // namespace
}  // namespace weir::scalers::clients
