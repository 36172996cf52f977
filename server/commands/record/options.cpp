#include "server/commands/record/options.hpp"

#include "scalers/text/duration.hpp"

#include <CLI/CLI.hpp>

namespace weir::server {
namespace {

std::string refuse_name(const std::string& text) {
  const auto slash = text.find('/');
  const bool is_name = slash != text.npos && slash != 0 && slash + 1 < text.size() &&
                       text.find('/', slash + 1) == text.npos;
  return is_name ? "" : "write NAMESPACE/NAME, such as ml-inference/p95_latency";
}

// A selector may hold anything; the path in front of it may not.
std::string refuse_target(const std::string& text) {
  return refuse_name(text.substr(0, text.find('?')));
}

void add_span(CLI::App& command, const char* name, Duration& value, const char* help) {
  const auto read = [&value, name](const std::string& text) {
    const auto duration = scalers::parse_duration(text);
    if (!duration) throw CLI::ValidationError(name, "write a duration such as 5s or 8m");
    value = *duration;
  };
  command.add_option_function<std::string>(name, read, help)->type_name("DURATION");
}

}  // namespace

void add_record(CLI::App& app, RecordOptions& out) {
  CLI::App& record = *app.add_subcommand(
      "record",
      "Write down metrics, and what HPAs make of them, over time: CSV and a page with plots");
  record
      .add_option("METRIC",
                  out.targets,
                  "NAMESPACE/METRIC, or NAMESPACE/METRIC?SELECTOR as in "
                  "bookmarkai/queue_depth?queue=ml.embed")
      ->check(CLI::Validator(refuse_target, "NAMESPACE/METRIC"));
  record
      .add_option(
          "--config",
          out.config,
          "Ask the sources themselves, as this configuration says: a YAML file, or a folder "
          "of them; may be repeated")
      ->allow_extra_args(false);
  record.add_option(
      "--kubeconfig",
      out.kubeconfig,
      "How to reach the kube-apiserver: for the HPAs, and for the metrics where there "
      "is no --config");
  record.add_option("--hpa", out.hpas, "NAMESPACE/NAME of an HPA; may be repeated")
      ->allow_extra_args(false)
      ->check(CLI::Validator(refuse_name, "NAMESPACE/NAME"));
  add_span(record, "--interval", out.interval, "How often everything is asked; 5s unless given");
  add_span(record, "--duration", out.duration, "How long; until Ctrl-C unless given");
  record.add_option("--csv", out.csv, "The file for the numbers, written as they come")
      ->capture_default_str();
  record
      .add_option("--html", out.html, "The page with the plots, written every 10 s and at the end")
      ->capture_default_str();
}

std::string mistake_in(const RecordOptions& options) {
  if (options.targets.empty() && options.hpas.empty())
    return "there is nothing to record: name a NAMESPACE/METRIC, or an HPA by --hpa";
  if (options.kubeconfig.empty() && !options.hpas.empty())
    return "--hpa asks the kube-apiserver: add --kubeconfig";
  if (options.kubeconfig.empty() && options.config.empty())
    return "nobody can be asked: add --config to ask the sources, or --kubeconfig to ask the "
           "cluster";
  return "";
}

}  // namespace weir::server
