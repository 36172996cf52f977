// Reloads the configuration. Reading and parsing run on a second thread, because 10,000 metrics
// take longer than the event loop may be blocked.
#include "server/config/reload.hpp"

#include "server/config/files.hpp"
#include "server/logging/log.hpp"

#include <boost/asio/post.hpp>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace weir::server {

struct Reload::LoadedConfig {
  std::string fingerprint;
  bool is_same = false;  // as the configuration in use: nothing was parsed
  std::vector<ConfigFile> files;
  ParsedConfig parsed;
};

void give_back_memory() { ::malloc_trim(0); }

Reload::Reload(Loop& loop,
               std::vector<std::string> paths,
               std::optional<ConfigErrors> errors,
               LoadedWorld in_use,
               BuildWorld build,
               std::function<void(std::unique_ptr<scalers::World>)> on_world)
    : loop_(loop),
      paths_(std::move(paths)),
      errors_(errors),
      fingerprint_(std::move(in_use.fingerprint)),
      uses_(std::move(in_use.uses)),
      valid_texts_(std::move(in_use.valid_texts)),
      build_(std::move(build)),
      on_world_(std::move(on_world)),
      succeeded_at_(std::chrono::system_clock::now()) {
  log_problems(std::move(in_use.problems), false);
  watch_.emplace(loop, paths_, [this] { begin(); });
}

Reload::~Reload() {
  watch_.reset();
  *is_alive_ = false;
  // Waits for one read and parse at most: what the thread posts afterwards finds is_alive false.
  if (parser_.joinable()) parser_.join();
}

void Reload::load_again() {
  is_forced_ = true;
  begin();
}

// One parser at a time: changes during parsing are loaded after it.
void Reload::begin() {
  is_change_pending_ = is_parsing_;
  if (is_parsing_) return;
  is_parsing_ = true;
  // Does not block the loop: is_parsing_ is false only after the thread has posted its result.
  if (parser_.joinable()) parser_.join();
  const bool is_forced = std::exchange(is_forced_, false);
  try {
    // The thread works on copies. `this` is used only by the handler, which runs on the loop.
    parser_ = std::thread([this,
                           is_alive = is_alive_,
                           paths = paths_,
                           in_use = is_forced ? std::string() : fingerprint_,
                           &loop = loop_] {
      const auto loaded = std::make_shared<LoadedConfig>(load(paths, in_use));
      boost::asio::post(loop, [this, is_alive, loaded] {
        if (*is_alive) apply_config(std::move(*loaded));
      });
    });
  } catch (const std::system_error& failed) {
    // The pod may have no room for another thread. The next poll tries again.
    is_parsing_ = false;
    is_forced_ = is_forced;
    log(Level::error, "config_not_read", {{"reason", failed.what()}});
  }
}

Reload::LoadedConfig Reload::load(const std::vector<std::string>& paths,
                                  const std::string& in_use) {
  LoadedConfig out;
  ConfigFiles files = read_config(paths);
  out.fingerprint = fingerprint_of(files);
  out.is_same = out.fingerprint == in_use;
  if (!out.is_same) out.parsed = parse_files(files);
  out.files = std::move(files.files);
  return out;
}

Assembly Reload::assemble_world(LoadedConfig& loaded) {
  // A file that was read and cannot be parsed is in both lists.
  const auto is_unread = [&](const scalers::Node& broken) {
    return std::ranges::find(loaded.files, broken.mark.file, &ConfigFile::path) ==
           loaded.files.end();
  };
  const auto unread = std::ranges::count_if(loaded.parsed.broken, is_unread);
  auto policy = policy_for(errors_, loaded.files.size() + static_cast<std::size_t>(unread));
  for (const scalers::Node& broken : loaded.parsed.broken) {
    // A folder without files any more, as while it is mounted: its metrics must not be gone.
    const bool is_folder = std::ranges::find(paths_, broken.mark.file) != paths_.end() &&
                           !uses_.contains(broken.mark.file);
    if (is_folder) policy = ConfigErrors::fail;
  }
  return assemble(std::move(loaded.parsed), policy, valid_texts_, build_);
}

void Reload::apply_config(LoadedConfig loaded) {
  is_parsing_ = false;
  if (!loaded.is_same) {
    // On the loop, because a World creates objects of the loop.
    Assembly assembly = assemble_world(loaded);
    rejected_.clear();
    if (!assembly.world) {
      for (const auto& problem : assembly.problems.all()) rejected_.insert(problem.mark.file);
    }
    if (assembly.world) {
      // Only of a World in use. Invalid files are read again at each event, until they are valid.
      fingerprint_ = std::move(loaded.fingerprint);
      uses_ = std::move(assembly.uses);
      valid_texts_ = valid_texts(std::move(loaded.files), uses_, std::move(valid_texts_));
      if (assembly.problems.empty()) succeeded_at_ = std::chrono::system_clock::now();
      log(Level::info, "config_reloaded", {{"metrics", assembly.world->metrics().size()}});
      on_world_(std::move(assembly.world));
    }
    log_problems(assembly.problems.lines(), false);
  } else if (std::ranges::all_of(uses_,
                                 [](const auto& one) { return one.second == FileUse::current; })) {
    // The files are again those in use.
    rejected_.clear();
    log_problems({}, true);
  }
  // After the old World and the nodes are freed.
  loaded = LoadedConfig();
  give_back_memory();
  // A change during the parsing may have been missed by its reads.
  if (std::exchange(is_change_pending_, false)) begin();
}

std::map<std::string, bool> Reload::skipped_files() const {
  std::map<std::string, bool> out;
  for (const auto& [file, use] : uses_)
    out.emplace(file, use != FileUse::current || rejected_.contains(file));
  return out;
}

// Logs each set of problems once, and what becomes of a file when it changes.
void Reload::log_problems(std::vector<std::string> lines, bool is_same) {
  is_successful_ = lines.empty();
  const bool is_news = lines != logged_problems_;
  const FileUses logged = std::exchange(logged_uses_, uses_);
  if (is_news) {
    for (const std::string& line : lines) log(Level::error, "config_invalid", {{"problem", line}});
  }
  for (const auto& [file, use] : uses_) {
    const auto before = logged.find(file);
    const bool is_logged = !is_news && before != logged.end() && before->second == use;
    if (use == FileUse::current || is_logged) continue;
    const bool is_old = use == FileUse::last_valid;
    log(Level::warn,
        "config_file_skipped",
        {{"file", file}, {"in_use", is_old ? "its last valid version" : "nothing of it"}});
  }
  // No World was built and no reload was logged.
  if (is_news && lines.empty() && is_same) log(Level::info, "config_valid_again", {});
  logged_problems_ = std::move(lines);
}

}  // namespace weir::server
