// Who may call, with the names and meanings of the API servers of Kubernetes.
#include "server/commands/flags.hpp"
#include "server/commands/serve/flags.hpp"

namespace weir::server {

void add_caller_flags(CLI::App& serve, ServeOptions& out) {
  serve.option_defaults()->group("Callers");
  serve
      .add_option("--client-ca-file",
                  out.client_ca_file,
                  "PEM CA bundle; client certificates signed by it authenticate users")
      ->type_name("FILE");
  serve
      .add_option("--requestheader-client-ca-file",
                  out.requestheader_client_ca_file,
                  "PEM CA bundle; identity headers need a client certificate signed by it")
      ->type_name("FILE");
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
}

}  // namespace weir::server
