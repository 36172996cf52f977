// The help of a command: how to call it, examples, and its flags in groups with what their values
// are. Pure.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace weir::server {

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app,
                        std::string name,
                        CLI::AppFormatMode mode) const override;
};

// `text` on lines of at most `width` bytes, each after `indent` blanks; the first has none.
[[nodiscard]] std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace weir::server
