// The kube-apiserver as Weir asks it: JSON over the HTTP client, with the account's token or client
// certificate. Owned by Cluster; loop thread only.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"
#include "server/kube/client/kubeconfig.hpp"

#include <functional>
#include <string>

namespace weir::server::cluster {

class KubeClient {
 public:
  // `http` outlives the client and every request of it.
  KubeClient(scalers::clients::HttpClient& http, ClusterAccess access)
      : http_(http), access_(std::move(access)) {}

  // Each gives the server's reply, whatever its status; errors are those of HttpClient::send, and
  // refused when the token file cannot be read. `query` is encoded. Nothing of
  // the client is used once the call has returned.
  [[nodiscard]] awaitable<scalers::Result<scalers::clients::HttpReply>> get(const std::string& path,
                                                                            std::string query,
                                                                            Deadline deadline);
  [[nodiscard]] awaitable<scalers::Result<scalers::clients::HttpReply>>
  post(const std::string& path, std::string body, Deadline deadline);
  // A GET whose answer is handed to `on_chunk` as it comes, until that says false.
  [[nodiscard]] awaitable<scalers::Result<scalers::clients::HttpReply>> stream(
      const std::string& path,
      std::string query,
      std::function<bool(std::string)> on_chunk,
      Deadline deadline);

 private:
  [[nodiscard]] scalers::Result<scalers::clients::HttpRequest> request(
      const std::string& path) const;

  scalers::clients::HttpClient& http_;
  ClusterAccess access_;
};

}  // namespace weir::server::cluster
