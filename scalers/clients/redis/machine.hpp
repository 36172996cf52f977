// RESP2 on one connection: commands out, replies in order. hiredis is the codec; RespGuard bounds
// its input. No sockets; loop thread only.
#pragma once

#include "scalers/clients/net/link.hpp"
#include "scalers/clients/redis/reply.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/signal.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

struct RedisLogin {
  Secret username;  // empty: the default user
  Secret password;  // empty: no AUTH
  std::uint32_t database = 0;
  bool is_cluster = false;  // the server has to be a node of a cluster
};

// A command in flight. Owned by the caller that waits and by the machine.
struct RedisCommand {
  explicit RedisCommand(Loop& loop) : done(loop) {}
  Signal done;
  SteadyTime sent_at = std::chrono::steady_clock::now();
  std::optional<Result<RedisReply>> reply;  // set when done is raised
};
using RedisCommandPtr = std::shared_ptr<RedisCommand>;

// Checks the lengths in a RESP stream before the codec reads them: a reply that announces too much
// is rejected unread, so that a server cannot make Weir allocate its memory.
class RespGuard {
 public:
  static constexpr std::int64_t kMaxItems = 10'000;
  static constexpr std::int64_t kMaxReplyBytes = 1 << 20;

  // False when the stream, with `bytes`, exceeds a limit or is not RESP2.
  [[nodiscard]] bool accept(std::string_view bytes);

 private:
  bool take_line();
  bool take_value_end();

  std::string line_;
  std::int64_t bulk_left_ = 0;            // bytes of the current bulk string, with its line end
  std::int64_t reply_bytes_ = 0;          // of the current top-level reply
  std::vector<std::int64_t> open_lists_;  // items left of each
};

class RedisMachine final : public Machine {
 public:
  explicit RedisMachine(RedisLogin login);
  ~RedisMachine() override;

  void on_connected(std::string& out) override;
  [[nodiscard]] std::optional<Error> receive(std::string_view bytes, std::string& out) override;
  [[nodiscard]] bool is_ready() const override { return login_left_ == 0; }
  void on_disconnected(const Error& why) override;
  [[nodiscard]] std::optional<SteadyTime> waiting_since() const override;

  // Appends the command; replies arrive in the order of the commands. The machine must be ready.
  [[nodiscard]] RedisCommandPtr command(Loop& loop,
                                        const std::vector<std::string>& words,
                                        std::string& out);

 private:
  struct Codec;
  [[nodiscard]] std::optional<Error> take(RedisReply reply);
  [[nodiscard]] std::optional<Error> take_login(const RedisReply& reply);

  RedisLogin login_;
  std::unique_ptr<Codec> codec_;
  RespGuard guard_;
  std::size_t login_left_ = 1;  // replies to the login that have not arrived yet
  bool is_auth_open_ = false;   // the next reply is that to AUTH
  std::deque<RedisCommandPtr> waiting_;
};

}  // namespace weir::scalers::clients
