// Watches folders, not files, because the watch of a file is lost when the file is replaced.
#include "server/config/file_watch.hpp"

#include "server/logging/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace weir::server {
namespace {

using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;

constexpr auto kToken = boost::asio::as_tuple(use_awaitable);
// The update of a ConfigMap, or the save of an editor, causes several events within this time.
constexpr Duration kSettleTime{100};
constexpr Duration kPollInterval{60'000};
// The kubelet renames the symlink `..data` of a mounted folder, editors write or rename the file
// itself. IN_ATTRIB: a file becomes readable. IN_DELETE_SELF: the folder is replaced.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                  IN_DELETE | IN_ATTRIB | IN_DELETE_SELF;

// The folder to watch for changes of `path`: itself if it is a folder.
std::string folder_of(const std::string& path) {
  std::error_code ignored;
  // An error counts as "not a folder": the parent is watched until the path exists.
  if (std::filesystem::is_directory(path, ignored)) return path;
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

struct FileWatch::State {
  State(Loop& loop_, std::vector<std::string> paths_, std::function<void()> on_change_)
      : loop(loop_),
        paths(std::move(paths_)),
        on_change(std::move(on_change_)),
        events(loop_.get_executor()),
        stop(loop_) {
    const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor >= 0) {
      events.assign(descriptor);
      return;
    }
    // A node has a limited number of instances for each user. Polling still finds every change.
    log(Level::warn,
        "files_not_watched",
        {{"reason", std::error_code(errno, std::generic_category()).message()}});
  }

  // Adding a folder again has no effect in inotify.
  void add_folders() {
    if (!events.is_open()) return;
    // Several files of one folder need one watch.
    std::set<std::string> folders;
    for (const std::string& path : paths) folders.insert(folder_of(path));
    for (const std::string& folder : folders) {
      const bool is_watched =
          ::inotify_add_watch(events.native_handle(), folder.c_str(), kEvents) >= 0;
      if (!is_watched && unwatched_folders.insert(folder).second) {
        log(Level::warn,
            "folder_not_watched",
            {{"folder", folder},
             {"reason", std::error_code(errno, std::generic_category()).message()}});
      }
    }
  }

  Loop& loop;
  std::vector<std::string> paths;
  std::function<void()> on_change;
  Descriptor events;
  scalers::Signal stop;
  std::set<std::string> unwatched_folders;  // logged once for each folder
  bool is_stopped = false;
};

FileWatch::FileWatch(Loop& loop, std::vector<std::string> paths, std::function<void()> on_change)
    : state_(std::make_shared<State>(loop, std::move(paths), std::move(on_change))) {
  state_->add_folders();
  boost::asio::co_spawn(loop.get_executor(), watch(state_), rethrow);
  boost::asio::co_spawn(loop.get_executor(), poll_every_minute(state_), rethrow);
}

FileWatch::~FileWatch() {
  state_->is_stopped = true;
  // The coroutines own the state, so they end without this object. Both waits are woken: the timer
  // here, the read by the close.
  state_->stop.raise();
  boost::system::error_code ignored;
  state_->events.close(ignored);
}

awaitable<void> FileWatch::watch(std::shared_ptr<State> state) {
  // Room for many events: read() fails with EINVAL when not even one fits.
  std::array<char, 16 * 1024> buffer{};
  while (!state->is_stopped && state->events.is_open()) {
    const auto [failed, size] =
        co_await state->events.async_read_some(boost::asio::buffer(buffer), kToken);
    if (failed || state->is_stopped) co_return;
    const bool is_over = co_await state->stop.wait(kSettleTime);
    if (is_over) co_return;
    // Events during the wait belong to the same change.
    while (::read(state->events.native_handle(), buffer.data(), buffer.size()) > 0) {
    }
    state->add_folders();  // a replaced folder has a new inode, which is not watched yet
    state->on_change();
  }
}

awaitable<void> FileWatch::poll_every_minute(std::shared_ptr<State> state) {
  while (!state->is_stopped) {
    const bool is_over = co_await state->stop.wait(kPollInterval);
    if (is_over) co_return;
    // A folder may appear, or be replaced, without an event.
    state->add_folders();
    state->on_change();
  }
}

}  // namespace weir::server
