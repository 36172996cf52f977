// The kube-apiserver, with the names and meanings of the aggregated API servers of Kubernetes,
// except --kubeconfig.
#include "server/commands/flags.hpp"
#include "server/commands/serve/flags.hpp"

namespace weir::server {

void add_cluster_flags(CLI::App& serve, ServeOptions& out) {
  serve.option_defaults()->group("kube-apiserver");
  serve
      .add_option("--kubeconfig",
                  out.kubeconfig,
                  "Kubeconfig file for the kube-apiserver. Default: the service account of the pod")
      ->type_name("FILE");
  serve
      .add_option("--authentication-kubeconfig",
                  out.authentication_kubeconfig,
                  "Kubeconfig file for TokenReviews and the ConfigMap. Default: --kubeconfig")
      ->type_name("FILE");
  serve
      .add_option("--authorization-kubeconfig",
                  out.authorization_kubeconfig,
                  "Kubeconfig file for SubjectAccessReviews. Default: --kubeconfig")
      ->type_name("FILE");
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

}  // namespace weir::server
