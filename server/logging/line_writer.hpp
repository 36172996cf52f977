// Writes whole lines to a descriptor that may be a full pipe, and never blocks: a line that does
// not fit is dropped and counted. It has to be the only writer of its descriptor; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::server {

class LineWriter {
 public:
  // `fd` outlives the writer, which does not close it.
  explicit LineWriter(int fd) : fd_(fd) {}

  // Writes the line or drops it whole. The rest of a partly written line goes before the next line.
  void write(std::string_view line);
  // Whether the next line would be written.
  [[nodiscard]] bool has_room();
  // Dropped lines since the start of the process.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] bool is_writable() const;
  // The number of bytes written.
  [[nodiscard]] std::size_t send(std::string_view text) const;
  void finish_line();

  int fd_;
  std::string rest_;  // of a partly written line
  std::uint64_t dropped_ = 0;
};

}  // namespace weir::server
