// Reloads the configuration. Reading and parsing run on a second thread, because 10,000 metrics
// take longer than the event loop may be blocked.
#include "server/config/reload.hpp"

#include "server/config/files.hpp"
#include "server/logging/log.hpp"

#include <boost/asio/post.hpp>
#include <malloc.h>

#include <chrono>
#include <system_error>
#include <utility>

namespace weir::server {

struct Reload::LoadedConfig {
  std::string fingerprint;
  bool is_same = false;  // as the configuration in use: nothing was parsed
  std::vector<scalers::Node> documents;
  scalers::Problems problems;
};

void give_back_memory() { ::malloc_trim(0); }

Reload::Reload(Loop& loop,
               std::vector<std::string> paths,
               std::string fingerprint,
               Build build,
               std::function<void(std::unique_ptr<scalers::World>)> on_world)
    : loop_(loop),
      paths_(std::move(paths)),
      fingerprint_(std::move(fingerprint)),
      build_(std::move(build)),
      on_world_(std::move(on_world)),
      succeeded_at_(std::chrono::system_clock::now()) {
  watch_.emplace(loop, paths_, [this] { begin(); });
}

Reload::~Reload() {
  watch_.reset();
  *is_alive_ = false;
  // Waits for one read and parse at most: what the thread posts afterwards finds is_alive false.
  if (parser_.joinable()) parser_.join();
}

// One parser at a time: changes during parsing are loaded after it.
void Reload::begin() {
  is_change_pending_ = is_parsing_;
  if (is_parsing_) return;
  is_parsing_ = true;
  // Does not block the loop: is_parsing_ is false only after the thread has posted its result.
  if (parser_.joinable()) parser_.join();
  try {
    // The thread works on copies. `this` is used only by the handler, which runs on the loop.
    parser_ = std::thread(
        [this, is_alive = is_alive_, paths = paths_, in_use = fingerprint_, &loop = loop_] {
          const auto loaded = std::make_shared<LoadedConfig>(load(paths, in_use));
          boost::asio::post(loop, [this, is_alive, loaded] {
            if (*is_alive) apply_config(std::move(*loaded));
          });
        });
  } catch (const std::system_error& failed) {
    // The pod may have no room for another thread. The next poll tries again.
    is_parsing_ = false;
    log(Level::error, "config_not_read", {{"reason", failed.what()}});
  }
}

Reload::LoadedConfig Reload::load(const std::vector<std::string>& paths,
                                  const std::string& in_use) {
  LoadedConfig out;
  const ConfigFiles files = read_config(paths);
  out.fingerprint = fingerprint_of(files);
  // A file that cannot be read is missing from the fingerprint, which then says nothing.
  out.is_same = files.problems.empty() && out.fingerprint == in_use;
  if (!out.is_same) out.documents = parse_config(files, out.problems);
  return out;
}

void Reload::apply_config(LoadedConfig loaded) {
  is_parsing_ = false;
  // On the loop, because a World creates objects of the loop.
  auto world = loaded.is_same ? nullptr : build_(loaded.documents, loaded.problems);
  loaded.documents.clear();
  if (world) {
    // Only of a World in use. Invalid files are read again at each event, until they are valid.
    fingerprint_ = std::move(loaded.fingerprint);
    succeeded_at_ = std::chrono::system_clock::now();
    log(Level::info, "config_reloaded", {{"metrics", world->metrics().size()}});
    on_world_(std::move(world));
  }
  // After the old World and the nodes are freed.
  give_back_memory();
  log_problems(loaded.problems, loaded.is_same);
  // A change during the parsing may have been missed by its reads.
  if (std::exchange(is_change_pending_, false)) begin();
}

// Logs each set of problems once.
void Reload::log_problems(const scalers::Problems& problems, bool is_same) {
  is_successful_ = problems.empty();
  auto lines = problems.lines();
  if (lines == logged_problems_) return;
  for (const std::string& line : lines) log(Level::error, "config_invalid", {{"problem", line}});
  // The files are again those in use, so no World was built and no reload was logged.
  if (lines.empty() && is_same) log(Level::info, "config_valid_again", {});
  logged_problems_ = std::move(lines);
}

}  // namespace weir::server
