// The flags of `weir record`, and the rules about their combination.
#include "server/commands/flags.hpp"

#include "scalers/text/duration.hpp"
#include "server/commands/record/options.hpp"

namespace weir::server {
namespace {

std::string validate_name(const std::string& text) {
  const auto slash = text.find('/');
  // One slash: neither a metric nor an object of Kubernetes has one in its name.
  const bool is_name = slash != text.npos && slash != 0 && slash + 1 < text.size() &&
                       text.find('/', slash + 1) == text.npos;
  return is_name ? "" : "write NAMESPACE/NAME, such as ml-inference/p95_latency";
}

// Only the part before the selector is checked, because a selector may have any character.
std::string validate_target(const std::string& text) {
  return validate_name(text.substr(0, text.find('?')));
}

void add_span(CLI::App& command,
              const char* name,
              Duration& value,
              const char* help,
              const char* default_text) {
  const auto read = [&value, name](const std::string& text) {
    const auto duration = scalers::parse_duration(text);
    // Also for 0, by which the number of the next round would be divided.
    if (!duration) throw CLI::ValidationError(name, "write a duration such as 5s or 8m");
    value = *duration;
  };
  command.add_option_function<std::string>(name, read, help)
      ->type_name("DURATION")
      ->default_str(default_text);
}

std::string problem_in(const RecordOptions& options) {
  if (options.targets.empty() && options.hpas.empty())
    return "there is nothing to record: give a NAMESPACE/METRIC or --hpa NAMESPACE/NAME";
  // HPAs are in the cluster alone, also when the metrics come from a configuration.
  if (options.kubeconfig.empty() && !options.hpas.empty())
    return "--hpa reads from the kube-apiserver: add --kubeconfig";
  if (options.kubeconfig.empty() && options.config.empty())
    return "there is no source: add --config to query the backends, or --kubeconfig to query the "
           "cluster";
  return "";
}

}  // namespace

CLI::App& add_command(CLI::App& program, RecordOptions& out) {
  CLI::App& record =
      add_subcommand(program,
                     "record",
                     "Record metrics and HPAs over time, as CSV and as an HTML page with plots",
                     {"weir record --config weir.yaml ml-inference/p95_latency --duration 8m",
                      "weir record --kubeconfig ~/.kube/config --hpa shop/worker "
                      "'shop/queue_depth?queue=orders'"});
  record
      .add_option("METRIC",
                  out.targets,
                  "NAMESPACE/METRIC, or NAMESPACE/METRIC?SELECTOR as in "
                  "bookmarkai/queue_depth?queue=ml.embed")
      ->check(CLI::Validator(validate_target, ""));
  add_config(record,
             out.config,
             "Query the backends of this configuration directly: a YAML file or a folder of YAML "
             "files; may be repeated. WEIR_CONFIG counts only without --kubeconfig");
  record
      .add_option("--kubeconfig",
                  out.kubeconfig,
                  "Kubeconfig file for reading the HPAs and, without --config, the metrics")
      ->type_name("FILE");
  record.add_option("--hpa", out.hpas, "An HPA; may be repeated")
      ->allow_extra_args(false)
      ->check(CLI::Validator(validate_name, ""))
      ->type_name("NAMESPACE/NAME");
  add_span(record, "--interval", out.interval, "Time between two reads", "5s");
  add_span(record, "--duration", out.duration, "How long to record", "until Ctrl-C");
  record.add_option("--csv", out.csv, "CSV file, written after each read")
      ->type_name("FILE")
      ->capture_default_str();
  record.add_option("--html", out.html, "HTML page with plots, written every 10 s and at the end")
      ->type_name("FILE")
      ->capture_default_str();
  record
      .add_option("--csv-wide",
                  out.csv_wide,
                  "CSV file with one line for each interval: replicas, metrics, CPU and memory of "
                  "the HPAs, and the metrics over their targets; written as --html is")
      ->type_name("FILE");
  return record;
}

// The variable is no reason to read other metrics than those of the cluster that --kubeconfig
// names.
std::string complete(RecordOptions& options, const Environment& environment) {
  options.identity = environment.identity;
  options.proxies = environment.proxies;
  if (options.config.empty() && options.kubeconfig.empty()) options.config = environment.config;
  return problem_in(options);
}

}  // namespace weir::server
