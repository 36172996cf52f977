// The non-blocking writer of the log. A slow reader of stderr must not delay the event loop.
#include "server/logging/line_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <climits>

namespace weir::server {

void LineWriter::write(std::string_view line) {
  finish_line();
  const std::size_t sent = rest_.empty() ? send(line) : 0;
  if (sent == 0) {
    ++dropped_;
  } else {
    rest_ = line.substr(sent);
  }
}

bool LineWriter::has_room() {
  finish_line();
  return rest_.empty() && is_writable();
}

void LineWriter::finish_line() { rest_.erase(0, send(rest_)); }

// Polls instead of setting O_NONBLOCK, which would affect every process that shares stderr, such as
// a shell.
bool LineWriter::is_writable() const {
  pollfd descriptor{fd_, POLLOUT, 0};
  return ::poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLOUT) != 0;
}

// A writable pipe has room for PIPE_BUF bytes (POSIX), so a piece of that size never blocks.
std::size_t LineWriter::send(std::string_view text) const {
  std::size_t sent = 0;
  while (sent < text.size() && is_writable()) {
    const auto piece = text.substr(sent, PIPE_BUF);
    const ssize_t written = ::write(fd_, piece.data(), piece.size());
    if (written <= 0) break;
    sent += static_cast<std::size_t>(written);
  }
  return sent;
}

}  // namespace weir::server
