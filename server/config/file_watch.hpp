// Tells that files may have changed: by inotify on their folders, since a mounted ConfigMap or
// Secret swaps a symlink there, and once a minute for whatever that does not show. Loop thread
// only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::server {

class FileWatch {
 public:
  // `paths` name files or folders, which need not be there. `on_change` runs on the loop, once for
  // changes that come close together, and may be called when nothing has changed. It is not called
  // after the watch is gone.
  FileWatch(Loop& loop, std::vector<std::string> paths, std::function<void()> on_change);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch();

 private:
  struct State;
  static awaitable<void> watch(std::shared_ptr<State> state);
  static awaitable<void> look_every_minute(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // also owned by the coroutines
};

}  // namespace weir::server
