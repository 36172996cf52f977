// The HTTP client of every backend that speaks HTTP, and of the kube-apiserver: HTTP/1.1 over kept
// connections, Beast's parser for what comes back. http and https only, no redirects, no cookies,
// no compression, no proxy; names come from the Resolver, and the certificate is verified against
// the url's name. Everything is on the loop, but that large replies are digested on one thread of
// their own.
#pragma once

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
};

struct HttpHeader {
  std::string name;
  Secret value;
  bool is_secret = false;  // shows in no error
};

struct HttpRequest {
  std::string method = "GET";  // GET or POST
  Url url;                     // scheme, host, port; path with the whole path
  std::string query;           // behind '?', encoded; empty: none
  std::string body;  // of a POST, as application/x-www-form-urlencoded unless a header says else
  std::vector<HttpHeader> headers;
  std::optional<std::pair<Secret, Secret>> basic;  // user and password
  TlsFiles tls;  // read again once they change; connections made with the old ones are left
  TlsPems pems;
  std::size_t max_body_bytes = std::size_t{1} << 20;
  // Tells backends of one origin apart: a login that one of them refused is not repeated there.
  std::string realm;
  bool is_refusal_kept =
      true;  // false: a login that was refused is shown again at the next request
  // Counts the connections that the request opens or fails to open, and how those end; may be null.
  std::shared_ptr<ConnectionCounts> counts;
  std::vector<std::string> hidden;  // texts that no error may show, beside the host and secrets
  // Called with the reply before send() ends; of a reply over 16 KiB on the client's own thread, so
  // that parsing it does not hold up the loop. It may touch only what it owns until send() has
  // ended with a reply, and for ever when that ends without one, at its deadline.
  std::function<void(const HttpReply&)> digest;
  // Makes the request a stream: called with each piece of a 2xx body as it comes, never behind the
  // end of send(); the reply's own body is empty then. False ends the stream. A piece is what came
  // at once, 128 KiB at most; the whole stream has no limit. Connect and TLS get 10 s at most, the
  // stream lasts until its end or the deadline.
  std::function<bool(std::string)> on_chunk;
};

class HttpClient {
 public:
  HttpClient(Loop& loop, Resolver& resolver);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  // The server's reply, whatever its status. A 401 to credentials comes back for 30 s, or until
  // they change, without being asked again; a host that let a connect run out is unreachable for
  // 2 s without a try. Errc::unreachable (look-up, connect, lost connection),
  // tls, timed_out at the deadline, too_large over max_body_bytes, bad_reply when it isn't HTTP. No
  // error names the host.
  [[nodiscard]] awaitable<Result<HttpReply>> send(HttpRequest request, Deadline deadline);
  // Ends every request under way with Errc::unreachable and closes the kept connections; later
  // requests end at once.
  void close();

 private:
  struct State;
  struct Performed;
  static awaitable<Performed> perform(std::shared_ptr<State> state,
                                      Resolver& resolver,
                                      std::shared_ptr<const HttpRequest> request,
                                      Deadline deadline);
  static awaitable<Result<HttpReply>> digest(std::shared_ptr<State> state,
                                             std::shared_ptr<const HttpRequest> request,
                                             HttpReply reply,
                                             Deadline deadline);

  Resolver& resolver_;
  std::shared_ptr<State> state_;  // also owned by every request under way
};

// Every text of the request that no error may show: its host, its secrets, and `hidden`.
[[nodiscard]] std::vector<std::string> hidden_texts(const HttpRequest& request);

}  // namespace weir::scalers::clients
