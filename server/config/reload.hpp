// The configuration in use, and its reload: when its files change, they are read and parsed on a
// second thread and a World is built from them. A valid World replaces the old one; otherwise the
// old one stays and every problem is logged. Reads in flight finish in the World they began in.
// Loop thread only, except the parsing.
#pragma once

#include "scalers/clients/clients.hpp"
#include "scalers/explanation.hpp"
#include "scalers/read/world.hpp"
#include "scalers/reading.hpp"
#include "scalers/task.hpp"
#include "server/config/assemble.hpp"
#include "server/config/file_watch.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace weir::server {

// The Source and the Explainer of the World in use.
class CurrentWorld final : public scalers::Source, public scalers::Explainer {
 public:
  explicit CurrentWorld(std::unique_ptr<scalers::World> world) : world_(std::move(world)) {}

  [[nodiscard]] std::optional<scalers::MetricId> find(std::string_view metric) const override {
    return world_->source().find(metric);
  }
  [[nodiscard]] std::string spelling_of(std::string_view metric,
                                        std::optional<scalers::MetricId> id) const override {
    return world_->source().spelling_of(metric, id);
  }
  [[nodiscard]] awaitable<scalers::Result<std::vector<scalers::Reading>>> read(
      scalers::Query query,
      Deadline deadline) override {
    return world_->source().read(std::move(query), deadline);
  }
  [[nodiscard]] awaitable<scalers::Result<scalers::Explanation>> explain(
      scalers::Query query,
      Deadline deadline) override {
    return world_->explainer().explain(std::move(query), deadline);
  }
  [[nodiscard]] const scalers::World& world() const { return *world_; }
  void replace(std::unique_ptr<scalers::World> world) { world_ = std::move(world); }

 private:
  std::unique_ptr<scalers::World> world_;
};

// The World of a configuration, and what is known of its files.
struct LoadedWorld {
  std::string fingerprint;
  std::unique_ptr<scalers::World> world;
  FileUses uses = {};
  ValidTexts valid_texts = {};
  std::vector<std::string> problems = {};  // of files that are not in use as they are
  // The lines about files that the settings name, such as missing ones.
  std::vector<std::string> file_problems = {};
};

// Returns freed memory to the kernel. To be called after loading a configuration or rendering a
// large telemetry page, because both need much more memory for a moment than they keep.
void give_back_memory();

class Reload {
 public:
  // `in_use` is without its World. `build` creates a World from changed files; `on_world` receives
  // it. Everything that both refer to outlives the reload.
  Reload(Loop& loop,
         std::vector<std::string> paths,
         std::optional<ConfigErrors> errors,
         LoadedWorld in_use,
         BuildWorld build,
         std::function<void(std::unique_ptr<scalers::World>)> on_world);
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;
  ~Reload();

  // Loads the configuration again though its files are the same, because a url in another file has
  // changed.
  void load_again();
  // Whether the last reload succeeded: false while the files have problems.
  [[nodiscard]] bool is_successful() const { return is_successful_; }
  [[nodiscard]] WallTime succeeded_at() const { return succeeded_at_; }
  // Each configuration file, and whether it is not in use as it is.
  [[nodiscard]] std::map<std::string, bool> skipped_files() const;

 private:
  struct LoadedConfig;
  void begin();
  // Runs on the parser thread. Does not parse files whose fingerprint is `in_use`.
  [[nodiscard]] static LoadedConfig load(const std::vector<std::string>& paths,
                                         const std::string& in_use);
  void apply_config(LoadedConfig loaded);
  [[nodiscard]] Assembly assemble_world(LoadedConfig& loaded);
  void log_problems(std::vector<std::string> lines, bool is_same);

  Loop& loop_;
  std::vector<std::string> paths_;
  std::optional<ConfigErrors> errors_;
  std::string fingerprint_;         // of the files in use
  FileUses uses_;                   // of the World in use
  std::set<std::string> rejected_;  // files with problems, of a load without a World
  ValidTexts valid_texts_;
  BuildWorld build_;
  std::function<void(std::unique_ptr<scalers::World>)> on_world_;
  bool is_successful_ = true;
  WallTime succeeded_at_;
  std::vector<std::string> logged_problems_;  // problems that are already in the log
  FileUses logged_uses_;                      // at the last look at what is in the log
  std::thread parser_;
  bool is_parsing_ = false;
  bool is_change_pending_ = false;
  bool is_forced_ = false;  // the next load builds a World of unchanged files
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);  // second owner: posted handlers
  std::optional<FileWatch> watch_;
};

}  // namespace weir::server
