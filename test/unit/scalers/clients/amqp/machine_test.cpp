#include "scalers/clients/amqp/machine.hpp"

#include "test/rigs/amqp_frames.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

using test::shown;
using namespace test::amqp;

AmqpLogin login(std::string username, std::string password) {
  return {Secret(std::move(username)), Secret(std::move(password)), "ml", "weir/pod-1"};
}

struct Session {
  explicit Session(AmqpLogin as = login("weir", "s3cret")) : machine(std::move(as)) {}

  // "fine", or the error that ends the connection; what is sent is in `sent`.
  std::string take(std::string_view bytes) {
    sent.clear();
    const auto failed = machine.receive(bytes, sent);
    return failed ? shown(*failed) : "fine";
  }
  void log_in(unsigned channels = 2047) {
    REQUIRE(take(start() + tune(channels) + open_ok()) == "fine");
    REQUIRE(machine.is_ready());
  }
  QueueLengthQueryPtr query(const std::string& queue) {
    sent.clear();
    return machine.query_length(loop, queue, sent);
  }

  Loop loop;
  AmqpMachine machine;
  std::string sent;
};

std::string answer(const QueueLengthQueryPtr& question) {
  if (!question->ready_messages) return "open";
  const auto& outcome = *question->ready_messages;
  return outcome ? fmt::format("{}", *outcome) : shown(outcome.error());
}

TEST_CASE("the login follows AMQP 0-9-1") {
  Session session;
  std::string greeting;
  session.machine.on_connected(greeting);

  CHECK(greeting == std::string("AMQP\x00\x00\x09\x01", 8));
  CHECK(session.take(start()) == "fine");
  CHECK(session.sent.find(short_text("PLAIN") + long_text(std::string("\0weir\0s3cret", 12))) !=
        std::string::npos);
  CHECK(session.sent.find("weir/pod-1") != std::string::npos);
  CHECK(session.take(tune()) == "fine");
  CHECK(session.sent == method(0, 10, 31, u16(16) + u32(16384) + u16(10)) + open("ml"));
  CHECK_FALSE(session.machine.is_ready());
  CHECK(session.take(open_ok()) == "fine");
  CHECK(session.machine.is_ready());
  CHECK(session.machine.tick_interval() == std::chrono::seconds{5});
}

TEST_CASE("the login succeeds byte by byte") {
  Session session;
  const std::string bytes = start() + tune() + open_ok();

  CHECK(std::ranges::all_of(bytes, [&](const char& c) { return session.take({&c, 1}) == "fine"; }));
  CHECK(session.machine.is_ready());
}

TEST_CASE("without a user the client certificate is the identity") {
  Session session(login("", ""));

  CHECK(session.take(start()) == "fine");
  CHECK(session.sent.find(short_text("EXTERNAL") + long_text("")) != std::string::npos);
  CHECK(session.sent.find("PLAIN") == std::string::npos);
}

TEST_CASE("frames that are smaller than AMQP allows are an error") {
  Session session;
  REQUIRE(session.take(start()) == "fine");

  CHECK(session.take(tune(4, 4095, 6)) ==
        "bad_reply: the broker offers frames of 4095 bytes; AMQP needs 4096 or more");
}

TEST_CASE("the smaller of both limits applies, and without a limit Weir's own") {
  Session smaller;
  REQUIRE(smaller.take(start()) == "fine");
  CHECK(smaller.take(tune(4, 4096, 6)) == "fine");
  CHECK(smaller.sent == method(0, 10, 31, u16(4) + u32(4096) + u16(6)) + open("ml"));
  CHECK(smaller.machine.tick_interval() == std::chrono::seconds{3});

  Session none;
  REQUIRE(none.take(start()) == "fine");
  CHECK(none.take(tune(0, 0, 0)) == "fine");
  CHECK(none.sent == method(0, 10, 31, u16(16) + u32(16384) + u16(10)) + open("ml"));
}

struct Row {
  std::string_view name;
  std::string bytes;
  std::string outcome;
};

