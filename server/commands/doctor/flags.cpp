// The flags of `weir doctor`.
#include "server/commands/flags.hpp"

#include "scalers/settings/url.hpp"
#include "server/commands/doctor/options.hpp"

#include <variant>

namespace weir::server {
namespace {

// A validator of CLI11 returns the problem, or an empty string.
std::string validate_server(const std::string& text) {
  // parse_http_url() would add port 443, which a forwarded port hardly ever is, so the port has to
  // be written. An IPv6 address without a port has colons too, but ends with a bracket.
  const auto parsed = scalers::parse_http_url("https://" + text);
  const auto* url = std::get_if<scalers::Url>(&parsed);
  const bool is_server = url != nullptr && url->path.empty() &&
                         text.find_last_of(':') != text.npos && !text.ends_with(']');
  return is_server ? "" : "write HOST:PORT, such as 127.0.0.1:6443";
}

std::string validate_name(const std::string& text) {
  const auto slash = text.find('/');
  const bool is_name = slash != text.npos && slash != 0 && slash + 1 < text.size() &&
                       text.find('/', slash + 1) == text.npos;
  return is_name ? "" : "write NAMESPACE/NAME, such as weir-system/weir";
}

}  // namespace

CLI::App& add_command(CLI::App& program, DoctorOptions& out) {
  CLI::App& doctor = add_subcommand(
      program,
      "doctor",
      "Check a cluster for problems that keep HPAs from their external metrics; read-only",
      {"weir doctor", "weir doctor --kubeconfig ~/.kube/config --config weir.yaml"});
  doctor
      .add_option("--kubeconfig",
                  out.kubeconfig,
                  "Kubeconfig file. Default: KUBECONFIG, ~/.kube/config, or the service account of "
                  "the pod")
      ->type_name("FILE");
  add_config(doctor,
             out.config,
             "Weir's configuration, to check the HPAs against: a YAML file or a folder of YAML "
             "files; may be repeated. Without it metric names are checked against discovery only");
  doctor
      .add_option("--server",
                  out.server,
                  "A Weir server to check directly, such as one of kubectl port-forward. Default: "
                  "the endpoints of the Service")
      ->check(CLI::Validator(validate_server, ""))
      ->type_name("HOST:PORT");
  doctor
      .add_option("--service",
                  out.service,
                  "Weir's Service. Default: the Service that the APIService names")
      ->check(CLI::Validator(validate_name, ""))
      ->type_name("NAMESPACE/NAME");
  doctor
      .add_option("--service-account",
                  out.service_account,
                  "Weir's service account. Default: that of a pod of the Service")
      ->check(CLI::Validator(validate_name, ""))
      ->type_name("NAMESPACE/NAME");
  doctor.add_flag("--strict", out.is_strict, "Exit with 4 on warnings too");
  add_output(doctor,
             out.output,
             {Output::json, Output::yaml},
             "json or yaml: print the findings for programs");
  return doctor;
}

std::string complete(DoctorOptions& options, const Environment& environment) {
  options.identity = environment.identity;
  options.proxies = environment.proxies;
  if (options.config.empty()) options.config = environment.config;
  options.kubeconfig_variable = environment.kubeconfig;
  options.home = environment.home;
  options.kubernetes_service_host = environment.kubernetes_service_host;
  options.kubernetes_service_port = environment.kubernetes_service_port;
  return "";
}

}  // namespace weir::server
