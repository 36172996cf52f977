// The flags of `weir get`, as far as possible those of kubectl get.
#include "server/commands/flags.hpp"

#include "server/commands/get/options.hpp"

namespace weir::server {

CLI::App& add_command(CLI::App& program, GetOptions& out) {
  CLI::App& get = add_subcommand(program,
                                 "get",
                                 "Read one metric as an HPA would, without a server",
                                 {"weir get --config weir.yaml ml-inference/p95_latency",
                                  "weir get --config weir.yaml -n shop queue_depth "
                                  "-l queue=orders -o yaml"});
  add_target(get, out.target, "What to read: NAMESPACE/METRIC, or METRIC with -n");
  get.add_option("-l,--selector", out.selector, "Label selector, as in an HPA")
      ->type_name("SELECTOR");
  add_config(get, out.config);
  add_output(get,
             out.output,
             {Output::json, Output::yaml},
             "json or yaml: print the response of the API");
  return get;
}

std::string complete(GetOptions& options, const Environment& environment) {
  options.identity = environment.identity;
  options.proxies = environment.proxies;
  const std::string problem = complete_config(options.config, environment);
  return problem.empty() ? complete_target(options.target) : problem;
}

}  // namespace weir::server
