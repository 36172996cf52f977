// Runs the command that the command line names and turns its outcome into the exit code.
#include "server/commands/commands.hpp"
#include "server/commands/options.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <variant>

int main(int argc, char** argv) {
  using weir::server::Command;
  using weir::server::ExitCode;
  // The reader of the log, or of a command's output, may close the pipe. A write to it then fails
  // with EPIPE instead of ending the process.
  std::signal(SIGPIPE, SIG_IGN);
  // One heap for all threads, because malloc_trim() returns no memory from the heaps of other
  // threads.
  ::mallopt(M_ARENA_MAX, 1);  // NOLINT(concurrency-mt-unsafe): there is no other thread yet
  try {
    const auto parsed = weir::server::parse_options(argc, argv);
    if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
    const auto code = std::visit([](const auto& options) { return weir::server::run(options); },
                                 std::get<Command>(parsed));
    return static_cast<int>(code);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "weir: %s\n", failure.what());
    return static_cast<int>(ExitCode::failed);
  }
}
