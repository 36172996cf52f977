// RedisMachine: what a server sends means the same however it is cut, answers no more than was
// asked, and what a server means is what is read. The input: a digit whose bits ask for AUTH and
// SELECT, a digit for the number of commands, then the server's bytes.
#include "scalers/clients/redis/machine.hpp"
#include "scalers/clients/redis/redirect.hpp"
#include "scalers/clients/redis/sentinel_reply.hpp"
#include "test/fuzz/property.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace weir::fuzz {
namespace {

using scalers::Errc;
using scalers::Error;
using scalers::Secret;
using scalers::clients::RedisCommandPtr;
using scalers::clients::RedisLogin;
using scalers::clients::RedisMachine;
using scalers::clients::RedisReply;
using scalers::clients::RespGuard;
using Kind = RedisReply::Kind;

constexpr int kMaxDepth = 6;  // the machine takes seven

bool is_line_end(char c) { return c == '\r' || c == '\n'; }

Loop& loop() {
  static Loop kept;
  return kept;
}

RedisLogin login_of(int bits) {
  RedisLogin out;
  if (bits % 2 == 1) out.password = Secret("s3cret");
  out.database = bits / 2 % 2 == 1 ? 3 : 0;
  return out;
}

std::size_t size_of(const RedisReply& reply) {
  std::size_t out = reply.text.size();
  for (const RedisReply& item : reply.items) out += size_of(item);
  return out;
}

bool is_same(const RedisReply& left, const RedisReply& right) {
  return left.kind == right.kind && left.integer == right.integer && left.text == right.text &&
         std::ranges::equal(left.items, right.items, is_same);
}

// What one machine makes of the server's bytes.
struct Outcome {
  std::size_t ready_at = 0;  // bytes that the login took; all of them when it is not through
  bool is_ready = false;
  std::optional<Error> failure;
  std::vector<RedisCommandPtr> commands;
};

class Session {
 public:
  Session(int bits, std::size_t commands) : machine_(login_of(bits)), commands_(commands) {
    std::string greeting;
    machine_.on_connected(greeting);
    require(greeting.ends_with("PING\r\n"), "a greeting ends with PING");
    require(!machine_.is_ready(), "nothing is asked before the login is through");
  }

  // Takes a piece, and asks as soon as the machine is ready. False behind an error.
  bool take(std::string_view bytes) {
    std::string out;
    outcome.failure = machine_.receive(bytes, out);
    require(out.empty(), "a reply makes nobody speak");
    if (outcome.failure) return false;
    if (!outcome.is_ready) outcome.ready_at += bytes.size();
    if (machine_.is_ready() && !std::exchange(outcome.is_ready, true)) {
      for (std::size_t i = 0; i < commands_; ++i)
        outcome.commands.push_back(machine_.command(loop(), {"LLEN", "jobs"}, out));
    }
    return true;
  }

  void take_pieces(std::string_view bytes, std::size_t seed) {
    for (const auto& piece : pieces_of(bytes, seed)) {
      if (!take(view_of(piece))) return;
    }
  }

  // Ends the connection: nobody is left waiting.
  void end() {
    const auto is_answered = [](const RedisCommandPtr& one) { return one->reply.has_value(); };
    require(std::ranges::is_partitioned(outcome.commands, is_answered), "replies come in order");
    const bool is_open = !std::ranges::all_of(outcome.commands, is_answered);
    require(machine_.waiting_since().has_value() == is_open, "the machine knows what is open");
    std::vector<RedisCommandPtr> open;
    std::ranges::remove_copy_if(outcome.commands, std::back_inserter(open), is_answered);
    const std::size_t answered = outcome.commands.size() - open.size();
    machine_.on_disconnected({Errc::unreachable, "lost", ""});
    for (const RedisCommandPtr& one : open)
      require(one->reply.has_value() && !one->reply->has_value(),
              "every waiter is notified of the end");
    outcome.commands.resize(answered);
  }

  Outcome outcome;

