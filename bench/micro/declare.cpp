#include "bench/micro/callers.hpp"
#include "bench/micro/clients.hpp"
#include "bench/micro/measure.hpp"
#include "scalers/clients/amqp/client.hpp"
#include "scalers/clients/clients.hpp"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <fmt/format.h>

#include <stdexcept>

namespace weir::bench {
namespace {

constexpr std::size_t kQueues = 100;

void expect(bool is_right, const char* what) {
  if (!is_right) throw std::runtime_error(what);
}

std::string queue_name(std::size_t number) { return fmt::format("bench-{}", number % kQueues); }

// rabbitmq-c as it is meant to be used: one question at a time, blocking. It has no pipelining.
class Bare {
 public:
  Bare(std::uint16_t port, const std::string& user, const std::string& password)
      : state_(amqp_new_connection()) {
    amqp_socket_t* socket = amqp_tcp_socket_new(state_);
    expect(amqp_socket_open(socket, "127.0.0.1", port) == AMQP_STATUS_OK,
           "rabbitmq-c: no connection");
    const auto login = amqp_login(state_,
                                  "/",
                                  0,
                                  131072,
                                  0,
                                  AMQP_SASL_METHOD_PLAIN,
                                  user.c_str(),
                                  password.c_str());
    expect(login.reply_type == AMQP_RESPONSE_NORMAL, "rabbitmq-c: no login");
    expect(amqp_channel_open(state_, 1) != nullptr, "rabbitmq-c: no channel");
  }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;
  ~Bare() { amqp_destroy_connection(state_); }

  void declare(std::size_t operations) {
    for (std::size_t i = 0; i < operations; ++i) {
      const std::string queue = queue_name(i);
      const amqp_bytes_t name{queue.size(), const_cast<char*>(queue.data())};
      const auto* ok = amqp_queue_declare(state_, 1, name, 1, 0, 0, 0, amqp_empty_table);
      expect(ok != nullptr, "rabbitmq-c: no answer");
      amqp_maybe_release_buffers(state_);
    }
  }

 private:
  amqp_connection_state_t state_;
};

// Each caller has a queue of its own: equal queries in flight would be joined.
awaitable<void> query(scalers::clients::AmqpClient& client,
                      std::size_t caller,
                      std::size_t operations) {
  for (std::size_t i = 0; i < operations; ++i) {
    const auto ready = co_await client.ready_messages("/", queue_name(caller), within_a_minute());
    expect(ready && ready->has_value(), "weir: no length");
  }
}

}  // namespace

void bench_declare(std::uint16_t port,
                   const std::string& username,
                   const std::string& password,
                   const Amount& amount) {
  const scalers::SecretFile user(username);
  const scalers::SecretFile secret(password);
  Bare bare(port, user.read()->reveal(), secret.read()->reveal());
  Loop loop;
  scalers::Clients clients(loop);
  const auto client = clients.make_amqp({{"127.0.0.1", port, false, {}}, user, secret});
  const auto weir = [&](std::size_t operations, std::size_t in_flight) {
    run_callers(loop, in_flight, [&](std::size_t caller) {
      return query(*client, caller, operations / in_flight);
    });
  };
  measure({{"passive declare, rabbitmq-c, one by one",
            amount.one_by_one,
            [&](std::size_t operations) { bare.declare(operations); }},
           {"passive declare, Weir, one by one",
            amount.one_by_one,
            [&](std::size_t operations) { weir(operations, 1); }},
           {"passive declare, Weir, 16 in flight",
            amount.pipelined,
            [&](std::size_t operations) { weir(operations, 16); }},
           {"passive declare, Weir, 100 in flight",
            amount.pipelined,
            [&](std::size_t operations) { weir(operations, kQueues); }}},
          amount.rounds);
  clients.close();
  loop.restart();
  loop.run();
}

}  // namespace weir::bench
