// Reads one HPA for `weir explain`. Each status has a message, because the user can fix the cause.
#include "server/kube/objects/hpa_read.hpp"

#include "scalers/settings/url.hpp"

#include <fmt/format.h>

#include <utility>

namespace weir::server::cluster {

using scalers::Errc;
using scalers::Error;

awaitable<scalers::Result<std::string>> read_hpa(KubeClient* client,
                                                 std::string name_space,
                                                 std::string name,
                                                 Deadline deadline) {
  // Encoded, because both names come from the command line and must not change the path.
  const std::string path =
      fmt::format("/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers/{}",
                  scalers::percent_encoded(name_space),
                  scalers::percent_encoded(name));
  auto reply = co_await client->get(path, "", deadline);
  // The errors of the HTTP client name no host.
  if (!reply) co_return reply.error().within("the kube-apiserver");
  const std::string which = fmt::format("HPA {}/{}", name_space, name);
  // These statuses have common causes; the body of any other one may be of a proxy.
  switch (reply->status) {
    case 200: co_return std::move(reply->body);
    case 401:
      co_return Error{Errc::refused,
                      "the kube-apiserver rejected the credentials of the kubeconfig",
                      ""};
    case 403:
      co_return Error{Errc::forbidden,
                      which + ": the account of the kubeconfig has no permission to get it",
                      ""};
    case 404: {
      // For an API that it does not serve, the kube-apiserver sends text instead of a Status.
      const bool is_served = reply->body.find("\"Status\"") != std::string::npos;
      co_return Error{Errc::unknown_object,
                      is_served ? which + " does not exist"
                                : which + ": the kube-apiserver does not serve autoscaling/v2",
                      ""};
    }
    default:
      co_return Error{
          Errc::bad_reply,
          fmt::format("{}: the kube-apiserver responded with HTTP {}", which, reply->status),
          ""};
  }
}

}  // namespace weir::server::cluster
