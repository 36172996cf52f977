// The HTTP client of every backend that speaks HTTP: libcurl's multi interface on one thread of its
// own, results, and the pieces of a stream, posted to the loop. The one exception to "everything on
// the loop": the queue between the two threads has a mutex. http and https only, HTTP/1.1 with kept
// connections, no redirects, no cookies, no proxy from the environment; names come from the
// Resolver, and the certificate is verified against the url's name.
#pragma once

#include "scalers/connection_counts.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/secret.hpp"
#include "scalers/settings.hpp"
#include "scalers/task.hpp"
#include "scalers/tls_files.hpp"
#include "scalers/url.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::scalers::clients {

class HttpGuard;
class HttpWorker;
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

// TLS material that stands in no file, as PEM text; each part that is set takes the place of the
// file of the same name in TlsFiles.
struct HttpPems {
  std::string ca;
  std::string certificate;
  Secret key;
};

struct HttpRequest {
  std::string method = "GET";  // GET or POST
  Url url;                     // scheme, host, port; path with the whole path
  std::string query;           // behind '?', encoded; empty: none
  std::string body;  // of a POST, as application/x-www-form-urlencoded unless a header says else
  std::vector<HttpHeader> headers;
  std::optional<std::pair<Secret, Secret>> basic;  // user and password
  TlsFiles tls;  // the CA bundle is read again after at most a minute
  HttpPems pems;
  std::size_t max_body_bytes = std::size_t{1} << 20;  // of the decompressed body
  // Tells backends of one origin apart: a login that one of them refused is not repeated there.
  std::string realm;
  bool is_refusal_kept =
      true;  // false: a login that was refused is shown again at the next request
  // Counts the connections that the request opened, failed to open or lost; may be null. libcurl
  // does not tell when it closes an idle one.
  std::shared_ptr<ConnectionCounts> counts;
  std::vector<std::string> hidden;  // texts that no error may show, beside the host and secrets
  // Called with the reply on the client's own thread, before send() ends: parses a large reply
  // without holding up the loop. It may touch only what it owns, until send() has ended.
  std::function<void(const HttpReply&)> digest;
  // Makes the request a stream: called on the loop with each piece of a 2xx body as it comes, never
  // behind the end of send(); the reply's own body is empty then. False ends the stream. Pieces
  // that the loop has not taken yet count against max_body_bytes, the whole stream does not: it
  // ends with too_large when they are over it. Connect and TLS get 10 s at most, the stream lasts
  // until its end or the deadline.
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
  // Ends every request under way with Errc::unreachable and stops the thread; later requests end at
  // once.
  void close();

 private:
  Loop& loop_;
  Resolver& resolver_;
  std::unique_ptr<HttpWorker> worker_;
  std::shared_ptr<HttpGuard> guard_;  // also owned by every request under way
};

// Every text of the request that no error may show: its host, its secrets, and `hidden`.
[[nodiscard]] std::vector<std::string> hidden_texts(const HttpRequest& request);

}  // namespace weir::scalers::clients
