#include "server/reload.hpp"

#include "server/config.hpp"
#include "server/log.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>

namespace weir::server {

struct Reload::Loaded {
  std::vector<scalers::Node> documents;
  scalers::Problems problems;
};

Reload::Reload(Loop& loop,
               std::vector<std::string> paths,
               std::vector<scalers::Node> documents,
               Build build,
               std::function<void(std::unique_ptr<scalers::World>)> on_world)
    : loop_(loop),
      paths_(std::move(paths)),
      documents_(std::move(documents)),
      build_(std::move(build)),
      on_world_(std::move(on_world)),
      succeeded_at_(std::chrono::system_clock::now()) {
  watch_.emplace(loop, paths_, [this] { begin(); });
}

Reload::~Reload() {
  watch_.reset();
  *is_alive_ = false;
  if (parser_.joinable()) parser_.join();
}

// One parser at a time: changes meanwhile are looked at when it is done.
void Reload::begin() {
  is_asked_again_ = is_parsing_;
  if (is_parsing_) return;
  is_parsing_ = true;
  if (parser_.joinable()) parser_.join();
  parser_ = std::thread([this, is_alive = is_alive_, paths = paths_, &loop = loop_] {
    const auto loaded = std::make_shared<Loaded>();
    loaded->documents = load_config(paths, loaded->problems);
    boost::asio::post(loop, [this, is_alive, loaded] {
      if (*is_alive) finish(*loaded);
    });
  });
}

void Reload::finish(const Loaded& loaded) {
  is_parsing_ = false;
  if (std::exchange(is_asked_again_, false)) begin();
  scalers::Problems problems = loaded.problems;
  const bool is_same = problems.empty() && loaded.documents == documents_;
  auto world = is_same ? nullptr : build_(loaded.documents, problems);
  if (world) {
    documents_ = loaded.documents;
    succeeded_at_ = std::chrono::system_clock::now();
    log(Level::info, "config_reloaded", {{"metrics", world->metrics().size()}});
    on_world_(std::move(world));
  }
  is_well_ = problems.empty();
  auto lines = problems.lines();
  if (lines == told_) return;
  for (const std::string& line : lines) log(Level::error, "config_invalid", {{"problem", line}});
  if (lines.empty() && is_same) log(Level::info, "config_valid_again", {});
  told_ = std::move(lines);
}

}  // namespace weir::server
