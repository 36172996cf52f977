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
  const std::string path =
      fmt::format("/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers/{}",
                  scalers::percent_encoded(name_space),
                  scalers::percent_encoded(name));
  auto reply = co_await client->get(path, "", deadline);
  if (!reply) co_return reply.error().within("the kube-apiserver");
  const std::string which = fmt::format("HPA {}/{}", name_space, name);
  switch (reply->status) {
    case 200: co_return std::move(reply->body);
    case 401:
      co_return Error{Errc::refused, "the kube-apiserver does not know the kubeconfig's login", ""};
    case 403:
      co_return Error{Errc::forbidden,
                      which + ": the kubeconfig's account may not get HPAs there",
                      ""};
    case 404: co_return Error{Errc::unknown_object, which + " does not exist", ""};
    default:
      co_return Error{Errc::bad_reply,
                      fmt::format("{}: the kube-apiserver says HTTP {}", which, reply->status),
                      ""};
  }
}

}  // namespace weir::server::cluster
