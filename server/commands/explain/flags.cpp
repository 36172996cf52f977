// The flags of `weir explain`.
#include "server/commands/flags.hpp"

#include "server/commands/explain/options.hpp"

namespace weir::server {

CLI::App& add_command(CLI::App& program, ExplainOptions& out) {
  CLI::App& explain =
      add_subcommand(program,
                     "explain",
                     "Read one metric and explain its result",
                     {"weir explain --config weir.yaml ml-inference/p95_latency",
                      "weir explain --config weir.yaml -n shop queue_depth --hpa worker "
                      "--kubeconfig ~/.kube/config"});
  add_target(explain, out.target, "What to explain: NAMESPACE/METRIC, or METRIC with -n");
  explain
      .add_option("-l,--selector",
                  out.selector,
                  "Label selector, as in an HPA. Default with --hpa: the selector of the HPA")
      ->type_name("SELECTOR");
  add_config(explain, out.config);
  add_output(explain,
             out.output,
             {Output::json, Output::yaml},
             "json or yaml: print the response of GET .../METRIC/explain");
  explain.add_flag("-v,--verbose", out.is_verbose, "Also show the policies that changed nothing");
  // Without a default: explain queries backends, and a cluster only when it is named.
  auto* const kubeconfig =
      explain.add_option("--kubeconfig", out.kubeconfig, "Kubeconfig file for reading the HPA")
          ->type_name("FILE");
  explain
      .add_option("--hpa",
                  out.hpa,
                  "Also show the replicas that this HPA would compute; needs --kubeconfig")
      ->type_name("NAME")
      ->needs(kubeconfig);
  return explain;
}

std::string complete(ExplainOptions& options, const Environment& environment) {
  options.identity = environment.identity;
  options.proxies = environment.proxies;
  const std::string problem = complete_config(options.config, environment);
  return problem.empty() ? complete_target(options.target) : problem;
}

}  // namespace weir::server
