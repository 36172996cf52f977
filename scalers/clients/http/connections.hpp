// The connection pool of the HTTP client: connections that requests hold as leases, and idle ones
// for the next requests. Loop thread only.
#pragma once

#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/net/stream.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace weir::scalers::clients {

// The server of a connection, and its TLS context.
struct HttpOrigin {
  StreamTarget target;
  TlsContext context;  // null: plain

  friend bool operator==(const HttpOrigin&, const HttpOrigin&) = default;
};

class HttpConnections : public std::enable_shared_from_this<HttpConnections> {
 public:
  using Counts = std::shared_ptr<ConnectionCounts>;  // may be null

  // A connection that one request holds. Closed by the destructor, unless keep() was called.
  class Lease {
   public:
    Lease(std::shared_ptr<HttpConnections> owner,
          HttpOrigin origin,
          std::shared_ptr<Stream> stream,
          Counts counts);
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

    [[nodiscard]] const std::shared_ptr<Stream>& stream() const { return stream_; }
    // Returns the connection to the pool for another request.
    void keep(SteadyTime now);
    // Closes it, counted by `reason`.
    void end(std::string_view reason);

   private:
    std::shared_ptr<HttpConnections> owner_;
    HttpOrigin origin_;
    std::shared_ptr<Stream> stream_;  // also owned by the expiry of its request; null once returned
    Counts counts_;
  };

  explicit HttpConnections(Loop& loop) : loop_(loop) {}
  HttpConnections(const HttpConnections&) = delete;
  HttpConnections& operator=(const HttpConnections&) = delete;
  ~HttpConnections() = default;

  // An idle connection to `origin` without unsolicited data; null: there is none. The server may
  // have closed it all the same: that shows only when it is used.
  [[nodiscard]] std::unique_ptr<Lease> take(const HttpOrigin& origin, SteadyTime now);
  // A new connection. Errors as Stream::connect; Errc::unreachable once closed.
  [[nodiscard]] static awaitable<Result<std::unique_ptr<Lease>>> connect(
      std::shared_ptr<HttpConnections> self,
      HttpOrigin origin,
      Addresses addresses,
      Counts counts,
      Deadline deadline);
  // Ends every wait of connect() and of the leases' streams, and closes the idle connections.
  void close();
  [[nodiscard]] bool is_closed() const { return is_closed_; }

 private:
  struct Idle {
    HttpOrigin origin;
    std::shared_ptr<Stream> stream;
    Counts counts;
    SteadyTime since;
  };
  // Closes idle connections that are too old or have received data, at most once a second.
  void prune(SteadyTime now);
  static void drop(const Idle& connection, std::string_view reason);

  Loop& loop_;
  std::vector<Idle> idle_;                                 // the oldest first, at most 64
  std::vector<Stream*> leased_;                            // each owned by its lease
  std::vector<std::shared_ptr<ConnectAttempt>> attempts_;  // each also owned by its connect()
  SteadyTime pruned_at_{};
  bool is_closed_ = false;
};

}  // namespace weir::scalers::clients
