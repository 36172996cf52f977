// AMQP 0-9-1 on one connection, as far as queue lengths need it: login, channels, passive declares,
// and the recovery of a channel that a missing queue closed. rabbitmq-c is the codec. No sockets;
// loop thread only.
#pragma once

#include "scalers/clients/amqp/guard.hpp"
#include "scalers/clients/net/link.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/signal.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

struct AmqpLogin {
  Secret username;  // both empty: SASL EXTERNAL, the client certificate is the identity
  Secret password;
  std::string vhost;
  std::string connection_name;  // what the broker lists the connection as
};

// A query for the length of one queue. Owned by the callers that wait and by the machine.
struct QueueLengthQuery {
  QueueLengthQuery(Loop& loop, std::string queue_name) : queue(std::move(queue_name)), done(loop) {}
  std::string queue;
  Signal done;
  SteadyTime sent_at{};
  std::optional<Result<std::uint64_t>> ready_messages;  // set when done is raised
};
using QueueLengthQueryPtr = std::shared_ptr<QueueLengthQuery>;

class AmqpMachine final : public Machine {
 public:
  explicit AmqpMachine(AmqpLogin login);
  ~AmqpMachine() override;

  void on_connected(std::string& out) override;
  [[nodiscard]] std::optional<Error> receive(std::string_view bytes, std::string& out) override;
  [[nodiscard]] bool is_ready() const override { return state_ == State::ready; }
  void on_disconnected(const Error& why) override;
  [[nodiscard]] std::optional<SteadyTime> waiting_since() const override;
  [[nodiscard]] Duration tick_interval() const override { return heartbeat_ / 2; }
  [[nodiscard]] std::optional<Error> tick(SteadyTime now, std::string& out) override;

  // Queries the length of a queue on a free channel, or queues the query when all channels are
  // busy. A query for the same queue that is in flight is joined, so that a queue which never
  // responds blocks one channel at most; `sent_at` says how old the response may be. The machine
  // must be ready.
  [[nodiscard]] QueueLengthQueryPtr query_length(Loop& loop,
                                                 const std::string& queue,
                                                 std::string& out);

 private:
  enum class State { start, tune, open, ready };
  // Channel numbers count from 1; a channel is opened with its first query.
  struct Channel {
    bool is_open = false;
    QueueLengthQueryPtr current;
  };
  struct Codec;
  struct Frame;

  std::optional<Error> take(const Frame& frame, std::string& out);
  std::optional<Error> take_login(const Frame& frame, std::string& out);
  std::optional<Error> take_close(const Frame& frame, std::string& out);
  std::optional<Error> take_declared(const Frame& frame, std::string& out);
  void take_channel_close(const Frame& frame, std::string& out);
  void complete(std::uint16_t channel, Result<std::uint64_t> outcome, std::string& out);
  void declare(std::uint16_t channel, QueueLengthQueryPtr query, std::string& out);

  AmqpLogin login_;
  std::unique_ptr<Codec> codec_;
  AmqpGuard guard_;
  State state_ = State::start;
  Duration heartbeat_{0};
  SteadyTime last_received_at_{};
  std::vector<Channel> channels_;
  std::deque<QueueLengthQueryPtr> waiting_;
};

}  // namespace weir::scalers::clients
