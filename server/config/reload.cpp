#include "server/config/reload.hpp"

#include "server/config/files.hpp"
#include "server/logging/log.hpp"

#include <boost/asio/post.hpp>
#include <malloc.h>

#include <chrono>
#include <utility>

namespace weir::server {

struct Reload::Loaded {
  std::string digest;
  bool is_same = false;  // as what is in force: nothing was parsed
  std::vector<scalers::Node> documents;
  scalers::Problems problems;
};

void give_back_memory() { ::malloc_trim(0); }

Reload::Reload(Loop& loop,
               std::vector<std::string> paths,
               std::string digest,
               Build build,
               std::function<void(std::unique_ptr<scalers::World>)> on_world)
    : loop_(loop),
      paths_(std::move(paths)),
      digest_(std::move(digest)),
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
  parser_ =
      std::thread([this, is_alive = is_alive_, paths = paths_, in_force = digest_, &loop = loop_] {
        const auto loaded = std::make_shared<Loaded>(load(paths, in_force));
        boost::asio::post(loop, [this, is_alive, loaded] {
          if (*is_alive) finish(std::move(*loaded));
        });
      });
}

Reload::Loaded Reload::load(const std::vector<std::string>& paths, const std::string& in_force) {
  Loaded out;
  const ConfigFiles files = read_config(paths);
  out.digest = digest_of(files);
  out.is_same = files.problems.empty() && out.digest == in_force;
  if (!out.is_same) out.documents = parse_config(files, out.problems);
  return out;
}

void Reload::finish(Loaded loaded) {
  is_parsing_ = false;
  auto world = loaded.is_same ? nullptr : build_(loaded.documents, loaded.problems);
  loaded.documents.clear();
  if (world) {
    digest_ = std::move(loaded.digest);
    succeeded_at_ = std::chrono::system_clock::now();
    log(Level::info, "config_reloaded", {{"metrics", world->metrics().size()}});
    on_world_(std::move(world));
  }
  give_back_memory();
  tell(loaded.problems, loaded.is_same);
  if (std::exchange(is_asked_again_, false)) begin();
}

// Each set of problems once.
void Reload::tell(const scalers::Problems& problems, bool is_same) {
  is_well_ = problems.empty();
  auto lines = problems.lines();
  if (lines == told_) return;
  for (const std::string& line : lines) log(Level::error, "config_invalid", {{"problem", line}});
  if (lines.empty() && is_same) log(Level::info, "config_valid_again", {});
  told_ = std::move(lines);
}

}  // namespace weir::server
