#include "server/commands/doctor/options.hpp"

#include "scalers/settings/url.hpp"

#include <CLI/CLI.hpp>

#include <variant>

namespace weir::server {
namespace {

// CLI11's validators answer with the mistake, or with nothing.
std::string refuse_server(const std::string& text) {
  const auto parsed = scalers::parse_http_url("https://" + text);
  const auto* url = std::get_if<scalers::Url>(&parsed);
  const bool is_server = url != nullptr && url->path.empty() &&
                         text.find_last_of(':') != text.npos && !text.ends_with(']');
  return is_server ? "" : "write HOST:PORT, such as 127.0.0.1:6443";
}

std::string refuse_name(const std::string& text) {
  const auto slash = text.find('/');
  const bool is_name = slash != text.npos && slash != 0 && slash + 1 < text.size() &&
                       text.find('/', slash + 1) == text.npos;
  return is_name ? "" : "write NAMESPACE/NAME, such as weir-system/weir";
}

}  // namespace

void add_doctor(CLI::App& app, DoctorOptions& out, std::string& format) {
  CLI::App& doctor = *app.add_subcommand(
      "doctor",
      "Look at a cluster for what keeps HPAs from their metrics; changes nothing");
  doctor.add_option(
      "--kubeconfig",
      out.kubeconfig,
      "How to reach the kube-apiserver; without it KUBECONFIG, ~/.kube/config, or the "
      "pod's service account");
  doctor
      .add_option("--config",
                  out.config,
                  "Weir's configuration, to hold the HPAs against: a YAML file, or a folder of "
                  "them; may be repeated. Without it only the names that discovery lists count")
      ->allow_extra_args(false);
  doctor
      .add_option("--server",
                  out.server,
                  "HOST:PORT of a Weir to look at directly, such as that of kubectl port-forward; "
                  "without it the Service's endpoints")
      ->check(CLI::Validator(refuse_server, "HOST:PORT"));
  doctor
      .add_option("--service",
                  out.service,
                  "NAMESPACE/NAME of Weir's Service; without it the one that the APIService names")
      ->check(CLI::Validator(refuse_name, "NAMESPACE/NAME"));
  doctor
      .add_option("--service-account",
                  out.service_account,
                  "NAMESPACE/NAME of Weir's account; without it that of a pod behind the Service")
      ->check(CLI::Validator(refuse_name, "NAMESPACE/NAME"));
  doctor.add_flag("--strict", out.is_strict, "Exit with 4 for a warning too");
  doctor.add_option("-o,--output", format, "json: the findings for a program")
      ->check(CLI::IsMember({"json"}));
}

}  // namespace weir::server
