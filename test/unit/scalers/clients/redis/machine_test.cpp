#include "scalers/clients/redis/machine.hpp"

#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace weir::scalers::clients {
namespace {

using test::shown;

bool accepts(std::string_view bytes) {
  RespGuard guard;
  return guard.accept(bytes);
}

bool accepts_byte_by_byte(std::string_view bytes) {
  RespGuard guard;
  return std::ranges::all_of(bytes, [&](const char& c) { return guard.accept({&c, 1}); });
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string bulk(std::size_t size) {
  return fmt::format("${}\r\n{}\r\n", size, std::string(size, 'x'));
}

struct Stream {
  std::string_view name;
  std::string bytes;
};

TEST_CASE("a stream within the bounds passes, however it is cut") {
  const Stream rows[] = {
      {"status", "+OK\r\n"},
      {"an empty status", "+\r\n"},
      {"error", "-ERR x\r\n"},
      {"integer", ":-12\r\n"},
      {"bulk", "$5\r\nhello\r\n"},
      {"bulk with line ends inside", "$4\r\n\r\n\r\n\r\n"},
      {"bulk that looks like a length", "$13\r\n*1073741823\r\n\r\n"},
      {"an empty bulk", "$0\r\n\r\n"},
      {"nil", "$-1\r\n"},
      {"a nil list", "*-1\r\n"},
      {"an empty list", "*0\r\n"},
      {"lists in lists", "*2\r\n*1\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n+OK\r\n"},
      {"several replies", "+OK\r\n:1\r\n*1\r\n$-1\r\n:2\r\n"},
      {"the deepest nesting", repeated("*1\r\n", 7) + ":1\r\n"},
      {"the longest list", "*10000\r\n" + repeated(":1\r\n", 10'000) + ":1\r\n"},
      {"close to the largest reply", bulk((1 << 20) - 64)},
      {"the bound is of one reply, not of the stream", bulk(600'000) + bulk(600'000)},
      {"the beginning of a line", "$"},
  };

  for (const Stream& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(accepts(row.bytes));
      CHECK(accepts_byte_by_byte(row.bytes));
    }
  }
}

TEST_CASE("a stream beyond the bounds is rejected unread") {
  const Stream rows[] = {
      {"a list that claims 8 GiB of pointers", "*1073741823\r\n"},
      {"one item too many", "*10001\r\n"},
      {"a bulk over 1 MiB", "$2000000\r\n"},
      {"a bulk of exactly 1 MiB, with its frame above it", "$1048576\r\n"},
      {"a length beyond 64 bits", "$99999999999999999999\r\n"},
      {"the largest length", "$9223372036854775807\r\n"},
      {"bulks that are too much together", "*2\r\n" + bulk(600'000) + "$600000\r\n"},
      {"too many small items",
       "*200\r\n" + repeated("*10000\r\n" + repeated(":1\r\n", 10'000), 30)},
      {"nested too deep", repeated("*1\r\n", 8)},
      {"a line without end", "+" + std::string(70'000, 'x')},
      {"a length without end", "$" + std::string(70'000, '0')},
      {"a negative length", "$-2\r\n"},
      {"a negative count", "*-2\r\n"},
      {"no length", "$\r\n"},
      {"a length that is not a number", "$five\r\n"},
      {"a plus before the length", "$+5\r\n"},
      {"a blank before the length", "$ 5\r\n"},
      {"text after the length", "*1x\r\n"},
      {"a line feed alone", "+OK\n"},
      {"an empty line", "\r\n"},
      {"a RESP3 map", "%1\r\n"},
      {"a RESP3 null", "_\r\n"},
      {"a RESP3 streamed text", "$?\r\n"},
      {"HTTP", "HTTP/1.1 400 Bad Request\r\n"},
      {"a TLS alert", std::string("\x15\x03\x01\x00\x02\x02\x0a\r\n", 9)},
      {"a second reply", "+OK\r\n*1073741823\r\n"},
  };

  for (const Stream& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK_FALSE(accepts(row.bytes));
      CHECK_FALSE(accepts_byte_by_byte(row.bytes));
    }
  }
}

RedisLogin login(std::string username, std::string password, std::uint32_t database) {
  return {Secret(std::move(username)), Secret(std::move(password)), database};
}

struct Session {
  explicit Session(RedisLogin as = {}) : machine(std::move(as)) {}

  std::string on_connected() {
    std::string out;
    machine.on_connected(out);
    return out;
  }
  // "fine", or the error that ends the connection.
  std::string take(std::string_view bytes) {
    std::string out;
    const auto failed = machine.receive(bytes, out);
    CHECK(out.empty());
    return failed ? shown(*failed) : "fine";
  }
  RedisCommandPtr ask(const std::vector<std::string>& words) {
    return machine.command(loop, words, sent);
  }

  Loop loop;
  RedisMachine machine;
  std::string sent;
};

std::string answer(const RedisCommandPtr& command) {
  if (!command->reply) return "open";
  if (!*command->reply) return shown(command->reply->error());
  const RedisReply& reply = **command->reply;
  if (reply.kind == RedisReply::Kind::integer) return fmt::format(":{}", reply.integer);
  if (reply.kind == RedisReply::Kind::list) return fmt::format("*{}", reply.items.size());
  if (reply.kind == RedisReply::Kind::error) return "-" + reply.text;
  return reply.kind == RedisReply::Kind::nil ? "nil" : "+" + reply.text;
}

constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";

struct Greeting {
  std::string_view name;
  RedisLogin login;
  std::string bytes;
};

TEST_CASE("the login sends AUTH, SELECT, and PING last") {
  const std::string ping(kPing);
  const Greeting rows[] = {
      {"nothing", login("", "", 0), ping},
      {"a password", login("", "s3cret", 0), "*2\r\n$4\r\nAUTH\r\n$6\r\ns3cret\r\n" + ping},
      {"a user",
       login("weir", "s3cret", 0),
       "*3\r\n$4\r\nAUTH\r\n$4\r\nweir\r\n$6\r\ns3cret\r\n" + ping},
      {"a user without password is nobody", login("weir", "", 0), ping},
      {"a database", login("", "", 12), "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n" + ping},
      {"a password and a database",
       login("", "s3cret", 1),
       "*2\r\n$4\r\nAUTH\r\n$6\r\ns3cret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n" + ping},
      {"a password with blanks and line ends is one word",
       login("", "a b\r\nFLUSHALL", 0),
       "*2\r\n$4\r\nAUTH\r\n$13\r\na b\r\nFLUSHALL\r\n" + ping},
  };

  for (const Greeting& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Session session(row.login);

      CHECK(session.on_connected() == row.bytes);
      CHECK_FALSE(session.machine.is_ready());
    }
  }
}

TEST_CASE("the login is complete with the reply to its last command") {
  Session session(login("weir", "s3cret", 2));
  (void)session.on_connected();

  CHECK(session.take("+OK\r\n+OK\r\n") == "fine");
  CHECK_FALSE(session.machine.is_ready());
  CHECK(session.take("+PO") == "fine");
  CHECK_FALSE(session.machine.is_ready());
  CHECK(session.take("NG\r\n") == "fine");
  CHECK(session.machine.is_ready());
}

struct Login {
  std::string_view name;
  RedisLogin login;
  std::string replies;
  std::string outcome;
};

TEST_CASE("a login that the server rejects ends the connection") {
  const auto nobody = login("", "", 0);
  const auto user = login("weir", "s3cret", 0);
  const auto database = login("", "", 99);
  const Login rows[] = {
      {"a password is missing",
       nobody,
       "-NOAUTH Authentication required.\r\n",
       "refused: the server requires a password <NOAUTH Authentication required.>"},
      {"protected mode, without a password",
       nobody,
       "-DENIED Redis is running in protected mode\r\n",
       "refused: the server is in protected mode and accepts local clients only <DENIED Redis is "
       "running in protected mode>"},
      {"protected mode",
       user,
       "-DENIED Redis is running in protected mode\r\n",
       "refused: the server is in protected mode and accepts local clients only <DENIED Redis is "
       "running in protected mode>"},
      {"a wrong password",
       user,
       "-WRONGPASS invalid username-password pair\r\n",
       "refused: the credentials are refused <WRONGPASS invalid username-password pair>"},
      {"before ACLs",
       user,
       "-ERR invalid password\r\n",
       "refused: the server returned an error <ERR invalid password>"},
      {"a password that nobody set",
       user,
       "-ERR Client sent AUTH, but no password is set\r\n",
       "refused: the server returned an error <ERR Client sent AUTH, but no password is set>"},
      {"loading at AUTH",
       user,
       "-LOADING Redis is loading\r\n",
       "unreachable: the server is loading its data <LOADING Redis is loading>"},
      {"loading at PING",
       nobody,
       "-LOADING Redis is loading\r\n",
       "unreachable: the server is loading its data <LOADING Redis is loading>"},
      {"a replica without its master",
       user,
       "+OK\r\n-MASTERDOWN Link with MASTER is down\r\n",
       "unreachable: the replica has lost its master <MASTERDOWN Link with MASTER is down>"},
      {"no such database",
       database,
       "-ERR DB index is out of range\r\n",
       "bad_reply: the server returned an error <ERR DB index is out of range>"},
      {"SELECT is not permitted",
       database,
       "-NOPERM no permissions\r\n",
       "forbidden: the user has no permission for this command <NOPERM no permissions>"},
      {"too many clients",
       nobody,
       "-ERR max number of clients reached\r\n",
       "unreachable: the server accepts no more connections <ERR max number of clients reached>"},
  };

  for (const Login& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Session session(row.login);
      (void)session.on_connected();

      CHECK(session.take(row.replies) == row.outcome);
    }
  }
}

TEST_CASE("a database that does not exist is not a rejected credential, with a password too") {
  Session session(login("", "s3cret", 99));
  (void)session.on_connected();

  CHECK(session.take("+OK\r\n-ERR DB index is out of range\r\n") ==
        "bad_reply: the server returned an error <ERR DB index is out of range>");
}

TEST_CASE("a server that echoes its arguments does not reveal the password") {
  Session session(login("weirduser", "s3cret-word", 0));
  (void)session.on_connected();

  const auto outcome = session.take(
      "-ERR unknown command 'AUTH', with args beginning with: 'weirduser' 's3cret-word' \r\n");

  CHECK(outcome.find("s3cret-word") == std::string::npos);
  CHECK(outcome.find("weirduser") == std::string::npos);
}

TEST_CASE("a user without permission for PING may still send commands") {
  Session session(login("weir", "s3cret", 0));
  (void)session.on_connected();

  CHECK(session.take("+OK\r\n-NOPERM no permissions to run the 'ping' command\r\n") == "fine");
  CHECK(session.machine.is_ready());
}

TEST_CASE("replies complete their commands in order, cut anywhere") {
  Session session;
  (void)session.on_connected();
  REQUIRE(session.take("+PONG\r\n") == "fine");
  const auto first = session.ask({"LLEN", "a"});
  const auto second = session.ask({"GET", "b"});
  const auto third = session.ask({"XPENDING", "c", "g"});

  CHECK(session.sent ==
        "*2\r\n$4\r\nLLEN\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"
        "*3\r\n$8\r\nXPENDING\r\n$1\r\nc\r\n$1\r\ng\r\n");
  CHECK(session.take(":7\r\n$2\r") == "fine");
  CHECK(answer(first) == ":7");
  CHECK(answer(second) == "open");
  CHECK(session.take("\n42\r\n*2\r\n:1\r\n") == "fine");
  CHECK(answer(second) == "+42");
  CHECK(answer(third) == "open");
  CHECK(session.take("$-1\r\n") == "fine");
  CHECK(answer(third) == "*2");
}

TEST_CASE("an error reply completes its own command and does not end the connection") {
  Session session;
  (void)session.on_connected();
  REQUIRE(session.take("+PONG\r\n") == "fine");
  const auto wrong = session.ask({"LLEN", "a"});
  const auto right = session.ask({"LLEN", "b"});

  CHECK(session.take("-WRONGTYPE Operation\r\n:3\r\n") == "fine");
  CHECK(answer(wrong) == "-WRONGTYPE Operation");
  CHECK(answer(right) == ":3");
}

TEST_CASE("a key with blanks and line ends is one argument") {
  Session session;

  (void)session.ask({"GET", "a b\r\nFLUSHALL"});
  (void)session.ask({"GET", ""});

  CHECK(session.sent ==
        "*2\r\n$3\r\nGET\r\n$13\r\na b\r\nFLUSHALL\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
}

TEST_CASE("an unsolicited reply ends the connection") {
  const std::string no_resp = "bad_reply: the response is not RESP2, or a reply is over 1 MiB";
  const std::string not_asked = "bad_reply: an unsolicited reply was received";
  struct Row {
    std::string_view name;
    std::string bytes;
    std::string outcome;
  };
  const Row rows[] = {
      {"an unsolicited reply", "+PONG\r\n:1\r\n", not_asked},
      {"HTTP", "HTTP/1.1 400 Bad Request\r\n", no_resp},
      {"a push of RESP3", "+PONG\r\n>1\r\n", no_resp},
      {"a list that claims 8 GiB of pointers", "+PONG\r\n*1073741823\r\n", no_resp},
      {"a bulk over 1 MiB", "+PONG\r\n$2000000\r\n", no_resp},
      {"an integer that is none",
       "+PONG\r\n:seven\r\n",
       "bad_reply: the response is not RESP2 <Bad integer value>"},
      {"an integer beyond 64 bits",
       "+PONG\r\n:99999999999999999999\r\n",
       "bad_reply: the response is not RESP2 <Bad integer value>"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Session session;
      (void)session.on_connected();

      CHECK(session.take(row.bytes) == row.outcome);
    }
  }
}

TEST_CASE("a lost connection fails every waiter once") {
  Session session;
  (void)session.on_connected();
  REQUIRE(session.take("+PONG\r\n") == "fine");
  const auto answered = session.ask({"LLEN", "a"});
  const auto first = session.ask({"LLEN", "b"});
  const auto second = session.ask({"LLEN", "c"});
  REQUIRE(session.take(":1\r\n") == "fine");

  session.machine.on_disconnected({Errc::unreachable, "the connection was lost", ""});
  session.machine.on_disconnected({Errc::timed_out, "again", ""});

  CHECK(answer(answered) == ":1");
  CHECK(answer(first) == "unreachable: the connection was lost");
  CHECK(answer(second) == "unreachable: the connection was lost");
}

}  // namespace
}  // namespace weir::scalers::clients
