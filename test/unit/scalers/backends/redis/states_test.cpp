// Field reports: states of a Redis in which a number, or an absent key, does not mean what it says.
#include "scalers/backends/redis/lag.hpp"
#include "scalers/backends/redis/redis.hpp"
#include "test/rigs/redis_replies.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

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

const Subject kLag{Kind::lag, "jobs", "workers"};

RedisReply delivered(std::string name, std::string id, RedisReply lag) {
  RedisReply out = group(std::move(name), std::move(lag));
  out.items.push_back(text("last-delivered-id"));
  out.items.push_back(text(std::move(id)));
  return out;
}
RedisReply stream(std::int64_t length, std::string last, std::string first = "") {
  RedisReply entry = first.empty() ? nil() : list({text(std::move(first)), list({})});
  return list({text("length"),
               integer(length),
               text("last-generated-id"),
               text(std::move(last)),
               text("first-entry"),
               std::move(entry)});
}

// Field report 3: Redis 7.0 counts entries that were trimmed before the group read them, for ever.
TEST_CASE("a lag is held against the stream") {
  struct Held {
    std::string_view name;
    RedisReply group;
    RedisReply stream;
    std::string outcome;
  };
  const auto beyond_of = [](int lag) {
    return fmt::format(
        "bad_reply: Redis reports a lag of {} for group \"workers\", but the stream has 1 entries "
        "(older ones were trimmed); use kind: pending or kind: stream",
        lag);
  };
  const std::string beyond = beyond_of(4);
  const Held rows[] = {
      {"within the length", delivered("workers", "1-0", integer(4)), stream(5, "9-0", "1-0"), "4"},
      {"all of the length", delivered("workers", "0-0", integer(5)), stream(5, "9-0"), "5"},
      {"above the length", delivered("workers", "1-0", integer(4)), stream(1, "9-0"), beyond},
      {"what it had not read was trimmed",
       delivered("workers", "1-0", integer(4)),
       stream(1, "9-0", "9-0"),
       "1"},
      {"it has read nothing, and the lag is not known",
       delivered("workers", "0-0", nil()),
       stream(3, "10-0", "9-1"),
       "3"},
      {"ids compare as numbers",
       delivered("workers", "9-2", integer(9)),
       stream(3, "20-0", "10-0"),
       "3"},
      {"it has read the first entry",
       delivered("workers", "9-0", integer(1)),
       stream(1, "10-0", "9-0"),
       beyond_of(1)},
      {"the stream is empty", delivered("workers", "1-0", integer(4)), stream(0, "9-0"), "0"},
      {"all is read", delivered("workers", "9-0", integer(3)), stream(1, "9-0"), "0"},
      {"all is read, and the lag is not known",
       delivered("workers", "9-0", nil()),
       stream(1, "9-0"),
       "0"},
      {"all is read, and the lag has another type",
       delivered("workers", "9-0", text("3")),
       stream(1, "9-0"),
       "bad_reply: the response to XINFO has an unexpected type"},
      {"another group has read all",
       delivered("other", "9-0", integer(0)),
       stream(5, "9-0"),
       "unknown_object: stream \"jobs\" has no consumer group \"workers\""},
      {"XINFO STREAM is not permitted",
       delivered("workers", "1-0", integer(4)),
       error("NOPERM this user has no permissions"),
       "refused: a lag counts only beside the length of its stream; grant +xinfo|stream <NOPERM "
       "this "
       "user has no permissions>"},
      {"the stream is gone meanwhile",
       delivered("workers", "1-0", integer(4)),
       error("ERR no such key"),
       "4"},
  };

  for (const Held& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const RedisReply groups = list({row.group});
      auto lag = parse_reply(kLag, groups);

      CHECK(outcome(with_stream(kLag, std::move(lag), groups, row.stream)) == row.outcome);
    }
  }
}

// The offset stays until the position of the group is set again.
TEST_CASE("a group whose lag was seen to be wrong is not believed until it is right again") {
  LagCheck lags;
  const auto check = [&](std::int64_t lag, const std::string& id, std::string group = "workers") {
    const Subject subject{Kind::lag, "jobs", group};
    const RedisReply groups = list({delivered(std::move(group), id, integer(lag))});
    return outcome(
        lags.check(subject, parse_reply(subject, groups), groups, stream(5, "20-0", "16-0")));
  };
  const std::string wrong =
      "bad_reply: the lag that Redis reports for group \"workers\" has entries that were trimmed "
      "before it read them; set its position again (XGROUP SETID with ENTRIESREAD), or use kind: "
      "pending or kind: stream";

  CHECK(check(2, "18-0") == "2");
  CHECK(check(8, "12-0") == "5");  // exact, and Redis is off by three
  CHECK(check(4, "19-0") == wrong);
  CHECK(check(3, "20-0") == "0");
  CHECK(check(4, "19-0") == wrong);
  CHECK(check(1, "19-0", "others") == "1");
  CHECK(check(0, "20-0") == "0");
  CHECK(check(1, "19-0") == "1");
}

