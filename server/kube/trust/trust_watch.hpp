// Keeps up with the ConfigMap extension-apiserver-authentication: a list, then watches, for as long
// as Weir runs. Shared by Cluster and its own coroutine; loop thread only.
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

// What the watch tells.
struct TrustEvents {
  std::function<void(const ConfigMapData&)> on_config;  // as it is at the moment
  std::function<void()> on_missing;                     // there is none, or it was deleted
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
  awaitable<std::optional<scalers::Error>> step();
  awaitable<std::optional<scalers::Error>> list();
  awaitable<std::optional<scalers::Error>> watch();
  // What a watch that ended so means for the next step.
  std::optional<scalers::Error> ending_of(const scalers::Result<scalers::clients::HttpReply>& reply,
                                          bool has_lasted);
  void take(std::string_view line);
  void note(const std::optional<scalers::Error>& failure);

  Loop& loop_;
  KubeClient& client_;
  const Clock& clock_;
  TrustEvents events_;
  scalers::Signal closing_;
  bool is_closed_ = false;
  std::minstd_rand random_{std::random_device{}()};
  std::string resource_version_;  // empty: list first
  bool has_heard_ = false;        // an event that counts came in this watch
  bool is_broken_ = false;        // this watch said something that cannot be used
  bool is_gone_ = false;          // this watch began from too old a version
  int failures_ = 0;              // since a watch that lasted, or heard something
  std::string last_failure_;      // a failure is logged once, not at each try
};

}  // namespace weir::server::cluster
