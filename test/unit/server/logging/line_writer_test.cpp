#include "server/logging/line_writer.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

namespace weir::server {
namespace {

// A pipe that holds a page, and whose end for reading never waits.
class Pipe {
 public:
  Pipe() {
    REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0);
    REQUIRE(::fcntl(ends_[0], F_SETFL, O_NONBLOCK) == 0);
    REQUIRE(::fcntl(ends_[1], F_SETPIPE_SZ, 4096) == 4096);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reader();
    ::close(ends_[1]);
  }
  [[nodiscard]] int writer() const { return ends_[1]; }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  std::string read() {
    std::string out(65536, '\0');
    const ssize_t size = ::read(ends_[0], out.data(), out.size());
    out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return out;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

TEST_CASE("F62: a line that finds a full pipe is dropped and counted, and later ones are written") {
  Pipe pipe;
  LineWriter writer(pipe.writer());
  const std::string line = std::string(4095, 'a') + '\n';
  writer.write(line);

  writer.write("lost\n");
  writer.write("lost\n");
  const bool had_room = writer.has_room();
  const std::string first = pipe.read();
  const bool has_room = writer.has_room();
  writer.write("next\n");

  CHECK(first == line);
  CHECK_FALSE(had_room);
  CHECK(has_room);
  CHECK(writer.dropped() == 2);
  CHECK(pipe.read() == "next\n");
}

TEST_CASE("F62: a partly written line is completed before the next line") {
  Pipe pipe;
  LineWriter writer(pipe.writer());
  const std::string line = std::string(9999, 'b') + '\n';

  writer.write(line);
  const std::string first = pipe.read();
  writer.write("lost\n");
  const std::string second = pipe.read();
  writer.write("lost\n");
  const std::string third = pipe.read();
  writer.write("next\n");

  CHECK(first + second + third == line);
  CHECK(writer.dropped() == 2);
  CHECK(pipe.read() == "next\n");
}

TEST_CASE("a pipe without a reader drops every line") {
  std::signal(SIGPIPE, SIG_IGN);  // as main does
  Pipe pipe;
  pipe.close_reader();
  LineWriter writer(pipe.writer());

  writer.write("lost\n");

  CHECK(writer.dropped() == 1);
}

}  // namespace
}  // namespace weir::server
