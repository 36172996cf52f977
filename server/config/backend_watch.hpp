// Follows the files and the credentials of backends while Weir serves: logs what changes, and
// notices a url in a file that needs another backend. Loop thread only.
#pragma once

#include "scalers/clients/clients.hpp"
#include "scalers/deadline.hpp"
#include "scalers/read/world.hpp"

#include <functional>
#include <utility>
#include <vector>

namespace weir::server {

class BackendWatch {
 public:
  // `clients` outlives the watch. `on_url` is called while the url in a file differs by more than
  // its user and password from that in use, every few seconds: a reload may fail for another
  // reason.
  BackendWatch(scalers::Clients& clients, std::function<void()> on_url)
      : clients_(clients), on_url_(std::move(on_url)) {}

  // To be called about once a second, with the backends in use.
  void check(const std::vector<scalers::BackendState>& states, SteadyTime now);

 private:
  void check_files(const scalers::BackendState& state);
  scalers::Clients& clients_;
  std::function<void()> on_url_;
  SteadyTime checked_at_{};
  SteadyTime loaded_at_{};  // when on_url() was called last
};

}  // namespace weir::server
