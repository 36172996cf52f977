// The flags of most commands, parsed with CLI11. The flags of doctor and record, and of TLS, are in
// the folders of their commands.
#include "server/commands/options.hpp"

#include "scalers/text/duration.hpp"
#include "scalers/text/suggest.hpp"
#include "server/commands/doctor/options.hpp"
#include "server/commands/record/options.hpp"
#include "server/commands/serve/options_tls.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace weir::server {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 success; 1 the configuration has problems or the server cannot run; 2 invalid "
    "command line; 3 a metric could not be read (check --live, get, explain); 4 weir doctor found "
    "problems.";

void add_config(CLI::App& command, std::vector<std::string>& config) {
  // An option of CLI11 with several values takes all words that follow, also NAMESPACE/METRIC; with
  // allow_extra_args(false) it takes one for each --config.
  command.add_option("--config", config, "YAML file or folder of YAML files; may be repeated")
      ->required()
      ->allow_extra_args(false);
}

// A duration as in the flags of Kubernetes: 10s, 1m30s; 0 turns the feature off.
void add_duration(CLI::App& command, const char* name, Duration& value, const char* help) {
  const auto read = [&value](const std::string& text) {
    // parse_duration() accepts only durations above zero.
    if (text == "0" || text == "0s") {
      value = Duration{0};
      return true;
    }
    const auto duration = scalers::parse_duration(text);
    if (duration) value = *duration;
    return duration.has_value();
  };
  // The default appears in the help, so it is taken from the options and not written twice.
  command
      .add_option_function<std::string>(
          name,
          [read, name](const std::string& text) {
            if (!read(text))
              throw CLI::ValidationError(name, "write a duration such as 10s, 1m30s or 0");
          },
          help)
      ->default_str(
          fmt::format("{}s", std::chrono::duration_cast<std::chrono::seconds>(value).count()))
      ->type_name("DURATION");
}

