// The configuration in force, and its replacement: when its files change they are read and parsed
// beside the loop, a World is built from them, and the new one takes the old one's place, or the
// old one stays and every problem is logged. Reads under way end in the World they began in. Loop
// thread only, but for the parsing.
#pragma once

#include "scalers/clients/clients.hpp"
#include "scalers/explanation.hpp"
#include "scalers/read/world.hpp"
#include "scalers/reading.hpp"
#include "scalers/task.hpp"
#include "server/config/file_watch.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace weir::server {

// The Source and the Explainer of the World in force.
class CurrentWorld final : public scalers::Source, public scalers::Explainer {
 public:
  explicit CurrentWorld(std::unique_ptr<scalers::World> world) : world_(std::move(world)) {}

  [[nodiscard]] std::optional<scalers::MetricId> find(std::string_view metric) const override {
    return world_->source().find(metric);
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

// What a configuration means, and of which files.
struct LoadedWorld {
  std::string digest;
  std::unique_ptr<scalers::World> world;
};

// Gives back to the kernel what reading, building or ending a World has freed, or a large page of
// telemetry: to read a configuration takes more memory than to keep it.
void give_back_memory();

class Reload {
 public:
  using Build = std::function<std::unique_ptr<scalers::World>(const std::vector<scalers::Node>&,
                                                              scalers::Problems&)>;

  // `digest` is that of the files in force. `build` makes a World of others; `on_world` takes it.
  // What both use outlives the reload.
  Reload(Loop& loop,
         std::vector<std::string> paths,
         std::string digest,
         Build build,
         std::function<void(std::unique_ptr<scalers::World>)> on_world);
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;
  ~Reload();

  // True unless the files of now are not those in force.
  [[nodiscard]] bool is_well() const { return is_well_; }
  [[nodiscard]] WallTime succeeded_at() const { return succeeded_at_; }

 private:
  struct Loaded;
  void begin();
  // The parser's: what the files at `paths` say, unless they are those `in_force`.
  [[nodiscard]] static Loaded load(const std::vector<std::string>& paths,
                                   const std::string& in_force);
  void finish(Loaded loaded);
  void tell(const scalers::Problems& problems, bool is_same);

  Loop& loop_;
  std::vector<std::string> paths_;
  std::string digest_;  // of the files in force
  Build build_;
  std::function<void(std::unique_ptr<scalers::World>)> on_world_;
  bool is_well_ = true;
  WallTime succeeded_at_;
  std::vector<std::string> told_;  // the problems that the log shows already
  std::thread parser_;
  bool is_parsing_ = false;
  bool is_asked_again_ = false;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);  // also owned by what is posted
  std::optional<FileWatch> watch_;
};

}  // namespace weir::server
