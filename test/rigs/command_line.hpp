// The command line as main() passes it, and the error text of an invalid one.
#pragma once

#include "server/commands/options.hpp"

#include <catch2/catch.hpp>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace weir::test {

using server::Command;
using server::ExitCode;
using Texts = std::vector<std::string>;
using Parsed = std::variant<Command, ExitCode>;

inline Parsed parse(const Texts& arguments) {
  std::vector<const char*> argv{"weir"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return server::parse_options(static_cast<int>(argv.size()), argv.data());
}

template <class Options>
Options parse_as(const Texts& arguments) {
  const Parsed parsed = parse(arguments);
  REQUIRE(std::holds_alternative<Command>(parsed));
  REQUIRE(std::holds_alternative<Options>(std::get<Command>(parsed)));
  return std::get<Options>(std::get<Command>(parsed));
}

// What is written to standard error while it lives.
class CapturedError {
 public:
  CapturedError() : file_(::tmpfile()), before_(::dup(STDERR_FILENO)) {
    ::fflush(stderr);
    ::dup2(::fileno(file_), STDERR_FILENO);
  }
  CapturedError(const CapturedError&) = delete;
  CapturedError& operator=(const CapturedError&) = delete;
  ~CapturedError() {
    restore();
    ::fclose(file_);
  }

  std::string text() {
    restore();
    ::rewind(file_);
    std::array<char, 4096> bytes{};
    const std::size_t size = ::fread(bytes.data(), 1, bytes.size(), file_);
    return {bytes.data(), size};
  }

 private:
  void restore() {
    if (before_ < 0) return;
    ::fflush(stderr);
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    before_ = -1;
  }

  FILE* file_;
  int before_;
};

}  // namespace weir::test
