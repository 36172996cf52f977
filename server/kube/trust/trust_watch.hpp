// Follows the ConfigMap extension-apiserver-authentication with a list and then watches, while Weir
// runs. Shared by Cluster and its own coroutine; loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"
#include "server/kube/client/client.hpp"
#include "server/kube/trust/watch_events.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace weir::server::cluster {

// The callbacks of the watch.
struct TrustEvents {
  std::function<void(const ConfigMapData&)> on_config;  // the current contents
  std::function<void()> on_missing;                     // it does not exist, or was deleted
};

class TrustWatch : public std::enable_shared_from_this<TrustWatch> {
 public:
  // `client` and `clock` outlive the watch's coroutine; the events are called until close().
  TrustWatch(Loop& loop, KubeClient& client, const Clock& clock, TrustEvents events);

  void start();
  void close();

 private:
  static awaitable<void> run(std::shared_ptr<TrustWatch> self);
  // One list or one watch; the error that ended it, or nullopt.
  awaitable<std::optional<scalers::Error>> list_or_watch();
  awaitable<std::optional<scalers::Error>> list();
  awaitable<std::optional<scalers::Error>> watch();
  // The error of a watch that ended with `reply`. Clears the resource version when a list is
  // needed.
  std::optional<scalers::Error> outcome_of(
      const scalers::Result<scalers::clients::HttpReply>& reply,
      bool has_lasted);
  void handle_event(std::string_view line);
  void log_outcome(const std::optional<scalers::Error>& failure);

  Loop& loop_;
  KubeClient& client_;
  const Clock& clock_;
  TrustEvents events_;
  scalers::Signal closing_;
  bool is_closed_ = false;
  std::minstd_rand random_{std::random_device{}()};
  std::string resource_version_;     // empty: list first
  bool has_received_event_ = false;  // in this watch
  bool is_broken_ = false;           // this watch sent an invalid event
  bool is_gone_ = false;             // the resource version of this watch is too old
  int failures_ = 0;                 // since a watch that lasted or received an event
  std::string last_failure_;         // logged once, not for each try
};

}  // namespace weir::server::cluster
