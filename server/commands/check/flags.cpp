// The flags of `weir check`, and the rules about their combination.
#include "server/commands/flags.hpp"

#include "server/commands/check/options.hpp"

namespace weir::server {

CLI::App& add_command(CLI::App& program, CheckOptions& out) {
  CLI::App& check =
      add_subcommand(program,
                     "check",
                     "Check configuration files and report every problem with its position",
                     {"weir check weir.yaml",
                      "weir check --no-credentials manifests/",
                      "weir check --live weir.yaml -l queue=orders"});
  check.add_option("FILE",
                   out.config,
                   "YAML files or folders of them. Default: the environment variable WEIR_CONFIG");
  check.add_flag("--no-credentials",
                 out.has_no_credentials,
                 "Do not look at the files of credentials, CAs and certificates: for pipelines "
                 "without secrets");
  check.add_flag(
      "--live",
      out.is_live,
      "Also read every metric once from its backend, and search for the cause of an error");
  check
      .add_option("-l,--selector",
                  out.selector,
                  "With --live: label selector, as in an HPA, for the metrics that have its labels")
      ->type_name("SELECTOR");
  add_output(check,
             out.output,
             {Output::json, Output::yaml},
             "json or yaml: print problems, remarks and values for programs");
  return check;
}

std::string complete(CheckOptions& options, const Environment& environment) {
  options.identity = environment.identity;
  options.proxies = environment.proxies;
  if (options.config.empty()) options.config = environment.config;
  if (options.config.empty())
    return "FILE is required: give a YAML file or a folder of YAML files, or set the environment "
           "variable WEIR_CONFIG";
  if (options.is_live && options.has_no_credentials)
    return "--live needs the credentials that --no-credentials leaves out; use one of them";
  if (!options.selector.empty() && !options.is_live)
    return "-l selects what --live reads; add --live";
  return "";
}

}  // namespace weir::server
