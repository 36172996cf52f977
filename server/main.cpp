// Runs the command that the command line names and turns its outcome into the exit code.
#include "server/commands/command_line.hpp"
#include "server/commands/environment.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <variant>

int main(int argc, char** argv) {
  using weir::server::ExitCode;
  // The reader of the log, or of a command's output, may close the pipe. A write to it then fails
  // with EPIPE instead of ending the process.
  std::signal(SIGPIPE, SIG_IGN);
  // One heap for all threads, because malloc_trim() returns no memory from the heaps of other
  // threads.
  ::mallopt(M_ARENA_MAX, 1);  // NOLINT(concurrency-mt-unsafe): there is no other thread yet
  try {
    const auto parsed =
        weir::server::parse_command_line(argc, argv, weir::server::read_environment());
    if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
    return static_cast<int>(std::get<0>(parsed)->execute());
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "weir: %s\n", failure.what());
    return static_cast<int>(ExitCode::failed);
  }
}
