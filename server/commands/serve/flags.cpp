// The command, where it listens, and its log.
#include "server/commands/serve/flags.hpp"

#include "server/commands/flags.hpp"

namespace weir::server {
namespace {

void add_serving_flags(CLI::App& serve, ServeOptions& out) {
  serve.option_defaults()->group("Serving");
  add_config(serve, out.config);
  serve
      .add_option_function<std::string>(
          "--config-errors",
          [&out](const std::string& text) {
            out.config_errors = text == "skip" ? ConfigErrors::skip : ConfigErrors::fail;
          },
          "fail: a configuration file with problems ends the start. skip: the others are used, and "
          "metrics of that file are errors. Default: skip with several files, fail with one")
      ->check(CLI::IsMember({"fail", "skip"}).description(""))
      ->type_name("POLICY");
  serve.add_flag("--standalone",
                 out.is_standalone,
                 "Use no kube-apiserver: callers with a client certificate or through the front "
                 "proxy may read metrics");
  serve.add_option("--bind-address", out.bind_address, "Address to listen on")
      ->type_name("ADDRESS")
      ->capture_default_str();
  // Not 0, because no Service could name a port that the kernel chooses.
  serve.add_option("--secure-port", out.secure_port, "Port to listen on")
      ->check(CLI::Range(1, 65535).description(""))
      ->type_name("PORT")
      ->capture_default_str();
  serve
      .add_option("--healthz-port",
                  out.healthz_port,
                  "Port for /healthz, /livez and /readyz alone, over HTTP, with connections of its "
                  "own; 0: none")
      ->check(CLI::Range(0, 65535).description(""))
      ->type_name("PORT")
      ->capture_default_str();
  // The availability checks of the kube-apiserver come as system:masters: an overload must not make
  // the whole API group unavailable.
  serve
      .add_option("--max-requests-inflight",
                  out.max_requests_in_flight,
                  "Requests in flight; system:masters and health checks are exempt; 0: no limit")
      ->type_name("NUMBER")
      ->capture_default_str();
  // Each set is a series whose labels a caller has chosen, so that their number needs a limit.
  serve
      .add_option("--max-parameter-sets",
                  out.max_parameter_sets,
                  "Parameter sets with weir_value on /metrics, for one namespace a fifth; 0: none")
      ->type_name("NUMBER")
      ->capture_default_str();
  // Kubernetes needs some seconds to take a pod that is not ready out of its Service.
  add_duration(serve,
               "--shutdown-delay-duration",
               out.shutdown_delay,
               "How long to keep serving after SIGTERM, with /readyz failing, before draining");
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

}  // namespace

// The forms of klog's flag: -v 3, -v=3, --v=3.
void add_log_flags(CLI::App& serve, ServeOptions& out) {
  serve.option_defaults()->group("Log");
  serve
      .add_option_function<std::string>(
          "--logging-format",
          [&out](const std::string& format) { out.logs_json = format == "json"; },
          "text: klog format; json: one JSON object a line")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("FORMAT")
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
      ->type_name("NUMBER");
}

CLI::App& add_command(CLI::App& program, ServeOptions& out) {
  CLI::App& serve =
      add_subcommand(program,
                     "serve",
                     "Serve the external metrics API over TLS",
                     {"weir serve --config /etc/weir --secure-port 6443",
                      "weir serve --config weir.yaml --standalone --client-ca-file ca.crt "
                      "--secure-port 6443"});
  add_serving_flags(serve, out);
  add_tls_flags(serve, out);
  add_caller_flags(serve, out);
  add_cluster_flags(serve, out);
  add_log_flags(serve, out);
  return serve;
}

std::string complete(ServeOptions& options, const Environment& environment) {
  options.identity = environment.identity;
  options.proxies = environment.proxies;
  drop_empty(options);
  options.kubernetes_service_host = environment.kubernetes_service_host;
  options.kubernetes_service_port = environment.kubernetes_service_port;
  return complete_config(options.config, environment);
}

}  // namespace weir::server
