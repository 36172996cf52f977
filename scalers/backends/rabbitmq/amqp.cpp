// The AMQP transport: ready messages of one queue by a passive declare. Apart from the management
// API, because the two share no protocol.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"
#include "scalers/clients/amqp/client.hpp"
#include "scalers/clients/clients.hpp"

#include <fmt/format.h>

#include <utility>

namespace weir::scalers::backends::rabbitmq {
namespace {

class AmqpScaler final : public Scaler {
 public:
  AmqpScaler(clients::AmqpClient& client,
             VhostName vhost,
             TextTemplate queue,
             ErrorOrNumber missing)
      : client_(client), vhost_(std::move(vhost)), queue_(std::move(queue)), missing_(missing) {}

  [[nodiscard]] std::string cache_key(const Parameters& parameters) const override {
    const std::string vhost = vhost_.render(parameters);
    // `missing` is in the key because query() applies it. The size keeps the vhost apart from the
    // queue.
    const std::string missing = missing_.number ? fmt::format("{}", *missing_.number) : "error";
    return fmt::format("{} {}:{}{}", missing, vhost.size(), vhost, queue_.render(parameters));
  }

  [[nodiscard]] std::string describe_query(const Parameters& parameters) const override {
    return fmt::format("passive declare of queue \"{}\" in vhost \"{}\": ready messages",
                       queue_.render(parameters),
                       vhost_.render(parameters));
  }

  [[nodiscard]] awaitable<Result<Samples>> query(Parameters parameters,
                                                 Deadline deadline) override {
    const std::string vhost = vhost_.render(parameters);
    const std::string queue = queue_.render(parameters);
    // At each query, because a caller's label may be empty or too long.
    auto invalid = check_names(vhost, queue);
    if (invalid) co_return std::move(*invalid);
    // Taken before the declare: a reading may be younger than its time says, never older.
    const WallTime taken_at = std::chrono::system_clock::now();
    const auto ready = co_await client_.ready_messages(vhost, queue, deadline);
    if (!ready) co_return ready.error();
    if (*ready) co_return Sample{static_cast<double>(**ready), taken_at};
    co_return as_samples(missing_queue(missing_, missing_text(vhost, queue), taken_at));
  }

  // A number reported for a missing queue: an error says it itself, and AMQP cannot list queues.
  [[nodiscard]] bool can_diagnose(const Result<Samples>& reply) const override {
    return reply && reply->front().is_missing;
  }
  [[nodiscard]] awaitable<Diagnosis> diagnose(Parameters parameters,
                                              Result<Samples> /*reply*/,
                                              Deadline /*deadline*/) override {
    Diagnosis out;
    out.cause = missing_text(vhost_.render(parameters), queue_.render(parameters));
    co_return out;
  }

 private:
  [[nodiscard]] static std::string missing_text(const std::string& vhost,
                                                const std::string& queue) {
    return fmt::format("queue \"{}\" does not exist in vhost \"{}\"", queue, vhost);
  }

  clients::AmqpClient& client_;
  VhostName vhost_;
  TextTemplate queue_;
  ErrorOrNumber missing_;
};

class AmqpBackend final : public Backend {
 public:
  AmqpBackend(std::shared_ptr<clients::AmqpClient> client, std::string address, std::string vhost)
      : client_(std::move(client)), address_(std::move(address)), vhost_(std::move(vhost)) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                    ParameterNames& names,
                                                    Problems& problems) override {
    MetricBlock read = read_metric(block, names, problems);
    // Only a key that the author wrote is reported, at its own position; defaults fit every
    // transport.
    const auto reject = [&](bool is_wrong, std::string_view key, const char* what) {
      const Node* node = block.find(key);
      if (is_wrong && node != nullptr) problems.add(node->mark, what);
    };
    const bool is_other_count = read.settings.count.value_or(Count::ready) != Count::ready;
    reject(true,
           "queueRegex",
           "AMQP reads a single queue; queueRegex needs a backend with an http:// or https:// url");
    reject(read.settings.mode != Mode::queue_length,
           "mode",
           "AMQP reports queue lengths only; the rate modes need a backend with an http:// or "
           "https:// url");
    reject(is_other_count,
           "count",
           "AMQP reports ready messages only; other counts need a backend with an http:// or "
           "https:// url");
    VhostName vhost{vhost_, std::move(read.vhost)};
    return std::make_unique<AmqpScaler>(*client_,
                                        std::move(vhost),
                                        std::move(read.queue),
                                        read.settings.missing);
  }
  [[nodiscard]] std::string address() const override { return address_; }
  [[nodiscard]] ConnectionCounts connections() const override { return client_->connections(); }

 private:
  std::shared_ptr<clients::AmqpClient> client_;  // the only owner: Clients holds a weak_ptr
  std::string address_;
  std::string vhost_;
};

}  // namespace

std::unique_ptr<Backend> make_amqp_backend(const BackendSettings& settings,
                                           Broker broker,
                                           Clients& clients) {
  const clients::AmqpTarget target{
      {broker.url.host, broker.url.port, broker.url.scheme == "amqps", settings.tls},
      settings.username,
      settings.password};
  return std::make_unique<AmqpBackend>(clients.make_amqp(target),
                                       broker.url.authority(),
                                       std::move(broker.vhost));
}

}  // namespace weir::scalers::backends::rabbitmq
