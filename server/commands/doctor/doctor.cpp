// `weir doctor`: finds the kubeconfig as kubectl does, runs the checks, prints the findings.
#include "scalers/clients/net/resolver.hpp"
#include "scalers/settings/url.hpp"
#include "server/commands/doctor/cluster_checks.hpp"
#include "server/commands/doctor/config_facts.hpp"
#include "server/commands/doctor/options.hpp"
#include "server/commands/world.hpp"
#include "server/kube/client/client.hpp"
#include "server/kube/client/kubeconfig.hpp"
#include "server/yaml/from_json.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weir::server {
namespace {

using doctor::Findings;
using doctor::ObjectName;
using doctor::Severity;

bool is_file(const std::string& path) {
  std::error_code failed;
  return std::filesystem::is_regular_file(path, failed);
}

// The existing files of KUBECONFIG; kubectl ignores missing ones too.
std::vector<std::string> files_of(const std::string& variable) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= variable.size();) {
    const auto end = std::min(variable.find(':', at), variable.size());
    const std::string path = variable.substr(at, end - at);
    if (is_file(path)) out.push_back(path);
    at = end + 1;
  }
  return out;
}

// The path of the kubeconfig; empty when there is none.
std::string kubeconfig_of(const DoctorOptions& options) {
  if (!options.kubeconfig.empty()) return options.kubeconfig;
  const auto files = files_of(options.kubeconfig_variable);
  // A merge has rules for each key; with half of them the doctor could query another cluster than
  // kubectl does.
  if (files.size() > 1) {
    throw std::runtime_error(fmt::format(
        "KUBECONFIG names {} files, and Weir does not merge kubeconfigs: set --kubeconfig "
        "to the output of kubectl config view --flatten --minify --raw",
        files.size()));
  }
  if (!files.empty()) return files.front();
  // kubectl does not look into the home folder then either: that file may be of another cluster.
  if (!options.kubeconfig_variable.empty())
    throw std::runtime_error(
        fmt::format("KUBECONFIG names no file that exists ({}): fix it, or set --kubeconfig",
                    options.kubeconfig_variable));
  const std::string default_path = options.home + "/.kube/config";
  return !options.home.empty() && is_file(default_path) ? default_path : std::string();
}

// A kubeconfig takes precedence over the service account of the pod, as in kubectl.
cluster::ClusterAccess access_of(const std::string& kubeconfig, const DoctorOptions& options) {
  if (!kubeconfig.empty()) return cluster::read_kubeconfig(kubeconfig);
  if (options.kubernetes_service_host.empty() || options.kubernetes_service_port.empty()) {
    throw std::runtime_error(
        "there is no kubeconfig (--kubeconfig, KUBECONFIG, ~/.kube/config) and this process "
        "does not run in a pod: set --kubeconfig");
  }
  return cluster::in_cluster_access(options.kubernetes_service_host,
                                    options.kubernetes_service_port,
                                    cluster::kServiceAccountFolder);
}

// nullopt without a slash: the flag is not set. The flags are validated in flags.cpp.
std::optional<ObjectName> name_of(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  return ObjectName{text.substr(0, slash), text.substr(slash + 1)};
}

doctor::Scope scope_of(const DoctorOptions& options, bool is_own_account) {
  doctor::Scope out;
  out.service = name_of(options.service);
  out.account = name_of(options.service_account);
  out.is_own_account = is_own_account;
  // HOST:PORT is parsed as a URL, which handles IPv6 addresses.
  const auto server = scalers::parse_http_url("https://" + options.server);
  if (const auto* url = std::get_if<scalers::Url>(&server)) {
    out.server_host = url->host;
    out.server_port = url->port;
  }
  return out;
}

std::string text_of(const Findings& findings, Output output) {
  switch (output) {
    case Output::json: return doctor::json_of(findings);
    case Output::yaml: return yaml_text(nlohmann::ordered_json::parse(doctor::json_of(findings)));
    default: return doctor::text_of(findings);
  }
}

// One error for each file that Weir would skip, with its first problem.
Findings findings_on_files(const LoadedWorld& loaded) {
  struct Problems {
    std::string first;
    std::size_t count = 0;
  };
  std::map<std::string, Problems> by_file;
  for (const std::string& line : loaded.problems) {
    // "FILE:LINE:COLUMN: WHAT", or "FILE: WHAT".
    const auto file = std::ranges::find_if(loaded.uses, [&](const auto& use) {
      return line.starts_with(use.first + ":");
    });
    Problems& problems = by_file[file == loaded.uses.end() ? std::string() : file->first];
    if (problems.count++ == 0) problems.first = line;
  }
  Findings out;
  for (const auto& [file, problems] : by_file) {
    out.push_back(doctor::error(
        "configuration",
        problems.count == 1 ? problems.first
                            : fmt::format("{} (problem 1 of {})", problems.first, problems.count),
        "fix the file: weir serve skips it, and reads of its metrics are "
        "errors"));
  }
  return out;
}

Findings run_checks(Loop& loop, doctor::ClusterChecks& checks) {
  std::optional<Findings> out;
  std::exception_ptr bug;
  boost::asio::co_spawn(loop.get_executor(),
                        checks.run(),
                        [&](const std::exception_ptr& failure, Findings findings) {
                          bug = failure;
                          out = std::move(findings);
                        });
  // A loop that has run out of work does not run again without it.
  loop.restart();
  while (!out && loop.run_one() > 0) {
  }
  if (bug) std::rethrow_exception(bug);
  return std::move(*out);
}

}  // namespace

ExitCode run(const DoctorOptions& options) {
  const std::string kubeconfig = kubeconfig_of(options);
  cluster::ClusterAccess access = access_of(kubeconfig, options);
  Loop loop(1);
  const Clock clock;
  SilentObserver observer;
  scalers::Clients clients(loop, options.identity, scalers::clients::ProxyRules(options.proxies));
  // Without a kubeconfig the account is that of the pod, which is Weir's.
  doctor::Scope scope = scope_of(options, kubeconfig.empty());
  Findings on_files;
  if (!options.config.empty()) {
    // Needed for its list of metrics only: no backend is queried.
    const auto measure = [&](std::span<const scalers::Node> documents) {
      scope.served.measured = doctor::measured_metrics(documents);
    };
    const auto loaded =
        load_world(options.config, loop, clients, clock, observer, std::nullopt, measure);
    if (!loaded.world) return ExitCode::failed;
    print_problems(loaded.problems);
    on_files = findings_on_files(loaded);
    scope.served.configured = loaded.world->metrics();
  }
  // For the direct probe, which does not use the HTTP client.
  scalers::clients::Resolver resolver(loop);
  cluster::KubeClient kube(clients, std::move(access));
  doctor::ClusterChecks checks(loop, resolver, kube, clock, std::move(scope));
  Findings findings = run_checks(loop, checks);
  findings.insert(findings.begin(), on_files.begin(), on_files.end());
  clients.close();
  resolver.close();
  fmt::print("{}", text_of(findings, options.output));
  const Severity worst = doctor::worst_of(findings);
  const Severity tolerated = options.is_strict ? Severity::ok : Severity::warning;
  return worst > tolerated ? ExitCode::problems_found : ExitCode::ok;
}

}  // namespace weir::server
