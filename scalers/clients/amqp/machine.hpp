// AMQP 0-9-1 on one connection, as far as asking for queue lengths needs it: login, channels,
// passive declares, and the recovery of a channel that a missing queue closed. rabbitmq-c is the
// codec. No sockets; loop thread only.
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
  std::string connection_name;  // what the broker shows the connection as
};

// One queue's length, asked and awaited. Owned by whoever waits and by the machine.
struct AmqpQuestion {
  AmqpQuestion(Loop& loop, std::string asked) : queue(std::move(asked)), done(loop) {}
  std::string queue;
  Signal done;
  SteadyTime sent_at{};
  std::optional<Result<std::uint64_t>> ready_messages;  // set when done is raised
};
using AmqpQuestionPtr = std::shared_ptr<AmqpQuestion>;

class AmqpMachine final : public Machine {
 public:
  explicit AmqpMachine(AmqpLogin login);
  ~AmqpMachine() override;

  void greet(std::string& out) override;
  [[nodiscard]] std::optional<Error> receive(std::string_view bytes, std::string& out) override;
  [[nodiscard]] bool is_ready() const override { return state_ == State::ready; }
  void lose(const Error& why) override;
  [[nodiscard]] std::optional<SteadyTime> waiting_since() const override;
  [[nodiscard]] Duration tick_interval() const override { return heartbeat_ / 2; }
  [[nodiscard]] std::optional<Error> tick(SteadyTime now, std::string& out) override;

  // Asks for a queue's length on a free channel, or behind those that wait for one; a question for
  // the same queue that is still open is joined, so that a queue which never answers holds up one
  // channel at most: `sent_at` tells how old its answer may be. The machine must be ready.
  [[nodiscard]] AmqpQuestionPtr ask(Loop& loop, const std::string& queue, std::string& out);

 private:
  enum class State { start, tune, open, ready };
  // Channel numbers count from 1; a channel is opened with its first question.
  struct Channel {
    bool is_open = false;
    AmqpQuestionPtr current;
  };
  struct Codec;
  struct Frame;

  std::optional<Error> take(const Frame& frame, std::string& out);
  std::optional<Error> take_login(const Frame& frame, std::string& out);
  std::optional<Error> take_close(const Frame& frame, std::string& out);
  std::optional<Error> take_declared(const Frame& frame, std::string& out);
  void take_channel_close(const Frame& frame, std::string& out);
  void answer(std::uint16_t channel, Result<std::uint64_t> outcome, std::string& out);
  void declare(std::uint16_t channel, AmqpQuestionPtr question, std::string& out);

  AmqpLogin login_;
  std::unique_ptr<Codec> codec_;
  AmqpGuard guard_;
  State state_ = State::start;
  Duration heartbeat_{0};
  SteadyTime heard_at_{};
  std::vector<Channel> channels_;
  std::deque<AmqpQuestionPtr> waiting_;
};

}  // namespace weir::scalers::clients
