#include "scalers/backends/redis/redis.hpp"

#include "scalers/clients/redis/client.hpp"
#include "test/rigs/redis_replies.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::redis {
namespace {

using clients::RedisReply;
using test::error;
using test::group;
using test::integer;
using test::list;
using test::nil;
using test::outcome;
using test::shown;
using test::text;
using Words = std::vector<std::string>;
using Outcome = Result<std::optional<double>>;

Subject subject(Kind kind) {
  const bool has_group = kind == Kind::pending || kind == Kind::lag;
  return {kind, "jobs", has_group ? "workers" : ""};
}

struct Row {
  std::string_view name;
  Kind kind;
  RedisReply reply;
  std::string outcome;
};

void check(const Row& row) {
  DYNAMIC_SECTION(row.name) {
    const auto out = parse_reply(subject(row.kind), row.reply);

    CHECK(outcome(out) == row.outcome);
  }
}

TEST_CASE("each kind sends one command that only reads") {
  CHECK(command_for(subject(Kind::list)) == Words{"LLEN", "jobs"});
  CHECK(command_for(subject(Kind::stream)) == Words{"XLEN", "jobs"});
  CHECK(command_for(subject(Kind::pending)) == Words{"XPENDING", "jobs", "workers"});
  CHECK(command_for(subject(Kind::lag)) == Words{"XINFO", "GROUPS", "jobs"});
  CHECK(command_for(subject(Kind::sorted_set)) == Words{"ZCARD", "jobs"});
  CHECK(command_for(subject(Kind::set)) == Words{"SCARD", "jobs"});
  CHECK(command_for(subject(Kind::hash)) == Words{"HLEN", "jobs"});
  CHECK(command_for(subject(Kind::counter)) == Words{"GET", "jobs"});
}

TEST_CASE("a missing key is zero only where Redis deletes what is empty") {
  CHECK(default_missing(Kind::list) == Missing::zero);
  CHECK(default_missing(Kind::sorted_set) == Missing::zero);
  CHECK(default_missing(Kind::set) == Missing::zero);
  CHECK(default_missing(Kind::hash) == Missing::zero);
  CHECK(default_missing(Kind::stream) == Missing::error);
  CHECK(default_missing(Kind::pending) == Missing::error);
  CHECK(default_missing(Kind::lag) == Missing::error);
  CHECK(default_missing(Kind::counter) == Missing::error);
}

TEST_CASE("a length is the number that Redis counts") {
  const Row rows[] = {
      {"list", Kind::list, integer(7), "7"},
      {"stream", Kind::stream, integer(7), "7"},
      {"an empty stream exists", Kind::stream, integer(0), "0"},
      {"sorted set", Kind::sorted_set, integer(7), "7"},
      {"set", Kind::set, integer(7), "7"},
      {"hash", Kind::hash, integer(7), "7"},
      {"a collection without elements is none", Kind::list, integer(0), "none"},
      {"a set without elements is none", Kind::set, integer(0), "none"},
      {"pending", Kind::pending, list({integer(3), text("1-0"), text("3-0"), list({})}), "3"},
      {"nothing pending", Kind::pending, list({integer(0), nil(), nil(), nil()}), "0"},
      {"lag", Kind::lag, list({group("other", integer(9)), group("workers", integer(4))}), "4"},
      {"no lag", Kind::lag, list({group("workers", integer(0))}), "0"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a length of another form is an error") {
  const Row rows[] = {
      {"nil for a list",
       Kind::list,
       nil(),
       "bad_reply: the response to LLEN has an unexpected type"},
      {"text", Kind::list, text("7"), "bad_reply: the response to LLEN has an unexpected type"},
      {"a list",
       Kind::set,
       list({integer(7)}),
       "bad_reply: the response to SCARD has an unexpected type"},
      {"nil for a stream",
       Kind::stream,
       nil(),
       "bad_reply: the response to XLEN has an unexpected type"},
      {"pending as text",
       Kind::pending,
       text("3"),
       "bad_reply: the response to XPENDING has an unexpected type"},
      {"pending, an empty list",
       Kind::pending,
       list({}),
       "bad_reply: the response to XPENDING has an unexpected type"},
      {"pending, a list of texts",
       Kind::pending,
       list({text("3")}),
       "bad_reply: the response to XPENDING has an unexpected type"},
      {"lag as a number",
       Kind::lag,
       integer(4),
       "bad_reply: the response to XINFO has an unexpected type"},
      {"lag as text within the group",
       Kind::lag,
       list({group("workers", text("4"))}),
       "bad_reply: the response to XINFO has an unexpected type"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("an unknown lag is an error, never zero") {
  const std::string no_group = "unknown_object: stream \"jobs\" has no consumer group \"workers\"";
  const Row rows[] = {
      {"no groups", Kind::lag, list({}), no_group},
      {"another group", Kind::lag, list({group("other", integer(4))}), no_group},
      {"the group's name in other letters",
       Kind::lag,
       list({group("Workers", integer(4))}),
       no_group},
      {"an entry without a name", Kind::lag, list({list({text("lag"), integer(4)})}), no_group},
      {"an entry that is no list", Kind::lag, list({integer(4)}), no_group},
      {"a name without a value", Kind::lag, list({list({text("name")})}), no_group},
      {"a field called as the group",
       Kind::lag,
       list({list({text("workers"), text("name"), text("lag"), integer(4)})}),
       no_group},
      {"nil",
       Kind::lag,
       list({group("workers", nil())}),
       "partial: Redis does not know the lag of group \"workers\" (entries were deleted, or its "
       "position was set by hand); use kind: pending or kind: stream"},
      {"before Redis 7",
       Kind::lag,
       list({list({text("name"), text("workers"), text("pending"), integer(2)})}),
       "bad_reply: the server reports no lag; lag needs Redis 7 or later"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a counter is a plain decimal number") {
  const Row rows[] = {
      {"whole", Kind::counter, text("42"), "42"},
      {"zero", Kind::counter, text("0"), "0"},
      {"a fraction", Kind::counter, text("1.5"), "1.5"},
      {"negative, for the policies", Kind::counter, text("-3"), "-3"},
      {"an exponent", Kind::counter, text("1e3"), "1000"},
      {"a missing key", Kind::counter, nil(), "none"},
  };

  for (const Row& row : rows) check(row);
}

TEST_CASE("a counter that is not a number is an error") {
  const std::string no_number = "not_a_number: the counter \"jobs\" does not hold a number";
  const Row rows[] = {
      {"empty", Kind::counter, text(""), no_number},
      {"words", Kind::counter, text("many"), no_number},
      {"a blank in front", Kind::counter, text(" 5"), no_number},
      {"a line end after", Kind::counter, text("5\n"), no_number},
      {"text after", Kind::counter, text("5x"), no_number},
      {"a NUL byte after", Kind::counter, text(std::string("5\0", 2)), no_number},
      {"two numbers", Kind::counter, text("5-5"), no_number},
      {"a comma", Kind::counter, text("1,5"), no_number},
      {"hexadecimal", Kind::counter, text("0x10"), no_number},
      {"NaN", Kind::counter, text("nan"), no_number},
      {"infinity", Kind::counter, text("inf"), no_number},
      {"JSON", Kind::counter, text("{\"n\":5}"), no_number},
      {"beyond a double",
       Kind::counter,
       text("1e400"),
       "out_of_range: the counter \"jobs\" is outside the range of a 64-bit float"},
      {"a list",
       Kind::counter,
       list({text("5")}),
       "bad_reply: the response to GET has an unexpected type"},
      {"an integer",
       Kind::counter,
       integer(5),
       "bad_reply: the response to GET has an unexpected type"},
  };

  for (const Row& row : rows) check(row);
}

struct Refusal {
  std::string_view name;
  std::string text;
  std::string shown;
};

TEST_CASE("each error reply has its own error") {
  const Refusal rows[] = {
      {"no password given",
       "NOAUTH Authentication required.",
       "refused: the server requires a password <NOAUTH Authentication required.>"},
      {"a wrong password",
       "WRONGPASS invalid username-password pair or user is disabled.",
       "refused: the credentials are refused <WRONGPASS invalid username-password pair or user is "
       "disabled.>"},
      {"an ACL",
       "NOPERM no permissions",
       "forbidden: the user has no permission for this command <NOPERM no permissions>"},
      {"another type",
       "WRONGTYPE Operation against a key holding the wrong kind of value",
       "bad_reply: the key is of another type <WRONGTYPE Operation against a key holding the wrong "
       "kind of value>"},
      {"loading",
       "LOADING Redis is loading the dataset in memory",
       "unreachable: the server is loading its data <LOADING Redis is loading the dataset in "
       "memory>"},
      {"a replica without master",
       "MASTERDOWN Link with MASTER is down",
       "unreachable: the replica has lost its master <MASTERDOWN Link with MASTER is down>"},
      {"a read-only replica",
       "READONLY You can't write",
       "bad_reply: the server is a read-only replica <READONLY You can't write>"},
      {"a script",
       "BUSY Redis is busy",
       "unreachable: the server is busy with a script <BUSY Redis is busy>"},
      {"another node, its address hidden",
       "MOVED 3999 10.0.0.7:6381",
       "bad_reply: the server is a cluster node that does not hold the key; write cluster instead "
       "of url <MOVED 3999 [hidden]>"},
      {"report 15: another node, as ElastiCache Serverless writes it",
       "ERR MOVED 7572 10.0.0.7:6381",
       "bad_reply: the server is a cluster node that does not hold the key; write cluster instead "
       "of url <MOVED 7572 [hidden]>"},
      {"a node that gives the key away",
       "ASK 3999 10.0.0.7:6381",
       "bad_reply: the server is a cluster node that is giving the key away; write cluster instead "
       "of url <ASK 3999 [hidden]>"},
      {"a key that is between two nodes",
       "TRYAGAIN Multiple keys request during rehashing of slot",
       "unreachable: the cluster is moving the key to another node <TRYAGAIN Multiple keys request "
       "during rehashing of slot>"},
      {"a database of a cluster",
       "ERR SELECT is not allowed in cluster mode",
       "bad_reply: a Redis cluster has database 0 alone; remove the number from the url <ERR "
       "SELECT "
       "is not allowed in cluster mode>"},
      {"a Sentinel",
       "ERR unknown command 'LLEN'",
       "bad_reply: the server does not know the command; is it an older Redis, or a Sentinel, "
       "which "
       "is written as sentinel instead of url? <ERR unknown command 'LLEN'>"},
      {"a cluster that is down",
       "CLUSTERDOWN Hash slot not served",
       "unreachable: the cluster is down <CLUSTERDOWN Hash slot not served>"},
      {"no group",
       "NOGROUP No such key 'jobs' or consumer group 'workers'",
       "unknown_object: there is no such consumer group <NOGROUP No such key 'jobs' or consumer "
       "group 'workers'>"},
      {"anything else",
       "ERR no such key",
       "bad_reply: the server returned an error <ERR no such key>"},
      {"the code in the middle",
       "ERR NOAUTH",
       "bad_reply: the server returned an error <ERR NOAUTH>"},
      {"empty", "", "bad_reply: the server returned an error"},
  };

  for (const Refusal& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(shown(clients::redis_error(row.text)) == row.shown);
      CHECK(outcome(parse_reply(subject(Kind::list), error(row.text))) == row.shown);
    }
  }
}

TEST_CASE("TYPE is sent only when it changes the result") {
  const auto is_needed = [](Kind kind, const RedisReply& reply, Missing missing) {
    return needs_type(subject(kind), reply, missing);
  };

  CHECK(is_needed(Kind::stream, integer(0), Missing::error));
  CHECK_FALSE(is_needed(Kind::stream, integer(0), Missing::zero));
  CHECK_FALSE(is_needed(Kind::stream, integer(1), Missing::error));
  CHECK_FALSE(is_needed(Kind::list, integer(0), Missing::error));
  CHECK_FALSE(is_needed(Kind::counter, nil(), Missing::error));
  CHECK_FALSE(is_needed(Kind::pending, list({integer(0), nil(), nil(), nil()}), Missing::error));
  CHECK(is_needed(Kind::list, error("WRONGTYPE Operation"), Missing::zero));
  CHECK(is_needed(Kind::pending, error("NOGROUP No such key"), Missing::zero));
  CHECK(is_needed(Kind::lag, error("ERR no such key"), Missing::zero));
  CHECK_FALSE(is_needed(Kind::list, error("NOPERM no permissions"), Missing::error));
  CHECK_FALSE(is_needed(Kind::list, error("LOADING Redis is loading"), Missing::error));
}

struct Typed {
  std::string_view name;
  Kind kind;
  RedisReply reply;
  std::string_view type;
  std::string outcome;
};

TEST_CASE("TYPE distinguishes a missing key, an empty key and a key of another type") {
  const auto wrong = error("WRONGTYPE Operation against a key holding the wrong kind of value");
  const auto no_group = error("NOGROUP No such key 'jobs' or consumer group 'workers'");
  const Typed rows[] = {
      {"an empty stream", Kind::stream, integer(0), "stream", "0"},
      {"a missing stream", Kind::stream, integer(0), "none", "none"},
      {"no group, a stream",
       Kind::pending,
       no_group,
       "stream",
       "unknown_object: stream \"jobs\" has no consumer group \"workers\""},
      {"no group, no key", Kind::pending, no_group, "none", "none"},
      {"no key for a lag", Kind::lag, error("ERR no such key"), "none", "none"},
      {"the key went meanwhile", Kind::list, wrong, "none", "none"},
      {"a string as list",
       Kind::list,
       wrong,
       "string",
       "bad_reply: key \"jobs\" is a string, not a list; is kind right?"},
      {"a list as stream",
       Kind::stream,
       wrong,
       "list",
       "bad_reply: key \"jobs\" is a list, not a stream; is kind right?"},
      {"a list as pending",
       Kind::pending,
       no_group,
       "list",
       "bad_reply: key \"jobs\" is a list, not a stream; is kind right?"},
      {"a set as sorted set",
       Kind::sorted_set,
       wrong,
       "set",
       "bad_reply: key \"jobs\" is a set, not a zset; is kind right?"},
      {"a sorted set as set",
       Kind::set,
       wrong,
       "zset",
       "bad_reply: key \"jobs\" is a zset, not a set; is kind right?"},
      {"a list as hash",
       Kind::hash,
       wrong,
       "list",
       "bad_reply: key \"jobs\" is a list, not a hash; is kind right?"},
      {"a hash as counter",
       Kind::counter,
       wrong,
       "hash",
       "bad_reply: key \"jobs\" is a hash, not a string; is kind right?"},
      {"an unknown type",
       Kind::hash,
       wrong,
       "ReJSON-RL",
       "bad_reply: key \"jobs\" is a ReJSON-RL, not a hash; is kind right?"},
  };

  for (const Typed& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(outcome(with_type(subject(row.kind), row.reply, text(std::string(row.type)))) ==
            row.outcome);
    }
  }
}

TEST_CASE("whether a key is missing or empty is not guessed when TYPE fails") {
  const std::string text =
      "checking whether key \"jobs\" is empty or missing failed (the check needs TYPE; or set "
      "missing: 0): ";
  const RedisReply none = integer(0);
  const RedisReply refused{RedisReply::Kind::error, 0, "NOPERM no permissions", {}};
  const Error late{Errc::timed_out, "no response in time", ""};

  CHECK(outcome(with_type(subject(Kind::stream), none, refused)) ==
        "forbidden: " + text +
            "the user has no permission for this command <NOPERM no permissions>");
  CHECK(outcome(with_type(subject(Kind::stream), none, late)) ==
        "timed_out: " + text + "no response in time");
}

}  // namespace
}  // namespace weir::scalers::backends::redis
