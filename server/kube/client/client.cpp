#include "server/kube/client/client.hpp"

#include <utility>

namespace weir::server::cluster {
namespace {

using scalers::Result;
using scalers::Secret;
using scalers::clients::HttpClient;
using scalers::clients::HttpReply;
using scalers::clients::HttpRequest;

// A ConfigMap holds 1 MiB at most; its JSON is longer.
constexpr std::size_t kMaxReplyBytes = std::size_t{4} << 20;

awaitable<Result<HttpReply>> send(HttpClient& http,
                                  Result<HttpRequest> request,
                                  Deadline deadline) {
  if (!request) co_return request.error();
  auto reply = co_await http.send(std::move(*request), deadline);
  co_return reply;
}

}  // namespace

Result<HttpRequest> KubeClient::request(const std::string& path) const {
  HttpRequest out;
  out.url = access_.server;
  out.url.path += path;
  out.tls = access_.tls;
  out.pems = access_.pems;
  out.max_body_bytes = kMaxReplyBytes;
  // A kube-apiserver that has just started refuses good tokens for a moment.
  out.caches_unauthorized = false;
  out.headers.push_back({"Accept", Secret("application/json"), false});
  Secret token = access_.token;
  if (access_.token_file.is_set()) {
    auto read = access_.token_file.read();
    if (!read) return read.error();
    token = std::move(*read);
  }
  if (!token.reveal().empty())
    out.headers.push_back({"Authorization", Secret("Bearer " + token.reveal()), true});
  return out;
}

awaitable<Result<HttpReply>> KubeClient::get(const std::string& path,
                                             std::string query,
                                             Deadline deadline) {
  auto asked = request(path);
  if (asked) asked->query = std::move(query);
  return send(http_, std::move(asked), deadline);
}

awaitable<Result<HttpReply>> KubeClient::post(const std::string& path,
                                              std::string body,
                                              Deadline deadline) {
  auto asked = request(path);
  if (asked) {
    asked->method = "POST";
    asked->body = std::move(body);
    asked->headers.push_back({"Content-Type", Secret("application/json"), false});
  }
  return send(http_, std::move(asked), deadline);
}

awaitable<Result<HttpReply>> KubeClient::stream(const std::string& path,
                                                std::string query,
                                                std::function<bool(std::string)> on_chunk,
                                                Deadline deadline) {
  auto asked = request(path);
  if (asked) {
    asked->query = std::move(query);
    asked->on_chunk = std::move(on_chunk);
  }
  return send(http_, std::move(asked), deadline);
}

}  // namespace weir::server::cluster
