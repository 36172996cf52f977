// The flags of `weir doctor`.
#include "server/commands/doctor/options.hpp"

#include "scalers/settings/url.hpp"

#include <CLI/CLI.hpp>

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

void add_doctor(CLI::App& app, DoctorOptions& out, std::string& format) {
  CLI::App& doctor = *app.add_subcommand(
      "doctor",
      "Check a cluster for problems that keep HPAs from their external metrics; read-only");
  doctor.add_option(
      "--kubeconfig",
      out.kubeconfig,
      "Kubeconfig file. Default: KUBECONFIG, ~/.kube/config, or the service account of the pod");
  doctor
      .add_option(
          "--config",
          out.config,
          "Weir's configuration, to check the HPAs against: a YAML file or a folder of YAML "
          "files; may be repeated. Default: only check metric names against discovery")
      ->allow_extra_args(false);
  doctor
      .add_option("--server",
                  out.server,
                  "HOST:PORT of a Weir server to check directly, such as one of kubectl "
                  "port-forward. Default: the endpoints of the Service")
      ->check(CLI::Validator(validate_server, "HOST:PORT"));
  doctor
      .add_option(
          "--service",
          out.service,
          "NAMESPACE/NAME of Weir's Service. Default: the Service that the APIService names")
      ->check(CLI::Validator(validate_name, "NAMESPACE/NAME"));
  doctor
      .add_option("--service-account",
                  out.service_account,
                  "NAMESPACE/NAME of Weir's service account. Default: that of a pod of the Service")
      ->check(CLI::Validator(validate_name, "NAMESPACE/NAME"));
  doctor.add_flag("--strict", out.is_strict, "Exit with 4 on warnings too");
  doctor.add_option("-o,--output", format, "json: print the findings as JSON")
      ->check(CLI::IsMember({"json"}));
}

}  // namespace weir::server
