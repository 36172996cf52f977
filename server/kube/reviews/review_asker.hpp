// Posts a review to the kube-apiserver until it is answered, and logs when reviews begin and cease
// to fail. Loop thread only.
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

// What a status of the kube-apiserver means for a review: nullopt for an answer (2xx).
[[nodiscard]] std::optional<scalers::Error> review_failure(long status);
// Whether another try may help: the server is overloaded, going away or not to be reached.
[[nodiscard]] bool is_worth_a_retry(long status);

class ReviewAsker : public std::enable_shared_from_this<ReviewAsker> {
 public:
  // `client` and `clock` outlive every question.
  ReviewAsker(Loop& loop,
              KubeClient& client,
              const Clock& clock,
              std::string name,
              std::string path);

  // The body of the answer. Five tries within 10 s. Errors name no host: refused (a status of
  // review_failure), unreachable, tls, timed_out, bad_reply.
  [[nodiscard]] awaitable<scalers::Result<std::string>> ask(std::string body);
  // Logs the first failure behind a success, and the first success behind a failure.
  void note(const std::optional<scalers::Error>& failure);
  void close() { closing_.raise(); }

 private:
  static awaitable<scalers::Result<std::string>> ask_for(std::shared_ptr<ReviewAsker> self,
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
