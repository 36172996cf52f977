// Whole lines to a descriptor that may be a full pipe, without ever waiting for whoever reads it: a
// line that finds no room is dropped and counted. The only writer of its descriptor; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::server {

class LineWriter {
 public:
  // `fd` outlives the writer, which does not close it.
  explicit LineWriter(int fd) : fd_(fd) {}

  // Takes the line or drops it whole. What there was no room for goes out in front of the next.
  void write(std::string_view line);
  // Whether a line would be taken.
  [[nodiscard]] bool has_room();
  // Since the start.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] bool is_writable() const;
  // How many bytes went out.
  [[nodiscard]] std::size_t send(std::string_view text) const;
  void finish_line();

  int fd_;
  std::string rest_;  // of a line that is begun
  std::uint64_t dropped_ = 0;
};

}  // namespace weir::server
