// The login of a Redis connection, the order of its replies, and what its error replies mean.
#include "scalers/clients/redis/machine.hpp"

#include "scalers/clients/redis/client.hpp"
#include "scalers/text/redact.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace weir::scalers::clients {
namespace {

// Of a status, an error or a length. hiredis itself would buffer a line without an end.
constexpr std::size_t kMaxLineBytes = 64 * 1024;
constexpr std::size_t kMaxDepth = 7;  // hiredis' own limit

void append_number(std::string& out, char type, std::size_t number) {
  const fmt::format_int digits(number);
  out += type;
  out.append(digits.data(), digits.size());
  out += "\r\n";
}

// An array of bulk strings, written here because hiredis' formatter allocates several times per
// command.
void append_command(std::string& out, const std::vector<std::string>& words) {
  append_number(out, '*', words.size());
  for (const std::string& word : words) {
    append_number(out, '$', word.size());
    out += word;
    out += "\r\n";
  }
}

// Recursion ends at kMaxDepth.
RedisReply converted(const redisReply& from) {
  using Kind = RedisReply::Kind;
  RedisReply out;
  switch (from.type) {
    case REDIS_REPLY_INTEGER: out.kind = Kind::integer; break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS: out.kind = Kind::text; break;
    case REDIS_REPLY_ERROR: out.kind = Kind::error; break;
    case REDIS_REPLY_ARRAY: out.kind = Kind::list; break;
    default: out.kind = Kind::nil; break;  // the null string and the null array
  }
  out.integer = from.integer;
  if (out.kind == Kind::text || out.kind == Kind::error)
    out.text.assign(from.str, static_cast<std::size_t>(from.len));
  for (std::size_t i = 0; i < from.elements; ++i) out.items.push_back(converted(*from.element[i]));
  return out;
}

// Whether an error reply to PING is one that every command would get.
bool ends_login(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kPrefixes{"NOAUTH",
                                                             "DENIED",
                                                             "LOADING",
                                                             "MASTERDOWN",
                                                             "BUSY",
                                                             "ERR max number of clients"};
  return std::ranges::any_of(kPrefixes, [&](auto prefix) { return text.starts_with(prefix); });
}

// Whether an error reply to AUTH without a code of its own is about the credentials.
bool is_about_password(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kPrefixes{"ERR AUTH",
                                                             "ERR Client sent AUTH",
                                                             "ERR invalid password",
                                                             "ERR wrong number",
                                                             "DENIED"};
  return std::ranges::any_of(kPrefixes, [&](auto prefix) { return text.starts_with(prefix); });
}

std::optional<std::int64_t> parse_length(std::string_view digits) {
  std::int64_t value = 0;
  // from_chars accepts neither a plus nor blanks before the number.
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failed != std::errc{} || end != digits.data() + digits.size() || value < -1)
    return std::nullopt;
  return value;
}

}  // namespace

bool RespGuard::accept(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    // Content is skipped by its length, because it may contain line ends.
    if (bulk_left_ > 0) {
      const auto count =
          std::min<std::int64_t>(bulk_left_, static_cast<std::int64_t>(bytes.size() - at));
      bulk_left_ -= count;
      at += static_cast<std::size_t>(count);
      if (bulk_left_ == 0 && !take_value_end()) return false;
      continue;
    }
    line_ += bytes[at++];
    if (line_.size() > kMaxLineBytes) return false;
    if (line_.back() == '\n' && !take_line()) return false;
  }
  return true;
}

bool RespGuard::take_line() {
  const std::string line = std::exchange(line_, {});
  reply_bytes_ += static_cast<std::int64_t>(line.size());
  // The shortest line is a type and CRLF.
  if (line.size() < 3 || !line.ends_with("\r\n")) return false;
  const char type = line.front();
  if (type == '+' || type == '-' || type == ':') return take_value_end();
  const auto length = parse_length(std::string_view(line).substr(1, line.size() - 3));
  // The types of RESP3 are errors: hiredis 0.14 does not know them, and Weir never sends HELLO 3.
  if (!length || (type != '$' && type != '*')) return false;
  // RESP2: -1 is the null string or the null array, without content.
  if (*length == -1) return take_value_end();
  if (type == '$') {
    // Before the addition, which the largest length would overflow.
    if (*length > kMaxReplyBytes) return false;
    reply_bytes_ += *length + 2;
    bulk_left_ = *length + 2;
    return reply_bytes_ <= kMaxReplyBytes;
  }
  // hiredis allocates a pointer per item as soon as it has read the count: 8 GiB for 2^30 items.
  if (*length > kMaxItems || open_lists_.size() >= kMaxDepth) return false;
  if (*length == 0) return take_value_end();
  open_lists_.push_back(*length);
  return true;
}

