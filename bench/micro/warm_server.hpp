// A Weir without its HTTP server, for the paths that need cached values: a world with a Redis
// backend, and the access reviews of a kube-apiserver. Both servers respond during the constructor
// and are stopped after it.
#pragma once

#include "bench/micro/paths.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/deadline.hpp"
#include "scalers/read/world.hpp"
#include "scalers/task.hpp"
#include "server/app.hpp"
#include "server/kube/client/client.hpp"
#include "server/kube/reviews/access_reviews.hpp"
#include "server/telemetry/telemetry.hpp"

#include <boost/asio/co_spawn.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace weir::bench {

// Never advances, so that cached values stay fresh and every run executes the same instructions.
class StoppedClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady() const override { return steady_; }
  [[nodiscard]] WallTime wall() const override { return wall_; }

 private:
  SteadyTime steady_ = std::chrono::steady_clock::now();
  WallTime wall_ = std::chrono::system_clock::now();
};

class WarmServer {
 public:
  // Reads kMetric and reviews the access to it, once each.
  WarmServer();
  WarmServer(const WarmServer&) = delete;
  WarmServer& operator=(const WarmServer&) = delete;
  ~WarmServer();

  // The result of `task`, run to its end.
  template <class T>
  [[nodiscard]] T finish(awaitable<T> task) {
    std::optional<T> out;
    boost::asio::co_spawn(loop_.get_executor(), keep(std::move(task), out), rethrow);
    loop_.restart();
    while (!out) expect(loop_.run_one() > 0, "a coroutine did not end");
    return std::move(*out);
  }
  [[nodiscard]] Deadline deadline() const { return Deadline::after(clock_.steady(), kBudget); }
  [[nodiscard]] scalers::Source& source() { return world_->source(); }
  [[nodiscard]] server::cluster::AccessReviews& access() { return *access_; }
  [[nodiscard]] server::Telemetry& telemetry() { return telemetry_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  static constexpr Duration kBudget{30'000};

  template <class T>
  static awaitable<void> keep(awaitable<T> task, std::optional<T>& out) {
    auto value = co_await std::move(task);
    out.emplace(std::move(value));
  }
  void warm_up();
  [[nodiscard]] awaitable<apiservice::Decision> sample_decision();

  StoppedClock clock_;
  Loop loop_;
  scalers::Clients clients_{loop_};
  server::Telemetry telemetry_;
  std::unique_ptr<scalers::World> world_;
  std::optional<server::cluster::KubeClient> kube_;
  std::optional<server::cluster::AccessReviews> access_;
};

}  // namespace weir::bench
