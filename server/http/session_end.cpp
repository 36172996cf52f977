// Rate-limited, because a peer that meets a bug may come back at once.
#include "server/http/session_end.hpp"

#include "server/logging/log.hpp"

namespace weir::server {

void on_session_end(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& bug) {
    log_rate_limited(Level::error, "session_failed", {{"reason", bug.what()}});
  }
}

}  // namespace weir::server
