// Whom Sentinels name, when some of them are silent, wrong or late.
#include "scalers/clients/redis/sentinel_reply.hpp"

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
using test::list;
using test::nil;
using test::shown;
using test::text;

std::string outcome(const Result<SentinelMaster>& master) {
  if (!master) return shown(master.error());
  return fmt::format("{} {} {}", master->address.host, master->address.port, master->epoch);
}

RedisReply address(std::string host, std::string port) {
  return list({text(std::move(host)), text(std::move(port))});
}
// As fields(), of a master at 10.0.0.1:6379 with `flags`.
RedisReply flagged(std::string flags) {
  return list({text("ip"),
               text("10.0.0.1"),
               text("port"),
               text("6379"),
               text("flags"),
               text(std::move(flags)),
               text("config-epoch"),
               text("7")});
}
RedisReply fields(std::string epoch) {
  return list({text("name"), text("config-epoch"), text("config-epoch"), text(std::move(epoch))});
}

TEST_CASE("a Sentinel names the master and the epoch of its configuration") {
  struct Row {
    std::string_view name;
    std::vector<RedisReply> replies;
    std::string outcome;
  };
  const auto no_master = error("ERR No such master with that name");
  const Row rows[] = {
      {"a master", {address("10.0.0.1", "6379"), fields("7")}, "10.0.0.1 6379 7"},
      {"a host name", {address("redis-0.redis", "6379"), fields("0")}, "redis-0.redis 6379 0"},
      {"another service",
       {nil(), no_master},
       "bad_reply: a Sentinel does not monitor \"jobs\"; is the name of the service right?"},
      {"a plain server",
       {error("ERR unknown command 'SENTINEL', with args"), error("ERR unknown command")},
       "bad_reply: a node is not a Sentinel; write the addresses of the Sentinels, by default with "
       "port 26379"},
      {"no permission",
       {error("NOPERM this user has no permissions"), no_master},
       "refused: the user may not ask the Sentinel; grant +sentinel|master and "
       "+sentinel|get-master-addr-by-name"},
      {"an empty host",
       {address("", "6379"), fields("7")},
       "bad_reply: a Sentinel's reply has no address"},
      {"a host with a blank",
       {address("a b", "6379"), fields("7")},
       "bad_reply: a Sentinel's reply has no address"},
      {"no list", {integer(1), fields("7")}, "bad_reply: a Sentinel's reply has no address"},
      {"a port of letters",
       {address("10.0.0.1", "http"), fields("7")},
       "bad_reply: a Sentinel's reply has no port"},
      {"port 0",
       {address("10.0.0.1", "0"), fields("7")},
       "bad_reply: a Sentinel's reply has no port"},
      {"no epoch",
       {address("10.0.0.1", "6379"), list({text("name"), text("jobs")})},
       "bad_reply: a Sentinel's reply has no config-epoch"},
      {"an epoch of letters",
       {address("10.0.0.1", "6379"), fields("seven")},
       "bad_reply: a Sentinel's reply has no config-epoch"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(outcome(parse_master("jobs", row.replies)) == row.outcome); }
  }
}

TEST_CASE("the highest epoch of a majority is the newest") {
  const auto named = [](std::string host, std::uint64_t epoch) {
    return Result<SentinelMaster>(SentinelMaster{{std::move(host), 6379}, epoch});
  };
  const Result<SentinelMaster> lost = Error{Errc::unreachable, "cannot connect", ""};
  struct Row {
    std::string_view name;
    std::vector<Result<SentinelMaster>> opinions;
    std::size_t configured;
    std::string outcome;
  };
  const Row rows[] = {
      {"one of one", {named("a", 1)}, 1, "a 6379 1"},
      {"all agree", {named("a", 1), named("a", 1), named("a", 1)}, 3, "a 6379 1"},
      {"one has heard of the failover",
       {named("a", 1), named("b", 2), named("a", 1)},
       3,
       "b 6379 2"},
      {"a majority", {lost, named("a", 1), named("a", 1)}, 3, "a 6379 1"},
      {"a minority",
       {lost, named("a", 1), lost},
       3,
       "unreachable: 1 of 3 Sentinels named the master, which is no majority: cannot connect"},
      {"half is no majority",
       {lost, named("a", 1)},
       2,
       "unreachable: 1 of 2 Sentinels named the master, which is no majority: cannot connect"},
      {"silence",
       {named("a", 1)},
       3,
       "timed_out: 1 of 3 Sentinels named the master, which is no majority: no response in time"},
      {"none of one", {lost}, 1, "unreachable: the Sentinel: cannot connect"},
      {"two in one epoch",
       {named("a", 1), named("b", 1), named("a", 0)},
       3,
       "partial: the Sentinels name different masters"},
      {"two in an old epoch", {named("a", 1), named("b", 1), named("c", 2)}, 3, "c 6379 2"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(outcome(newest_master(row.opinions, row.configured)) == row.outcome);
    }
  }
}

TEST_CASE("a master that is down or being replaced does not count") {
  const auto opinion = [](std::string flags, std::string host = "10.0.0.1") {
    return parse_master("jobs",
                        std::vector{address(std::move(host), "6379"), flagged(std::move(flags))});
  };
  const std::string down =
      "partial: the Sentinels take the master for down, or a failover is in progress";
  const std::string up = "10.0.0.1 6379 7";
  struct Row {
    std::string_view name;
    std::vector<Result<SentinelMaster>> opinions;
    std::string outcome;
  };
  const Row rows[] = {
      {"up", {opinion("master"), opinion("master"), opinion("master")}, up},
      {"one does not hear of it",
       {opinion("s_down,master"), opinion("master"), opinion("master")},
       up},
      {"two do not",
       {opinion("s_down,master"), opinion("s_down,master,disconnected"), opinion("master")},
       down},
      {"one knows that it is down",
       {opinion("master"), opinion("s_down,o_down,master"), opinion("master")},
       down},
      {"a failover has begun",
       {opinion("master"), opinion("master,failover_in_progress"), opinion("master")},
       down},
      {"the replica is promoted",
       {opinion("master,failover_in_progress", "10.0.0.2"),
        opinion("s_down,master", "10.0.0.2"),
        opinion("master", "10.0.0.2")},
       "10.0.0.2 6379 7"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) { CHECK(outcome(newest_master(row.opinions, 3)) == row.outcome); }
  }
}

TEST_CASE("the server that Sentinels name counts only as a master") {
  const std::pair<RedisReply, std::string> rows[] = {
      {list({text("master"), integer(0), list({})}), "none"},
      {list({text("slave"), text("10.0.0.1"), integer(6379), text("connected"), integer(7)}),
       "partial: the server that the Sentinels name as the master is a replica (ROLE: slave); is a "
       "failover in progress?"},
      {list({text("sentinel"), list({})}),
       "bad_reply: the server that the Sentinels name is not a master by ROLE"},
      {error("NOPERM this user has no permissions"),
       "refused: the server that the Sentinels name counts only if it is a master by ROLE; grant "
       "+role"},
      {error("LOADING Redis is loading"),
       "unreachable: the server is loading its data <LOADING Redis is loading>"},
      {integer(1), "bad_reply: the response to ROLE has an unexpected type"},
      {list({}), "bad_reply: the response to ROLE has an unexpected type"},
  };
  for (const auto& [role, expected] : rows) {
    const auto problem = master_problem(role);
    CHECK((problem ? shown(*problem) : "none") == expected);
  }
}

}  // namespace
}  // namespace weir::scalers::clients
