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
// A ConfigMap's swap, or an editor's save, is several events.
constexpr Duration kQuiet{100};
constexpr Duration kLook{60'000};
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                  IN_DELETE | IN_ATTRIB | IN_DELETE_SELF;

// The folder in which a change of `path` shows: itself if it is one.
std::string folder_of(const std::string& path) {
  std::error_code ignored;
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
        events(loop_.get_executor(), ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
        ended(loop_) {}

  // Adding a folder that is watched already changes nothing.
  void add_folders() {
    std::set<std::string> folders;
    for (const std::string& path : paths) folders.insert(folder_of(path));
    for (const std::string& folder : folders) {
      const bool is_watched =
          ::inotify_add_watch(events.native_handle(), folder.c_str(), kEvents) >= 0;
      if (!is_watched && unwatched.insert(folder).second) {
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
  scalers::Signal ended;
  std::set<std::string> unwatched;  // said once
  bool is_ended = false;
};

FileWatch::FileWatch(Loop& loop, std::vector<std::string> paths, std::function<void()> on_change)
    : state_(std::make_shared<State>(loop, std::move(paths), std::move(on_change))) {
  state_->add_folders();
  boost::asio::co_spawn(loop.get_executor(), watch(state_), rethrow);
  boost::asio::co_spawn(loop.get_executor(), look_every_minute(state_), rethrow);
}

FileWatch::~FileWatch() {
  state_->is_ended = true;
  state_->ended.raise();
  boost::system::error_code ignored;
  state_->events.close(ignored);
}

awaitable<void> FileWatch::watch(std::shared_ptr<State> state) {
  std::array<char, 16 * 1024> buffer{};
  while (!state->is_ended) {
    const auto [failed, size] =
        co_await state->events.async_read_some(boost::asio::buffer(buffer), kToken);
    if (failed || state->is_ended) co_return;
    const bool is_over = co_await state->ended.wait(kQuiet);
    if (is_over) co_return;
    // What has come meanwhile belongs to the same change.
    while (::read(state->events.native_handle(), buffer.data(), buffer.size()) > 0) {
    }
    state->add_folders();  // a folder that was replaced is another one
    state->on_change();
  }
}

awaitable<void> FileWatch::look_every_minute(std::shared_ptr<State> state) {
  while (!state->is_ended) {
    const bool is_over = co_await state->ended.wait(kLook);
    if (is_over) co_return;
    state->add_folders();
    state->on_change();
  }
}

}  // namespace weir::server