void add_list(CLI::App& command,
              const char* name,
              std::vector<std::string>& value,
              const char* help) {
  // As in the flags of Kubernetes: a,b or the flag again for each.
  command.add_option(name, value, help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
}

// Names and meanings as in the aggregated API servers of Kubernetes, except --kubeconfig.
void add_cluster(CLI::App& serve, ServeOptions& out) {
  serve.add_option(
      "--kubeconfig",
      out.kubeconfig,
      "Kubeconfig file for the kube-apiserver. Default: the service account of the pod");
  serve.add_option("--authentication-kubeconfig",
                   out.authentication_kubeconfig,
                   "Kubeconfig file for TokenReviews and the ConfigMap. Default: --kubeconfig");
  serve.add_option("--authorization-kubeconfig",
                   out.authorization_kubeconfig,
                   "Kubeconfig file for SubjectAccessReviews. Default: --kubeconfig");
  serve.add_flag("--authentication-skip-lookup",
                 out.skips_lookup,
                 "Do not read the ConfigMap extension-apiserver-authentication");
  serve.add_flag("--authentication-tolerate-lookup-failure",
                 out.tolerates_lookup_failure,
                 "Report ready even if that ConfigMap cannot be read");
  add_list(serve,
           "--api-audiences",
           out.api_audiences,
           "Audiences that bearer tokens must have. Default: those of the kube-apiserver");
  add_duration(serve,
               "--authentication-token-webhook-cache-ttl",
               out.token_cache_ttl,
               "How long the response to a TokenReview is cached");
  add_duration(serve,
               "--authorization-webhook-cache-authorized-ttl",
               out.authorized_cache_ttl,
               "How long an allowed authorization decision is cached");
  add_duration(serve,
               "--authorization-webhook-cache-unauthorized-ttl",
               out.unauthorized_cache_ttl,
               "How long a denied authorization decision is cached");
  add_list(serve,
           "--authorization-always-allow-paths",
           out.always_allow_paths,
           "Paths allowed without a SubjectAccessReview; PATH* matches a prefix");
}

// The forms of klog's flag: -v 3, -v=3, --v=3.
void add_logging(CLI::App& serve, ServeOptions& out) {
  serve
      .add_option_function<std::string>(
          "--logging-format",
          [&out](const std::string& format) { out.logs_json = format == "json"; },
          "text: klog format; json: one JSON object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
  const auto read = [&out](const std::string& text) {
    // CLI11 takes -v=3 for the short flag with the value "=3".
    const std::string number = text.starts_with('=') ? text.substr(1) : text;
    if (!CLI::detail::lexical_cast(number, out.verbosity) || out.verbosity < 0 ||
        out.verbosity > 10)
      throw CLI::ValidationError("-v", "write a number from 0 to 10");
  };
  serve
      .add_option_function<std::string>("-v,--v",
                                        read,
                                        "Log verbosity, 0 to 10; from 3 on every request is logged")
      ->default_str("0")
      ->type_name("INT");
}

void add_serve(CLI::App& app, ServeOptions& out) {
  CLI::App& serve = *app.add_subcommand("serve", "Serve the external metrics API over TLS");
  add_config(serve, out.config);
  serve.add_flag("--standalone",
                 out.is_standalone,
                 "Use no kube-apiserver: callers with a client certificate or through the front "
                 "proxy may read metrics");
  serve.add_option("--bind-address", out.bind_address, "Address to listen on")
      ->capture_default_str();
  // Not 0, because no Service could name a port that the kernel chooses.
  serve.add_option("--secure-port", out.secure_port, "Port to listen on")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  // The availability checks of the kube-apiserver come as system:masters: an overload must not make
  // the whole API group unavailable.
  serve
      .add_option("--max-requests-inflight",
                  out.max_requests_in_flight,
                  "Requests in flight; system:masters and health checks are exempt; 0: no limit")
      ->capture_default_str();
  // Each set is a series whose labels a caller has chosen, so that their number needs a limit.
  serve
      .add_option("--max-parameter-sets",
                  out.max_parameter_sets,
                  "Parameter sets with weir_value on /metrics, for one namespace a fifth; 0: none")
      ->capture_default_str();
  // Kubernetes needs some seconds to take a pod that is not ready out of its Service.
  add_duration(serve,
               "--shutdown-delay-duration",
               out.shutdown_delay,
               "How long to keep serving after SIGTERM, with /readyz failing, before draining");
  add_tls_flags(serve, out);
  serve
      .add_option("--cert-dir",
                  out.cert_dir,
                  "Folder for a self-signed pair, created when --tls-cert-file is not set")
      ->capture_default_str();
  serve.add_option("--client-ca-file",
                   out.client_ca_file,
                   "PEM CA bundle; client certificates signed by it authenticate users");
  serve.add_option("--requestheader-client-ca-file",
                   out.requestheader_client_ca_file,
                   "PEM CA bundle; identity headers need a client certificate signed by it");
  add_list(serve,
           "--requestheader-allowed-names",
           out.requestheader_allowed_names,
           "Common names that may send identity headers. Default: any certificate of the bundle");
  add_list(serve,
           "--requestheader-username-headers",
           out.requestheader_username_headers,
           "Request headers with the user name");
  add_list(serve,
           "--requestheader-group-headers",
           out.requestheader_group_headers,
           "Request headers with the groups");
  add_list(serve,
           "--requestheader-extra-headers-prefix",
           out.requestheader_extra_headers_prefix,
           "Prefixes of request headers with extra user data");
  // No default, as in Kubernetes: a uid counts only when a flag names its header.
  add_list(serve,
           "--requestheader-uid-headers",
           out.requestheader_uid_headers,
           "Request headers with the UID of the user");
  add_cluster(serve, out);
  add_logging(serve, out);
}

void add_check(CLI::App& app, CheckOptions& out) {
  CLI::App& check =
      *app.add_subcommand("check",
                          "Check configuration files and report every problem with its position");
  check.add_option("FILE", out.config, "YAML files or folders of them")->required();
  check.add_flag("--live", out.is_live, "Also read every metric once");
}

void add_get(CLI::App& app, GetOptions& out, std::string& target, std::string& format) {
  CLI::App& get = *app.add_subcommand("get", "Read one metric as an HPA would, without a server");
  add_config(get, out.config);
  get.add_option("NAMESPACE/METRIC", target, "What to read")->required();
  get.add_option("-l,--selector", out.selector, "Label selector, as in an HPA");
  // Checked by CLI11, so that a format that is not known fails before anything is queried.
  get.add_option("-o,--output", format, "json: print the response of the API")
      ->check(CLI::IsMember({"json"}));
}

void add_explain(CLI::App& app, ExplainOptions& out, std::string& target, std::string& format) {
  CLI::App& explain = *app.add_subcommand("explain", "Read one metric and explain its result");
  add_config(explain, out.config);
  explain.add_option("NAMESPACE/METRIC", target, "What to explain")->required();
  explain.add_option("-l,--selector",
                     out.selector,
                     "Label selector, as in an HPA. Default with --hpa: the selector of the HPA");
  explain.add_option("-o,--output", format, "json: print the response of GET .../METRIC/explain")
      ->check(CLI::IsMember({"json"}));
  // Without a default: explain queries backends, and a cluster only when it is named.
  auto* const kubeconfig =
      explain.add_option("--kubeconfig", out.kubeconfig, "Kubeconfig file for reading the HPA");
  explain
      .add_option("--hpa",
                  out.hpa,
                  "Also show the replicas that this HPA would compute; needs --kubeconfig")
      ->needs(kubeconfig);
}

void add_describe(CLI::App& app, DescribeOptions& out, std::string& format) {
  CLI::App& describe =
      *app.add_subcommand("describe", "Print the kinds of scalers and all settings");
  describe.add_option("KIND", out.kind, "Only this kind, such as prometheus");
  describe.add_option("-o,--output", format, "markdown: print docs/configuration.md")
      ->check(CLI::IsMember({"markdown"}));
}

// The API servers of Kubernetes ignore empty list entries too.
void drop_empty(ServeOptions& options) {
  for (auto* list : {&options.requestheader_allowed_names,
                     &options.requestheader_username_headers,
                     &options.requestheader_group_headers,
                     &options.requestheader_extra_headers_prefix,
                     &options.requestheader_uid_headers,
                     &options.api_audiences,
                     &options.always_allow_paths}) {
    std::erase(*list, "");
  }
}

// Called before any other thread exists, as getenv() requires.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// A first argument that is neither a flag nor a command, because CLI11 would only report a missing
// command. The first argument only: what follows may be the value of a flag.
std::optional<ExitCode> refuse_unknown_command(const CLI::App& app,
                                               int argc,
                                               const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return std::nullopt;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (std::ranges::find(views, argv[1]) != views.end()) return std::nullopt;
  fmt::print(stderr,
             "weir: unknown command \"{}\"{}\nThe commands are: {}.\nRun `weir --help` or "
             "`weir COMMAND --help` for usage.\n",
             argv[1],
             scalers::did_you_mean(argv[1], views),
             fmt::join(names, ", "));
  return ExitCode::usage;
}

// Adds a hint, because the message of CLI11 for an unknown flag does not say what to do.
ExitCode report(const CLI::App& app, const CLI::ParseError& failure) {
  // CLI11 reports --help as a ParseError too, with exit code 0.
  if (failure.get_exit_code() == 0) {
    app.exit(failure);
    return ExitCode::ok;
  }
  fmt::print(stderr,
             "weir: {}\nRun `weir --help` or `weir COMMAND --help` for usage.\n",
             failure.what());
  return ExitCode::usage;
}

// Splits NAMESPACE/METRIC of `get` and `explain`.
template <class Options>
std::variant<Command, ExitCode> split_target(Options options, const std::string& target) {
  // The first slash, because a namespace cannot contain one.
  const auto slash = target.find('/');
  if (slash == target.npos || slash == 0 || slash + 1 == target.size()) {
    fmt::print(stderr,
               "weir: \"{}\" is not NAMESPACE/METRIC, such as ml-inference/p95_latency\n",
               target);
    return ExitCode::usage;
  }
  options.name_space = target.substr(0, slash);
  options.metric = target.substr(slash + 1);
  return options;
}

std::variant<Command, ExitCode> validate_record(RecordOptions record) {
  const std::string problem = problem_in(record);
  if (problem.empty()) return record;
  fmt::print(stderr, "weir: {}\n", problem);
  return ExitCode::usage;
}

}  // namespace

std::variant<Command, ExitCode> parse_options(int argc, const char* const* argv) {
  CLI::App app("Weir serves external metrics to Kubernetes HPAs, read live from their backends.",
               "weir");
  app.footer(kFooter);
  app.require_subcommand(1);
  ServeOptions serve;
  CheckOptions check;
  GetOptions get;
  ExplainOptions explain;
  DescribeOptions describe;
  DoctorOptions doctor;
  RecordOptions record;
  // Shared by the commands that have them, because only one command runs.
  std::string target;
  std::string format;
  add_serve(app, serve);
  add_check(app, check);
  add_get(app, get, target, format);
  add_explain(app, explain, target, format);
  add_describe(app, describe, format);
  add_doctor(app, doctor, format);
  add_record(app, record);
  app.add_subcommand("version", "Print the version");
  // Before CLI11, whose message would come first.
  if (const auto code = refuse_unknown_command(app, argc, argv)) return *code;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return report(app, failure);
  }
  // All commands are parsed into their own options; the subcommand selects one of them.
  drop_empty(serve);
  serve.kubernetes_service_host = environment("KUBERNETES_SERVICE_HOST");
  serve.kubernetes_service_port = environment("KUBERNETES_SERVICE_PORT");
  if (app.got_subcommand("serve")) return serve;
  if (app.got_subcommand("check")) return check;
  if (app.got_subcommand("doctor")) {
    doctor.kubeconfig_variable = environment("KUBECONFIG");
    doctor.home = environment("HOME");
    doctor.kubernetes_service_host = serve.kubernetes_service_host;
    doctor.kubernetes_service_port = serve.kubernetes_service_port;
    doctor.is_json = format == "json";
    return doctor;
  }
  describe.is_markdown = format == "markdown";
  if (app.got_subcommand("describe")) return describe;
  if (app.got_subcommand("record")) return validate_record(std::move(record));
  if (app.got_subcommand("version")) return VersionOptions{};
  explain.is_json = format == "json";
  if (app.got_subcommand("explain")) return split_target(std::move(explain), target);
  // Only get remains, because CLI11 has required a command.
  get.is_json = format == "json";
  return split_target(std::move(get), target);
}

}  // namespace weir::server
