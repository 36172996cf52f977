// Adds credentials to requests. Member functions are not coroutines, so the client may be destroyed
// while a request is in flight.
#include "server/kube/client/client.hpp"

#include <utility>

namespace weir::server::cluster {
namespace {

using scalers::Result;
using scalers::Secret;
using scalers::clients::HttpClient;
using scalers::clients::HttpReply;
using scalers::clients::HttpRequest;

// A ConfigMap has 1 MiB at most; escaped as JSON it is longer.
constexpr std::size_t kMaxReplyBytes = std::size_t{4} << 20;

awaitable<Result<HttpReply>> send(HttpClient& http,
                                  Result<HttpRequest> request,
                                  Deadline deadline) {
  if (!request) co_return request.error();
  auto reply = co_await http.send(std::move(*request), deadline);
  co_return reply;
}

}  // namespace

KubeClient::KubeClient(scalers::Clients& clients, ClusterAccess access)
    : http_(clients.http()),
      access_(std::move(access)),
      proxy_(access_.proxy ? scalers::clients::ProxyChoice{access_.proxy, "proxy-url"}
                           : clients.proxies().choose(access_.server)) {}

Result<HttpRequest> KubeClient::request(const std::string& path) const {
  HttpRequest out;
  out.url = access_.server;
  // The server may have a path of its own, where one proxy serves several clusters.
  out.url.path += path;
  out.tls = access_.tls;
  out.pems = access_.pems;
  out.proxy = proxy_.proxy;
  out.max_body_bytes = kMaxReplyBytes;
  // Not cached, because a kube-apiserver that has just started rejects valid tokens for a moment.
  out.caches_unauthorized = false;
  out.headers.push_back({"Accept", Secret("application/json"), false});
  Secret token = access_.token;
  if (access_.token_file.is_set()) {
    // Read for each request, because the kubelet replaces the token before it expires.
    auto text = access_.token_file.read();
    // Only this request fails: the next one reads the file again.
    if (!text) return text.error();
    token = std::move(*text);
  }
  // Marked as secret, so that it is removed from the texts of errors.
  if (!token.reveal().empty())
    out.headers.push_back({"Authorization", Secret("Bearer " + token.reveal()), true});
  return out;
}

awaitable<Result<HttpReply>> KubeClient::get(const std::string& path,
                                             std::string query,
                                             Deadline deadline) {
  auto http_request = request(path);
  if (http_request) http_request->query = std::move(query);
  return send(http_, std::move(http_request), deadline);
}

awaitable<Result<HttpReply>> KubeClient::post(const std::string& path,
                                              std::string body,
                                              Deadline deadline) {
  auto http_request = request(path);
  if (http_request) {
    http_request->method = "POST";
    http_request->body = std::move(body);
    http_request->headers.push_back({"Content-Type", Secret("application/json"), false});
  }
  return send(http_, std::move(http_request), deadline);
}

awaitable<Result<HttpReply>> KubeClient::stream(const std::string& path,
                                                std::string query,
                                                std::function<bool(std::string)> on_chunk,
                                                Deadline deadline) {
  auto http_request = request(path);
  if (http_request) {
    http_request->query = std::move(query);
    http_request->on_chunk = std::move(on_chunk);
  }
  return send(http_, std::move(http_request), deadline);
}

}  // namespace weir::server::cluster
