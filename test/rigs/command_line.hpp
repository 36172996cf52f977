// The command line as main() passes it, and the error text of an invalid one.
#pragma once

#include "server/commands/command_line.hpp"

#include <catch2/catch.hpp>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace weir::test {

using server::Command;
using server::Environment;
using server::ExitCode;
using Texts = std::vector<std::string>;
using Parsed = std::variant<std::unique_ptr<Command>, ExitCode>;

inline Parsed parse(const Texts& arguments, const Environment& environment = {}) {
  std::vector<const char*> argv{"weir"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return server::parse_command_line(static_cast<int>(argv.size()), argv.data(), environment);
}

template <class Options>
Options parse_as(const Texts& arguments, const Environment& environment = {}) {
  const Parsed parsed = parse(arguments, environment);
  REQUIRE(std::holds_alternative<std::unique_ptr<Command>>(parsed));
  const auto* command = dynamic_cast<const server::CommandOf<Options>*>(std::get<0>(parsed).get());
  REQUIRE(command != nullptr);
  return command->options();
}

// What is written to a standard stream while it lives.
class Captured {
 public:
  Captured(FILE* stream, int descriptor)
      : stream_(stream), descriptor_(descriptor), file_(::tmpfile()), before_(::dup(descriptor)) {
    ::fflush(stream_);
    ::dup2(::fileno(file_), descriptor_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() {
    restore();
    ::fclose(file_);
  }

  std::string text() {
    restore();
    ::rewind(file_);
    std::array<char, 16384> bytes{};
    const std::size_t size = ::fread(bytes.data(), 1, bytes.size(), file_);
    return {bytes.data(), size};
  }

 private:
  void restore() {
    if (before_ < 0) return;
    ::fflush(stream_);
    ::dup2(before_, descriptor_);
    ::close(before_);
    before_ = -1;
  }

  FILE* stream_;
  int descriptor_;
  FILE* file_;
  int before_;
};

class CapturedError : public Captured {
 public:
  CapturedError() : Captured(stderr, STDERR_FILENO) {}
};

class CapturedOutput : public Captured {
 public:
  CapturedOutput() : Captured(stdout, STDOUT_FILENO) {}
};

// What is printed for a command line that is refused.
inline std::string refusal(const Texts& arguments, const Environment& environment = {}) {
  CapturedError error;
  const Parsed parsed = parse(arguments, environment);
  REQUIRE(std::holds_alternative<ExitCode>(parsed));
  CHECK(std::get<ExitCode>(parsed) == ExitCode::usage);
  return error.text();
}

}  // namespace weir::test
