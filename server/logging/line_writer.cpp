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

// stderr may be shared with a shell: O_NONBLOCK on it would be the shell's too, so it is asked.
bool LineWriter::is_writable() const {
  pollfd one{fd_, POLLOUT, 0};
  return ::poll(&one, 1, 0) == 1 && (one.revents & POLLOUT) != 0;
}

// A pipe that is writable has room for PIPE_BUF bytes: no piece of that size can block.
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
