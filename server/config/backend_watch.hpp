// Follows the files and the credentials of backends while Weir serves: logs what changes, and
// notices a url in a file that needs another backend. Loop thread only.
#pragma once

#include "scalers/clients/clients.hpp"
#include "scalers/deadline.hpp"
#include "scalers/read/world.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace weir::server {

class BackendWatch {
 public:
  // `clients` outlives the watch. `on_url` is called when the url in a file has changed by more
  // than its user and password, once for each change.
  BackendWatch(scalers::Clients& clients, std::function<void()> on_url)
      : clients_(clients), on_url_(std::move(on_url)) {}

  // To be called about once a second, with the backends in use. False for a few seconds after
  // on_url(): what logs in meanwhile would send the login of a new server to the old one.
  [[nodiscard]] bool check(const std::vector<scalers::BackendState>& states, SteadyTime now);

 private:
  void check_files(const scalers::BackendState& state);
  [[nodiscard]] bool is_url_changed(const scalers::BackendState& state);

  scalers::Clients& clients_;
  std::function<void()> on_url_;
  SteadyTime checked_at_{};
  SteadyTime url_changed_at_{};
  std::map<std::string, std::size_t> noticed_urls_;  // the last shape, by path
};

}  // namespace weir::server