bool RespGuard::take_value_end() {
  if (reply_bytes_ > kMaxReplyBytes) return false;
  // The end of a value may complete its list, and so on up to the top-level reply.
  while (!open_lists_.empty()) {
    if (--open_lists_.back() > 0) return true;
    open_lists_.pop_back();
  }
  reply_bytes_ = 0;
  return true;
}

struct RedisMachine::Codec {
  redisReader* reader = redisReaderCreate();
  Codec() = default;
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  ~Codec() { redisReaderFree(reader); }
};

RedisMachine::RedisMachine(RedisLogin login)
    : login_(std::move(login)), codec_(std::make_unique<Codec>()) {}
RedisMachine::~RedisMachine() = default;

// PING comes last, so that a server that is loading its data or requires a password says so before
// the first query.
void RedisMachine::on_connected(std::string& out) {
  login_left_ = 0;
  const auto append = [&](const std::vector<std::string>& words) {
    append_command(out, words);
    ++login_left_;
  };
  // AUTH comes first, because a server with a password rejects SELECT and PING until then.
  if (!login_.password.reveal().empty()) {
    std::vector<std::string> words{"AUTH"};
    if (!login_.username.reveal().empty()) words.push_back(login_.username.reveal());
    words.push_back(login_.password.reveal());
    append(words);
    is_auth_open_ = true;
  }
  if (login_.database != 0) append({"SELECT", std::to_string(login_.database)});
  // Without effect on a master. Only a server without cluster support refuses it, and that one
  // would have no key of a cluster: an address may have gone to another server since the cluster
  // named it.
  if (login_.is_cluster) append({"READWRITE"});
  append({"PING"});
}

std::optional<Error> RedisMachine::receive(std::string_view bytes, std::string& /*out*/) {
  if (!guard_.accept(bytes))
    return Error{Errc::bad_reply, "the response is not RESP2, or a reply is over 1 MiB", ""};
  redisReaderFeed(codec_->reader, bytes.data(), bytes.size());
  while (true) {
    void* raw = nullptr;
    if (redisReaderGetReply(codec_->reader, &raw) != REDIS_OK) {
      return Error{Errc::bad_reply,
                   "the response is not RESP2",
                   remote_text(codec_->reader->errstr, {})};
    }
    if (raw == nullptr) return std::nullopt;
    RedisReply reply = converted(*static_cast<redisReply*>(raw));
    freeReplyObject(raw);
    auto failed = take(std::move(reply));
    if (failed) return failed;
  }
}

std::optional<Error> RedisMachine::take(RedisReply reply) {
  if (login_left_ > 0) {
    --login_left_;
    return take_login(reply);
  }
  // Replies have no numbers: after one too many, each reply would complete the wrong command.
  if (waiting_.empty()) return Error{Errc::bad_reply, "an unsolicited reply was received", ""};
  const auto command = std::move(waiting_.front());
  waiting_.pop_front();
  command->reply = std::move(reply);
  command->done.raise();
  return std::nullopt;
}

std::optional<Error> RedisMachine::take_login(const RedisReply& reply) {
  // In the order of on_connected(): AUTH first, if there is a password, and PING last.
  const bool is_auth = std::exchange(is_auth_open_, false);
  if (reply.kind != RedisReply::Kind::error) return std::nullopt;
  // A user without permission for PING, or a server that rejects it after a failed snapshot, may
  // still serve queries, so that the login succeeds.
  const bool is_ping = login_left_ == 0;
  const bool is_readwrite = login_.is_cluster && login_left_ == 1;
  if (is_readwrite && reply.text.find("cluster support disabled") != reply.text.npos) {
    return Error{Errc::bad_reply,
                 "the server is not a node of a cluster (cluster-enabled no); write url instead of "
                 "cluster",
                 ""};
  }
  if ((is_ping || is_readwrite) && !ends_login(reply.text)) return std::nullopt;
  const std::array redactions{login_.username.reveal(), login_.password.reveal()};
  Error out = redis_error(reply.text, redactions);
  // Other errors in place of AUTH's reply are not about the password, for example too many clients.
  if (is_auth && out.code == Errc::bad_reply)
    out.code = is_about_password(reply.text) ? Errc::refused : Errc::unreachable;
  return out;
}

