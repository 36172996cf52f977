// Polls, because the files may be on any file system, and compares contents: inodes and times of a
// mounted Secret change without its content.
#include "server/config/backend_watch.hpp"

#include "scalers/settings/server_url.hpp"
#include "server/logging/log.hpp"

#include <algorithm>

namespace weir::server {
namespace {

constexpr Duration kInterval{2'000};
// Between two reloads for the same url. More than one takes, and within the 5 s in which a backend
// recovers.
constexpr Duration kReloadInterval{4'000};

// Rate-limited, because a server may refuse the credentials for one path and accept them for
// another.
void log_credentials(const scalers::BackendState& state) {
  const auto& refused = state.connections.refused_credentials;
  if (!state.health->note_refused(refused.has_value())) return;
  if (refused) {
    log_rate_limited(Level::warn,
                     "backend_credentials_refused",
                     {{"backend", state.name}, {"reason", refused->error.message()}});
  } else {
    log_rate_limited(Level::info, "backend_credentials_accepted", {{"backend", state.name}});
  }
}

bool is_url_changed(const scalers::BackendState& state) {
  return std::ranges::any_of(*state.files, [](const scalers::LocalFile& file) {
    if (file.kind != scalers::LocalFile::Kind::url) return false;
    const std::size_t shape = scalers::url_shape(file.path);
    // The backend in use goes on while the file cannot be used.
    return shape != 0 && shape != file.shape;
  });
}

}  // namespace

void BackendWatch::check(const std::vector<scalers::BackendState>& states, SteadyTime now) {
  for (const auto& state : states) log_credentials(state);
  if (now - checked_at_ < kInterval) return;
  checked_at_ = now;
  for (const auto& state : states) check_files(state);
  if (now - loaded_at_ >= kReloadInterval && std::ranges::any_of(states, is_url_changed)) {
    loaded_at_ = now;
    on_url_();
  }
}

void BackendWatch::check_files(const scalers::BackendState& state) {
  const std::string problem = clients_.problem_of(*state.files);
  if (!state.health->note_file_problem(problem)) return;
  if (problem.empty()) {
    log(Level::info, "backend_files_usable", {{"backend", state.name}});
  } else {
    // With the path, which no Status has.
    log(Level::warn, "backend_files_unusable", {{"backend", state.name}, {"reason", problem}});
  }
}

}  // namespace weir::server