// Field report 8.
TEST_CASE("only a master and a replica in sync show that a key does not exist") {
  struct Role {
    std::string_view name;
    RedisReply role;
    std::string outcome;
  };
  const auto replica = [](std::string state) {
    return list(
        {text("slave"), text("10.0.0.1"), integer(6379), text(std::move(state)), integer(-1)});
  };
  const auto unsynced = [](std::string_view state) {
    return fmt::format(
        "partial: the server is a replica that is not in sync with its master (ROLE: {}), so a "
        "missing key shows nothing",
        state);
  };
  const std::string grant =
      "refused: a missing key means zero only where ROLE shows that the server has its data; grant "
      "+role, +multi, +exec, or write role: unchecked on the backend ";
  const std::string type = "bad_reply: the response to ROLE has an unexpected type";
  const Role rows[] = {
      {"master", list({text("master"), integer(0), list({})}), "none"},
      {"in sync", replica("connected"), "none"},
      {"never in sync", replica("connect"), unsynced("connect")},
      {"connecting", replica("connecting"), unsynced("connecting")},
      {"syncing", replica("sync"), unsynced("sync")},
      {"sentinel",
       list({text("sentinel"), list({})}),
       "bad_reply: the server is a Sentinel, which holds no keys; write sentinel instead of url"},
      {"not permitted",
       error("NOPERM this user has no permissions to run the 'role' command"),
       grant + "<NOPERM this user has no permissions to run the 'role' command>"},
      {"EXEC is not permitted",
       error("EXECABORT Transaction discarded because of: NOPERM x"),
       grant + "<EXECABORT Transaction discarded because of: NOPERM x>"},
      {"not known", error("ERR unknown command 'ROLE'"), grant + "<ERR unknown command 'ROLE'>"},
      {"loading",
       error("LOADING Redis is loading"),
       "unreachable: the server is loading its data <LOADING Redis is loading>"},
      {"empty", list({}), type},
      {"a replica without a state", list({text("slave")}), type},
      {"a number", integer(1), type},
  };

  for (const Role& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto problem = role_problem(row.role);

      CHECK((problem ? shown(*problem) : "none") == row.outcome);
    }
  }
}

// Field report 8: the data of a replica is as old as the loss of its master.
TEST_CASE("a replica without its master has an age") {
  const auto replica = [](std::string_view link, std::string_view rest) {
    return text(
        fmt::format("# Replication\r\nrole:slave\r\nmaster_host:10.0.0.1\r\n"
                    "master_link_status:{}\r\n{}",
                    link,
                    rest));
  };
  const std::string form = "bad_reply: the response to INFO replication has an unexpected form";
  const std::pair<RedisReply, std::string> rows[] = {
      {text("# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"), "none"},
      {replica("up", "master_last_io_seconds_ago:0\r\n"), "none"},
      {replica("up", "master_last_io_seconds_ago:10\r\n"), "none"},
      {replica("up", "master_last_io_seconds_ago:55\r\n"), "55000"},
      {replica("up", "master_sync_in_progress:0\r\n"), form},
      {replica("down", "master_link_down_since_seconds:1e9\r\n"), form},
      {replica("down", "master_link_down_since_seconds:9223372036854775807\r\n"), "1000000000000"},
      {replica("down", "master_link_down_since_seconds:42\r\n"), "42000"},
      {replica("down", "master_link_down_since_seconds:0\r\n"), "0"},
      {replica("down", "master_link_down_since_seconds:-1\r\n"),
       "partial: the server is a replica that was never connected to its master"},
      {replica("down", ""), form},
      {replica("down", "master_link_down_since_seconds:soon\r\n"), form},
      {text(""), form},
      {text("# Replication\r\nrole:other\r\nmaster_link_down_since_seconds:1\r\n"), form},
      {integer(1), form},
      {error("NOPERM this user has no permissions"),
       "refused: maxAge needs INFO; grant +info, or remove maxAge"},
      {error("LOADING Redis is loading"),
       "unreachable: the server is loading its data <LOADING Redis is loading>"},
  };
  for (const auto& [info, expected] : rows) {
    CAPTURE(info.text);
    const auto age = replica_age(info);
    CHECK((!age   ? shown(age.error())
           : *age ? fmt::format("{}", (*age)->count())
                  : "none") == expected);
  }
}

}  // namespace
}  // namespace weir::scalers::backends::redis