RedisCommandPtr RedisMachine::command(Loop& loop,
                                      const std::vector<std::string>& words,
                                      std::string& out) {
  append_command(out, words);
  auto command = std::make_shared<RedisCommand>(loop);
  waiting_.push_back(command);
  return command;
}

std::optional<SteadyTime> RedisMachine::waiting_since() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.front()->sent_at;
}

void RedisMachine::on_disconnected(const Error& why) {
  for (const auto& command : std::exchange(waiting_, {})) {
    command->reply = why;
    command->done.raise();
  }
}

Error redis_error(std::string_view text, std::span<const std::string> redactions) {
  struct Row {
    std::string_view prefix;
    Errc code;
    std::string_view detail;
  };
  // unreachable means that the state passes by itself; bad_reply, that the configuration or the key
  // has to change.
  static constexpr std::array<Row, 14> kRows{{
      {"NOAUTH", Errc::refused, "the server requires a password"},
      {"WRONGPASS", Errc::refused, "the credentials are refused"},
      {"DENIED", Errc::refused, "the server is in protected mode and accepts local clients only"},
      {"NOPERM", Errc::forbidden, "the user has no permission for this command"},
      {"WRONGTYPE", Errc::bad_reply, "the key is of another type"},
      {"LOADING", Errc::unreachable, "the server is loading its data"},
      {"MASTERDOWN", Errc::unreachable, "the replica has lost its master"},
      {"READONLY", Errc::bad_reply, "the server is a read-only replica"},
      {"BUSY", Errc::unreachable, "the server is busy with a script"},
      {"MOVED",
       Errc::bad_reply,
       "the server is a cluster node that does not hold the key; write cluster instead of url"},
      {"ASK",
       Errc::bad_reply,
       "the server is a cluster node that is giving the key away; write cluster instead of url"},
      {"TRYAGAIN", Errc::unreachable, "the cluster is moving the key to another node"},
      {"CLUSTERDOWN", Errc::unreachable, "the cluster is down"},
      {"NOGROUP", Errc::unknown_object, "there is no such consumer group"},
  }};
  const auto* row = std::ranges::find_if(kRows, [&](const Row& candidate) {
    // The whole first word, because BUSYGROUP and BUSYKEY are other errors than BUSY.
    return text.substr(0, text.find(' ')) == candidate.prefix;
  });
  // ElastiCache Serverless writes the redirects of a cluster after ERR.
  if (text.starts_with("ERR MOVED ") || text.starts_with("ERR ASK "))
    return redis_error(text.substr(4), redactions);
  if (text.starts_with("ERR SELECT is not allowed in cluster mode")) {
    return {Errc::bad_reply,
            "a Redis cluster has database 0 alone; remove the number from the url",
            remote_text(text, redactions)};
  }
  if (text.starts_with("ERR unknown command")) {
    return {Errc::bad_reply,
            "the server does not know the command; is it an older Redis, or a Sentinel, which is "
            "written as "
            "sentinel instead of url?",
            remote_text(text, redactions)};
  }
  // Not a row, because the first word of this error is only ERR.
  if (text.starts_with("ERR max number of clients"))
    return {Errc::unreachable,
            "the server accepts no more connections",
            remote_text(text, redactions)};
  if (row == kRows.end())
    return {Errc::bad_reply, "the server returned an error", remote_text(text, redactions)};
  // The address after the slot may be of a form that no rule of redaction knows, such as ":6379".
  if (row->prefix == "MOVED" || row->prefix == "ASK") {
    const auto end = text.find(' ', row->prefix.size() + 1);
    const std::string slot = remote_text(text.substr(0, end), redactions);
    return {row->code, std::string(row->detail), end == text.npos ? slot : slot + " [hidden]"};
  }
  return {row->code, std::string(row->detail), remote_text(text, redactions)};
}

}  // namespace weir::scalers::clients