 private:
  RedisMachine machine_;
  std::size_t commands_;
};

// Some reply that a server may give, made of `bytes`, which it uses up in part.
RedisReply made_of(std::string_view& bytes, int depth) {
  const auto take = [&] {
    const auto out = bytes.empty() ? 0U : static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(bytes.empty() ? 0 : 1);
    return out;
  };
  RedisReply out;
  out.kind = static_cast<Kind>(take() % 5);
  if (out.kind == Kind::integer) {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8U | take();
    out.integer = static_cast<std::int64_t>(value);
  } else if (out.kind == Kind::text || out.kind == Kind::error) {
    out.text = bytes.substr(0, take());
    bytes.remove_prefix(std::min(bytes.size(), out.text.size()));
    if (out.kind == Kind::error) std::ranges::replace_if(out.text, is_line_end, ' ');
  } else if (out.kind == Kind::list) {
    const unsigned items = depth < kMaxDepth ? take() % 5 : 0;
    for (unsigned i = 0; i < items; ++i) out.items.push_back(made_of(bytes, depth + 1));
  }
  return out;
}

void append_encoded(std::string& out, const RedisReply& reply) {
  switch (reply.kind) {
    case Kind::nil: out += "$-1\r\n"; break;
    case Kind::integer: out += ":" + std::to_string(reply.integer) + "\r\n"; break;
    case Kind::error: out += "-" + reply.text + "\r\n"; break;
    case Kind::text:
      out += "$" + std::to_string(reply.text.size()) + "\r\n" + reply.text + "\r\n";
      break;
    case Kind::list:
      out += "*" + std::to_string(reply.items.size()) + "\r\n";
      for (const RedisReply& item : reply.items) append_encoded(out, item);
      break;
  }
}

void check_made(std::string_view input) {
  std::string_view left = input;
  const RedisReply meant = made_of(left, 0);
  std::string bytes;
  append_encoded(bytes, meant);
  Session session(0, 1);
  session.take_pieces("+PONG\r\n", input.size());
  session.take_pieces(bytes, input.size());
  session.end();
  require(!session.outcome.failure, "what a server encodes is read");
  require(session.outcome.commands.size() == 1 &&
              is_same(session.outcome.commands.front()->reply->value(), meant),
          "what a server means is what is read");
}

void check_replies(const Outcome& whole, const Outcome& cut) {
  require(whole.failure.has_value() == cut.failure.has_value(),
          "a stream is good however it is cut");
  // A guard that sees all at once refuses all at once: in pieces what stands before is answered.
  require(whole.failure ? whole.commands.size() <= cut.commands.size()
                        : whole.commands.size() == cut.commands.size(),
          "a stream answers the same however it is cut");
  for (std::size_t i = 0; i < whole.commands.size(); ++i) {
    const RedisReply& reply = whole.commands[i]->reply->value();
    require(is_same(reply, cut.commands[i]->reply->value()), "a reply is one however it is cut");
    require(size_of(reply) <= RespGuard::kMaxReplyBytes, "a reply is bounded");
  }
}

// What redirects and Sentinels name is bounded, whatever it is.
void check_named(const Outcome& outcome) {
  std::vector<RedisReply> replies;
  for (const auto& command : outcome.commands) {
    if (command->reply && *command->reply) replies.push_back(**command->reply);
  }
  if (replies.empty()) return;
  const scalers::clients::RedisAddress asked{"asked", 1};
  const auto redirect = scalers::clients::find_redirect(replies, asked);
  if (redirect && *redirect)
    require(scalers::clients::is_host((*redirect)->to.host) && (*redirect)->to.port != 0,
            "a redirect names an address");
  const auto master = scalers::clients::parse_master("jobs", replies);
  if (master)
    require(scalers::clients::is_host(master->address.host) && master->address.port != 0,
            "a Sentinel names an address");
  static_cast<void>(scalers::clients::master_problem(replies.front()));
  static_cast<void>(scalers::clients::slot_of(replies.front().text));
}

}  // namespace

void run(std::string_view input) {
  check_made(input);
  if (input.size() < 2) return;
  const int bits = input[0];
  const auto commands = static_cast<std::size_t>(input[1]) % 8;
  const std::string_view bytes = input.substr(2);

  // Byte by byte: where the login ends.
  Session slow(bits, commands);
  for (const char& byte : bytes) {
    if (!slow.take({&byte, 1})) break;
  }
  slow.end();

  // The login and what is behind it, each as a whole, then each in pieces.
  const std::string_view login =
      slow.outcome.is_ready ? bytes.substr(0, slow.outcome.ready_at) : bytes;
  Session whole(bits, commands);
  if (whole.take(login) && login.size() < bytes.size()) whole.take(bytes.substr(login.size()));
  whole.end();
  Session cut(bits, commands);
  cut.take_pieces(login, input.size());
  if (!cut.outcome.failure) cut.take_pieces(bytes.substr(login.size()), input.size());
  cut.end();

  require(whole.outcome.is_ready == slow.outcome.is_ready || slow.outcome.failure,
          "a login is one however it is cut");
  check_named(whole.outcome);
  check_replies(whole.outcome, slow.outcome);
  check_replies(whole.outcome, cut.outcome);
}

}  // namespace weir::fuzz
