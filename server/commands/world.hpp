// What the commands share that build a World from a configuration and read metrics once.
#pragma once

#include "scalers/read/world.hpp"
#include "server/commands/command.hpp"
#include "server/config/reload.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace weir::server {

// Ignores all events: for commands that read a metric once and print its error.
class SilentObserver final : public scalers::ReadObserver {
 public:
  void backend_down(std::string_view, std::string_view, const scalers::Error&) override {}
  void backend_up(std::string_view, Duration) override {}
  void metric_failing(std::string_view,
                      const scalers::read::FailingRead&,
                      const scalers::Error&,
                      std::string_view) override {}
  void metric_recovered(std::string_view, const scalers::read::FailingRead&, Duration) override {}
  void query_done(const scalers::ReadOf&,
                  std::optional<scalers::Errc>,
                  SteadyTime::duration) override {}
  void answer_reused(const scalers::ReadOf&, scalers::Reuse) override {}
  void value_changed(const scalers::ReadOf&, std::string_view) override {}
  void fallback_used(const scalers::ReadOf&) override {}
  void value_reported(const scalers::ReadOf&, const scalers::Reading&) override {}
};

// Called with the documents of the World, which has no blocks of metrics.
using OnDocuments = std::function<void(std::span<const scalers::Node>)>;

// Loads the configuration at `config`; `world` is null after printing every problem. Problems of
// files that the settings name alone are returned, and those of files that `errors` lets skip:
// without it, of several files those with problems. What else is needed of the files is from this
// reading of them, because they may change meanwhile.
[[nodiscard]] LoadedWorld load_world(const std::vector<std::string>& config,
                                     Loop& loop,
                                     scalers::Clients& clients,
                                     const Clock& clock,
                                     scalers::ReadObserver& observer,
                                     std::optional<ConfigErrors> errors = std::nullopt,
                                     const OnDocuments& on_documents = {});

// The lines and "weir: 2 problems in the configuration" on stderr; nothing without lines.
void print_problems(const std::vector<std::string>& lines);
// Those of a configuration that is used all the same.
void print_problems(const LoadedWorld& loaded);

// Runs the loop until `work` is done and returns its result.
template <class T>
[[nodiscard]] T run_to_end(Loop& loop, awaitable<T> work) {
  std::optional<T> outcome;
  std::exception_ptr bug;
  boost::asio::co_spawn(loop.get_executor(),
                        std::move(work),
                        [&](const std::exception_ptr& failure, T result) {
                          bug = failure;
                          outcome = std::move(result);
                        });
  loop.restart();
  while (!outcome && loop.run_one() > 0) {
  }
  if (bug) std::rethrow_exception(bug);
  return std::move(*outcome);
}

// Prints the error of a read to stderr as kubectl prints an error; returns the exit code.
[[nodiscard]] ExitCode print_failure(const scalers::Error& error);

// Reads once; runs the loop until the read is done.
[[nodiscard]] scalers::Result<std::vector<scalers::Reading>> read_once(Loop& loop,
                                                                       const Clock& clock,
                                                                       scalers::Source& source,
                                                                       scalers::Query query);

}  // namespace weir::server
