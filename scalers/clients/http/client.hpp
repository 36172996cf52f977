// The HTTP client of every backend that speaks HTTP, and of the kube-apiserver: libcurl on the
// loop, over persistent connections. http and https only, no redirects, no cookies, no compression,
// and nothing from the environment; names come from the Resolver, and the certificate is verified
// against the url's name. Runs on the loop, except that large replies are parsed on one thread of
// their own.
#pragma once

#include "scalers/clients/http/proxy.hpp"
#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/net/tls.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/settings/url.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::scalers::clients {

class Resolver;

struct HttpReply {
  long status = 0;
  std::string body;
  // How far the server's clock was ahead of ours by its header Date, which has full seconds. Of
  // errors alone (a status from 400 on); nullopt: unknown.
  std::optional<WallTime::duration> clock_ahead = {};
};

struct HttpHeader {
  std::string name;
  Secret value;
  bool is_secret = false;  // removed from every error
};

struct HttpRequest {
  std::string method = "GET";  // GET or POST
  Url url;                     // scheme, host, port; path with the whole path
  // Numeric: the one of the host's addresses to ask, without a lookup and never by a proxy; empty:
  // any of them.
  std::string address;
  std::string query;  // after '?', encoded; empty: none
  std::string body;   // of a POST; application/x-www-form-urlencoded unless a header says otherwise
  std::vector<HttpHeader> headers;
  std::optional<std::pair<Secret, Secret>> basic;  // user and password
  TlsFiles tls;  // read again once they change; open connections are not closed by a change
  TlsPems pems;
  std::shared_ptr<const Proxy> proxy;  // null: a direct connection
  // HTTP/2, if the server agrees to it in the TLS handshake: requests share a connection. Only for
  // bodies whose format shows a missing end, such as JSON: a server can end one with NO_ERROR.
  bool is_http2 = false;
  std::size_t max_body_bytes = std::size_t{1} << 20;
  const char* if_too_large = "";  // what to do about a larger body: "query fewer series"
  // Distinguishes backends of one origin: credentials that one of them rejected (401) may be valid
  // for another one.
  std::string auth_scope;
  // False: credentials that were rejected are sent again with the next request.
  bool caches_unauthorized = true;
  // Counts the connections that the request opens or fails to open, and how those end; may be null.
  std::shared_ptr<ConnectionCounts> counts;
  std::vector<std::string> redactions;  // removed from errors, beside the host and the secrets
  // Called with the reply before send() returns; for a reply over 16 KiB on the client's own
  // thread, because parsing it would block the loop. It may touch only what it owns until send()
  // has returned a reply, and also later when send() returned an error, because it may still run
  // then.
  std::function<void(const HttpReply&)> on_reply;
  // Makes the request a stream: called with each piece of a 2xx body as it arrives, never after
  // send() has returned; the reply's own body is empty then. Returning false ends the stream. A
  // piece has 16 KiB at most; the stream has no size limit. Connecting takes 10 s at most, the
  // stream lasts until its end or the deadline. It must not call the client.
  std::function<bool(std::string)> on_chunk;
};

class HttpClient {
 public:
  HttpClient(Loop& loop,
             Resolver& resolver,
             std::shared_ptr<TlsContexts> contexts = std::make_shared<TlsContexts>());
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  // The server's reply, whatever its status. A 401 is cached for 30 s, or until the credentials
  // change; after a connect timeout the host counts as unreachable for 2 s without an attempt.
  // Errc::unreachable (lookup, connect, lost connection), tls, timed_out at the deadline, too_large
  // over max_body_bytes, bad_reply when the response is not HTTP. No error names the host.
  [[nodiscard]] awaitable<Result<HttpReply>> send(HttpRequest request, Deadline deadline);
  // Ends every request in flight with Errc::unreachable and closes the idle connections; later
  // requests fail at once.
  void close();

 private:
  struct State;
  static awaitable<Result<HttpReply>> run_on_reply(std::shared_ptr<State> state,
                                                   std::shared_ptr<const HttpRequest> request,
                                                   HttpReply reply,
                                                   Deadline deadline);

  Resolver& resolver_;
  std::shared_ptr<State> state_;  // also owned by every request in flight
};

// Every text of the request that must not appear in an error: host, secrets, and `redactions`.
[[nodiscard]] std::vector<std::string> redactions_of(const HttpRequest& request);

}  // namespace weir::scalers::clients
