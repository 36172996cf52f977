// Reports that files may have changed: by inotify on their folders, because a mounted ConfigMap or
// Secret replaces a symlink there, and once a minute for file systems without inotify. Loop thread
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
  // `paths` name files or folders, which need not exist. `on_change` runs on the loop, once for
  // changes within 0.1 s, and may be called without a change. It is not called after the watch is
  // destroyed.
  FileWatch(Loop& loop, std::vector<std::string> paths, std::function<void()> on_change);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch();

 private:
  struct State;
  static awaitable<void> watch(std::shared_ptr<State> state);
  static awaitable<void> poll_every_minute(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // second owners: the coroutines
};

}  // namespace weir::server
