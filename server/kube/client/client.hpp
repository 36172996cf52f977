// A client of the kube-apiserver: JSON over the HTTP client, with the token or client certificate
// of the account. Owned by Cluster; loop thread only.
#pragma once

#include "scalers/clients/clients.hpp"
#include "scalers/clients/http/client.hpp"
#include "scalers/clients/http/proxy_rules.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"
#include "server/kube/client/kubeconfig.hpp"

#include <functional>
#include <string>

namespace weir::server::cluster {

class KubeClient {
 public:
  // `clients` outlives the client and every request of it.
  KubeClient(scalers::Clients& clients, ClusterAccess access);

  // The proxy of proxy-url, or else that of the environment, as in client-go.
  [[nodiscard]] const scalers::clients::ProxyChoice& proxy() const { return proxy_; }

  // Each returns the response of any status. Errors are those of HttpClient::send, and refused when
  // the token file cannot be read. `query` is encoded. The client is not used after the call has
  // returned its awaitable.
  [[nodiscard]] awaitable<scalers::Result<scalers::clients::HttpReply>> get(const std::string& path,
                                                                            std::string query,
                                                                            Deadline deadline);
  [[nodiscard]] awaitable<scalers::Result<scalers::clients::HttpReply>>
  post(const std::string& path, std::string body, Deadline deadline);
  // A GET whose response is passed to `on_chunk` as it arrives, until that returns false.
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
  scalers::clients::ProxyChoice proxy_;
};

}  // namespace weir::server::cluster
