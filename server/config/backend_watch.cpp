// Polls, because the files may be on any file system, and compares contents: inodes and times of a
// mounted Secret change without its content.
#include "server/config/backend_watch.hpp"

#include "scalers/settings/server_url.hpp"
#include "server/logging/log.hpp"

namespace weir::server {
namespace {

constexpr Duration kInterval{2'000};
// More than a reload takes, and little enough for other backends to follow their secrets in time.
constexpr Duration kReloadTime{3'000};

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

}  // namespace

bool BackendWatch::check(const std::vector<scalers::BackendState>& states, SteadyTime now) {
  bool is_any_url_changed = false;
  for (const auto& state : states) {
    log_credentials(state);
    is_any_url_changed = is_url_changed(state) || is_any_url_changed;
  }
  if (is_any_url_changed) {
    url_changed_at_ = now;
    on_url_();
  }
  if (now - checked_at_ >= kInterval) {
    checked_at_ = now;
    for (const auto& state : states) check_files(state);
  }
  return now - url_changed_at_ >= kReloadTime;
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

bool BackendWatch::is_url_changed(const scalers::BackendState& state) {
  bool is_changed = false;
  for (const scalers::LocalFile& file : *state.files) {
    if (file.kind != scalers::LocalFile::Kind::url) continue;
    const std::size_t shape = scalers::url_shape(file.path);
    // The backend in use goes on while the file cannot be used.
    if (shape == 0) continue;
    // Once, because a reload may fail for another reason.
    std::size_t& noticed = noticed_urls_.try_emplace(file.path, file.shape).first->second;
    if (shape != file.shape && shape != noticed) is_changed = true;
    noticed = shape;
  }
  return is_changed;
}

}  // namespace weir::server