TEST_CASE("a login that is rejected or malformed ends the connection") {
  const std::string no_amqp = "bad_reply: the response is not AMQP 0-9-1";
  const std::string unexpected = "bad_reply: the broker's login sequence is not that of AMQP 0-9-1";
  const Row rows[] = {
      {"credentials",
       start() + connection_close(403, "ACCESS_REFUSED - Login was refused"),
       "refused: the credentials are refused"},
      {"no vhost",
       start() + tune() + connection_close(530, "NOT_ALLOWED - vhost ml not found"),
       "unknown_object: vhost \"ml\" does not exist"},
      {"no access to the vhost",
       start() + tune() +
           connection_close(530, "NOT_ALLOWED - access to vhost 'ml' refused for user 'weir'"),
       "forbidden: no access to vhost \"ml\" <NOT_ALLOWED - access to vhost 'ml' refused for user "
       "'[hidden]'>"},
      {"a broker that goes",
       start() + connection_close(320, "CONNECTION_FORCED - shutdown"),
       "unreachable: the broker closed the connection <CONNECTION_FORCED - shutdown>"},
      {"tune before start", tune(), unexpected},
      {"open-ok before tune", start() + open_ok(), unexpected},
      {"a channel's answer", declare_ok(1, "q", 5), unexpected},
      {"another version",
       std::string("AMQP\x00\x01\x00\x00", 8),
       "bad_reply: the server requires a version of AMQP other than 0-9-1"},
      {"HTTP",
       "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
       no_amqp + ", or a frame is over 16 KiB"},
      {"no end of the frame",
       start().substr(0, start().size() - 1) + "x",
       no_amqp + " <invalid AMQP data>"},
      {"a frame that claims 2 GiB",
       u8(1) + u16(0) + u32(0x7fffffff) + "abcd",
       no_amqp + ", or a frame is over 16 KiB"},
      {"an unknown method", method(0, 10, 99, ""), no_amqp + " <unknown AMQP method id>"},
      {"arguments that end too early", method(0, 10, 30, u16(1)), no_amqp + " <invalid AMQP data>"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Session session;

      CHECK(session.take(row.bytes) == row.outcome);
      CHECK_FALSE(session.machine.is_ready());
    }
  }
}

TEST_CASE("the close of a connection by the broker is confirmed") {
  Session session;
  session.log_in();

  CHECK(session.take(connection_close(320, "CONNECTION_FORCED - shutdown")) ==
        "unreachable: the broker closed the connection <CONNECTION_FORCED - shutdown>");
  CHECK(session.sent == connection_close_ok());
}

