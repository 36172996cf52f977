// argv -> command -> exit code.
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
  // Whoever read the log, or a command's output, may go away: that must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  // One heap for all threads: what the others free in heaps of their own, malloc_trim() leaves
  // there.
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
