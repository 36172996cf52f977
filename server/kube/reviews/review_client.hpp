// Posts reviews to the kube-apiserver with retries, and logs when they start and stop failing. Loop
// thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"
#include "server/kube/client/client.hpp"

#include <memory>
#include <optional>
#include <random>
#include <string>

namespace weir::server::cluster {

// The error for an HTTP status of the kube-apiserver; nullopt for 2xx.
[[nodiscard]] std::optional<scalers::Error> review_failure(long status);
// Whether to retry: the server is overloaded or shutting down.
[[nodiscard]] bool is_worth_a_retry(long status);

class ReviewClient : public std::enable_shared_from_this<ReviewClient> {
 public:
  // `client` and `clock` outlive every review in flight.
  ReviewClient(Loop& loop,
               KubeClient& client,
               const Clock& clock,
               std::string name,
               std::string path);

  // The body of the response. At most 5 tries within 10 s. Errors name no host: refused (a status
  // of review_failure), unreachable, tls, timed_out, bad_reply.
  [[nodiscard]] awaitable<scalers::Result<std::string>> send(std::string body);
  // Logs the first failure after a success, and the first success after a failure.
  void log_outcome(const std::optional<scalers::Error>& failure);
  void close() { closing_.raise(); }

 private:
  static awaitable<scalers::Result<std::string>> post_with_retries(
      std::shared_ptr<ReviewClient> self,
      std::string body);

  KubeClient& client_;
  const Clock& clock_;
  std::string name_;
  std::string path_;
  scalers::Signal closing_;
  std::minstd_rand random_{std::random_device{}()};
  bool is_failing_ = false;
};

}  // namespace weir::server::cluster
