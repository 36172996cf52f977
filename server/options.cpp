#include "server/options.hpp"

#include "scalers/nearest.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

namespace weir::server {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done; 1 the configuration has problems or the server cannot run; 2 wrong "
    "command line; "
    "3 a metric answered an error (check --live, get).";

void add_config(CLI::App& command, std::vector<std::string>& config) {
  command.add_option("--config", config, "YAML file, or a folder of them; may be repeated")
      ->required()
      ->allow_extra_args(false);
}

void add_serve(CLI::App& app, ServeOptions& out) {
  CLI::App& serve = *app.add_subcommand("serve", "Serve the external metrics API over TLS");
  add_config(serve, out.config);
  serve.add_flag("--standalone",
                 out.is_standalone,
                 "Ask no kube-apiserver: callers with a client certificate or behind the front "
                 "proxy may read");
  serve.add_option("--bind-address", out.bind_address, "Address to listen on")
      ->capture_default_str();
  serve.add_option("--secure-port", out.secure_port, "Port to listen on")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  auto* certificate = serve.add_option("--tls-cert-file",
                                       out.tls_cert_file,
                                       "PEM serving certificate and its chain");
  auto* key = serve.add_option("--tls-private-key-file",
                               out.tls_private_key_file,
                               "PEM key of --tls-cert-file");
  certificate->needs(key);
  key->needs(certificate);
  serve
      .add_option("--cert-dir",
                  out.cert_dir,
                  "Folder for a self-signed pair, made there when no --tls-cert-file is given")
      ->capture_default_str();
  serve.add_option("--client-ca-file",
                   out.client_ca_file,
                   "PEM bundle: its client certificates name users");
  const auto list = [&](const char* name, std::vector<std::string>& value, const char* help) {
    serve.add_option(name, value, help)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->capture_default_str();
  };
  serve.add_option("--requestheader-client-ca-file",
                   out.requestheader_client_ca_file,
                   "PEM bundle: identity headers count only beside a client certificate it signed");
  list("--requestheader-allowed-names",
       out.requestheader_allowed_names,
       "Common names that may send identity headers; none given: any certificate of the bundle");
  list("--requestheader-username-headers",
       out.requestheader_username_headers,
       "Headers that name the user");
  list("--requestheader-group-headers",
       out.requestheader_group_headers,
       "Headers that name groups");
  list("--requestheader-extra-headers-prefix",
       out.requestheader_extra_headers_prefix,
       "Prefixes of extra headers");
}

void add_check(CLI::App& app, CheckOptions& out) {
  CLI::App& check =
      *app.add_subcommand("check", "Check configuration files: every problem with its position");
  check.add_option("FILE", out.config, "YAML files or folders of them")->required();
  check.add_flag("--live", out.is_live, "Also ask every metric once");
}

void add_get(CLI::App& app, GetOptions& out, std::string& target, std::string& format) {
  CLI::App& get = *app.add_subcommand("get", "Read one metric as an HPA would, without a server");
  add_config(get, out.config);
  get.add_option("NAMESPACE/METRIC", target, "What to read")->required();
  get.add_option("-l,--selector", out.selector, "Label selector, as the HPA's");
  get.add_option("-o,--output", format, "json: the API's own answer")
      ->check(CLI::IsMember({"json"}));
}

void add_describe(CLI::App& app, DescribeOptions& out, std::string& format) {
  CLI::App& describe =
      *app.add_subcommand("describe", "Print the kinds of scalers and all settings");
  describe.add_option("KIND", out.kind, "Only this kind, such as prometheus");
  describe.add_option("-o,--output", format, "markdown: the page docs/configuration.md")
      ->check(CLI::IsMember({"markdown"}));
}

// The API servers take an empty list entry for none.
void drop_empty(ServeOptions& options) {
  for (auto* list : {&options.requestheader_allowed_names,
                     &options.requestheader_username_headers,
                     &options.requestheader_group_headers,
                     &options.requestheader_extra_headers_prefix}) {
    std::erase(*list, "");
  }
}

// A first word that is neither a flag nor a command: CLI11 would only say that a command is
// missing.
std::optional<ExitCode> refuse_unknown_command(const CLI::App& app,
                                               int argc,
                                               const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return std::nullopt;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (std::ranges::find(views, argv[1]) != views.end()) return std::nullopt;
  fmt::print(stderr,
             "weir: there is no command \"{}\"{}\nThe commands are: {}.\nRun `weir --help` or "
             "`weir COMMAND --help` for what there is.\n",
             argv[1],
             scalers::did_you_mean(argv[1], views),
             fmt::join(names, ", "));
  return ExitCode::usage;
}

// CLI11's words for a flag that does not exist do not say what to do about it.
ExitCode report(const CLI::App& app, const CLI::ParseError& failure) {
  if (failure.get_exit_code() == 0) {
    app.exit(failure);
    return ExitCode::ok;
  }
  fmt::print(stderr,
             "weir: {}\nRun `weir --help` or `weir COMMAND --help` for what there is.\n",
             failure.what());
  return ExitCode::usage;
}

std::variant<Command, ExitCode> split_target(GetOptions get, const std::string& target) {
  const auto slash = target.find('/');
  if (slash == target.npos || slash == 0 || slash + 1 == target.size()) {
    fmt::print(stderr,
               "weir: \"{}\" is not NAMESPACE/METRIC, such as ml-inference/p95_latency\n",
               target);
    return ExitCode::usage;
  }
  get.name_space = target.substr(0, slash);
  get.metric = target.substr(slash + 1);
  return get;
}

}  // namespace

std::variant<Command, ExitCode> parse_options(int argc, const char* const* argv) {
  CLI::App app("Weir answers Kubernetes HPAs with external metrics asked live from their sources.",
               "weir");
  app.footer(kFooter);
  app.require_subcommand(1);
  ServeOptions serve;
  CheckOptions check;
  GetOptions get;
  DescribeOptions describe;
  std::string target;
  std::string format;
  add_serve(app, serve);
  add_check(app, check);
  add_get(app, get, target, format);
  add_describe(app, describe, format);
  app.add_subcommand("version", "Print the version");
  if (const auto refused = refuse_unknown_command(app, argc, argv)) return *refused;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return report(app, failure);
  }
  drop_empty(serve);
  if (app.got_subcommand("serve")) return serve;
  if (app.got_subcommand("check")) return check;
  describe.is_markdown = format == "markdown";
  if (app.got_subcommand("describe")) return describe;
  if (app.got_subcommand("version")) return VersionOptions{};
  get.is_json = format == "json";
  return split_target(std::move(get), target);
}

}  // namespace weir::server