TEST_CASE("a query is a passive declare on an open channel") {
  Session session;
  session.log_in();

  const auto first = session.query("jobs");
  CHECK(session.sent == channel_open(1) + passive_declare(1, "jobs"));
  CHECK(session.take(channel_open_ok(1)) == "fine");
  CHECK(answer(first) == "open");
  CHECK(session.take(declare_ok(1, "jobs", 4'000'000'000)) == "fine");
  CHECK(answer(first) == "4000000000");

  const auto second = session.query("mail");
  CHECK(session.sent == passive_declare(1, "mail"));
  CHECK(session.take(declare_ok(1, "mail", 0)) == "fine");
  CHECK(answer(second) == "0");
}

TEST_CASE("queries in flight have a channel each, with responses in any order") {
  Session session;
  session.log_in();
  const auto first = session.query("a");
  const auto second = session.query("b");

  CHECK(session.sent == channel_open(2) + passive_declare(2, "b"));
  CHECK(session.take(channel_open_ok(1) + channel_open_ok(2) + declare_ok(2, "b", 2)) == "fine");
  CHECK(answer(first) == "open");
  CHECK(answer(second) == "2");
  CHECK(session.take(declare_ok(1, "a", 1)) == "fine");
  CHECK(answer(first) == "1");
}

TEST_CASE("a closed channel is confirmed, and opened again with its next query") {
  struct Closed {
    std::string_view name;
    unsigned code;
    std::string_view text;
    std::string outcome;
  };
  const Closed rows[] = {
      {"no queue",
       404,
       "NOT_FOUND - no queue 'jobs' in vhost 'ml'",
       "unknown_object: queue \"jobs\" does not exist in vhost \"ml\""},
      {"a queue whose node is down",
       404,
       "NOT_FOUND - home node 'rabbit@b' of durable queue 'jobs' in vhost 'ml' is down or "
       "inaccessible",
       "bad_reply: queue \"jobs\" could not be queried <NOT_FOUND - home node 'rabbit@b' of "
       "durable "
       "queue 'jobs' in vhost 'ml' is down or inaccessible>"},
      {"a queue that does not answer the broker",
       404,
       "NOT_FOUND - failed to perform operation on queue 'jobs' in vhost 'ml' due to timeout",
       "bad_reply: queue \"jobs\" could not be queried <NOT_FOUND - failed to perform operation on "
       "queue 'jobs' in vhost 'ml' due to timeout>"},
      {"no permission",
       403,
       "ACCESS_REFUSED",
       "forbidden: no permission on queue \"jobs\" in vhost \"ml\""},
      {"exclusive",
       405,
       "RESOURCE_LOCKED",
       "bad_reply: queue \"jobs\" is exclusive to another connection; its length cannot be "
       "queried"},
      {"anything else, the user hidden",
       541,
       "INTERNAL_ERROR by weir at 10.0.0.1",
       "bad_reply: queue \"jobs\" could not be queried <INTERNAL_ERROR by [hidden] at [hidden]>"},
  };

  for (const Closed& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Session session;
      session.log_in();
      const auto lost = session.query("jobs");

      CHECK(session.take(channel_open_ok(1) + channel_close(1, row.code, row.text)) == "fine");
      CHECK(session.sent == channel_close_ok(1));
      CHECK(answer(lost) == row.outcome);
      const auto next = session.query("mail");
      CHECK(session.sent == channel_open(1) + passive_declare(1, "mail"));
      CHECK(session.take(channel_open_ok(1) + declare_ok(1, "mail", 3)) == "fine");
      CHECK(answer(next) == "3");
    }
  }
}

TEST_CASE("a query for a queue that is being queried is joined") {
  Session session;
  session.log_in();
  const auto first = session.query("jobs");

  const auto second = session.query("jobs");

  CHECK(session.sent.empty());
  CHECK(first == second);
}

TEST_CASE("with every channel busy a query waits for the first that is free") {
  Session session;
  session.log_in(2);
  const auto first = session.query("a");
  const auto second = session.query("b");

  const auto third = session.query("c");
  CHECK(session.sent.empty());
  CHECK(session.take(channel_open_ok(1) + channel_open_ok(2) + declare_ok(2, "b", 2)) == "fine");
  CHECK(session.sent == passive_declare(2, "c"));
  CHECK(session.take(declare_ok(2, "c", 3)) == "fine");
  CHECK(answer(third) == "3");
  CHECK(answer(first) == "open");
}

TEST_CASE("16 queries are in flight at once, and the 17th waits") {
  Session session;
  session.log_in();
  std::vector<QueueLengthQueryPtr> busy;
  for (int i = 1; i <= 16; ++i) busy.push_back(session.query(fmt::format("q{}", i)));
  CHECK(session.sent == channel_open(16) + passive_declare(16, "q16"));

  const auto last = session.query("q17");

  CHECK(session.sent.empty());
  CHECK(session.take(channel_open_ok(5) + channel_close(5, 404, "NOT_FOUND")) == "fine");
  CHECK(session.sent == channel_close_ok(5) + channel_open(5) + passive_declare(5, "q17"));
  CHECK(answer(last) == "open");
}

TEST_CASE("a query for a queue that waits for a channel is joined as well") {
  Session session;
  session.log_in(1);
  const auto busy = session.query("a");
  const auto first = session.query("b");

  const auto second = session.query("b");

  CHECK(first == second);
}

TEST_CASE("a waiting query without callers is not sent") {
  Session session;
  session.log_in(1);
  const auto busy = session.query("a");
  auto canceled = session.query("b");
  const auto last = session.query("c");

  canceled.reset();

  CHECK(session.take(channel_open_ok(1) + declare_ok(1, "a", 1)) == "fine");
  CHECK(session.sent == passive_declare(1, "c"));
  CHECK(answer(last) == "open");
}

TEST_CASE("frames that belong to no query are ignored") {
  const Row rows[] = {
      {"an answer nobody waits for", declare_ok(1, "a", 1), "fine"},
      {"a channel beyond ours", channel_close(16, 404, "NOT_FOUND"), "fine"},
      {"channel 0", declare_ok(0, "a", 1), "fine"},
      {"a heartbeat", frame(8, 0, ""), "fine"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Session session;
      session.log_in(2);

      CHECK(session.take(row.bytes) == row.outcome);
      CHECK(session.sent.empty());
    }
  }
}

TEST_CASE("the count of another queue is never a value") {
  Session session;
  session.log_in(1);
  const auto question = session.query("a");

  CHECK(session.take(channel_open_ok(1) + declare_ok(1, "b", 7)) ==
        "bad_reply: the broker's response is for a queue other than \"a\"");
  CHECK(answer(question) == "open");
}

TEST_CASE("a tick sends a heartbeat, and silence for two heartbeats is a loss") {
  Session session;
  session.log_in();
  const auto now = std::chrono::steady_clock::now();
  std::string out;

  CHECK(session.machine.tick(now, out) == std::nullopt);
  CHECK(out == frame(8, 0, ""));
  const auto silent = session.machine.tick(now + std::chrono::seconds{21}, out);
  REQUIRE(silent.has_value());
  CHECK(shown(*silent) == "unreachable: the broker's heartbeat stopped");
}

TEST_CASE("a lost connection fails every query, sent or waiting") {
  Session session;
  session.log_in(1);
  const auto sent = session.query("a");
  const auto waiting = session.query("b");

  session.machine.on_disconnected({Errc::unreachable, "the connection was lost", ""});
  session.machine.on_disconnected({Errc::timed_out, "again", ""});

  CHECK(answer(sent) == "unreachable: the connection was lost");
  CHECK(answer(waiting) == "unreachable: the connection was lost");
}

}  // namespace
}  // namespace weir::scalers::clients
