// A command of the program: its name, its flags and what it does. Each has a folder with its
// options (a plain struct), its flags and its run; command_line.cpp lists them all.
#pragma once

#include "scalers/clients/http/proxy_rules.hpp"
#include "scalers/clients/tokens/variables.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace weir::server {

// The exit code of the process.
enum class ExitCode {
  ok = 0,
  failed = 1,          // the configuration has problems, or the server cannot start or continue
  usage = 2,           // the command line is invalid
  read_failed = 3,     // `check --live`, `get` or `explain`: a metric could not be read
  problems_found = 4,  // `doctor`: there is an error or, with --strict, a warning
};

// What the process gets beside its command line; a variable that is not set is empty.
struct Environment {
  std::vector<std::string> config;  // WEIR_CONFIG: files and folders with colons between them
  std::string kubeconfig;           // KUBECONFIG
  std::string home;                 // HOME
  std::string kubernetes_service_host;
  std::string kubernetes_service_port;
  scalers::IdentityVariables identity = {};
  scalers::clients::ProxyVariables proxies;  // HTTP_PROXY, HTTPS_PROXY, NO_PROXY
};

// The format of a command's output: for people, or of -o.
enum class Output { text, json, yaml, markdown };

// A metric on the command line: NAMESPACE/METRIC, or METRIC with -n NAMESPACE as in kubectl.
struct Target {
  std::string name_space;
  std::string metric;
};

class Command {
 public:
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  virtual ~Command() = default;

  // Adds the command to the program; parsing the command line fills its options. An invalid value
  // throws CLI::ValidationError with what to write instead.
  virtual CLI::App& add_to(CLI::App& program) = 0;
  // Called after parsing: completes the options from `environment`. The problem of their
  // combination; empty when they are valid.
  [[nodiscard]] virtual std::string finish(const Environment& environment) = 0;
  // Prints results to stdout and problems to stderr, for people. May throw std::runtime_error with
  // a text that says what to do.
  [[nodiscard]] virtual ExitCode execute() const = 0;
};

// The command with these options. Its parts are three functions in the folder of the command, found
// by the type: add_command(CLI::App&, Options&), complete(Options&, const Environment&) and
// run(const Options&).
template <class Options>
class CommandOf final : public Command {
 public:
  CLI::App& add_to(CLI::App& program) override { return add_command(program, options_); }
  std::string finish(const Environment& environment) override {
    return complete(options_, environment);
  }
  ExitCode execute() const override { return run(options_); }

  [[nodiscard]] const Options& options() const { return options_; }

 private:
  Options options_;
};

}  // namespace weir::server
