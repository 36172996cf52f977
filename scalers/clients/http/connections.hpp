// The connections of the HTTP client: those that requests talk over, and those that are kept for
// the next ones. Loop thread only.
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

// Where a connection leads, and with which TLS.
struct HttpOrigin {
  StreamTarget target;
  TlsContext context;  // null: plain

  friend bool operator==(const HttpOrigin&, const HttpOrigin&) = default;
};

class HttpConnections : public std::enable_shared_from_this<HttpConnections> {
 public:
  using Counts = std::shared_ptr<ConnectionCounts>;  // may be null

  // A connection in the hands of one request: closed when it goes away, unless it was kept.
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
    // The connection may serve another request.
    void keep(SteadyTime now);
    // Closes it, counted by `reason`.
    void end(std::string_view reason);

   private:
    std::shared_ptr<HttpConnections> owner_;
    HttpOrigin origin_;
    std::shared_ptr<Stream>
        stream_;  // also owned by the limit of its request; null once given back
    Counts counts_;
  };

  explicit HttpConnections(Loop& loop) : loop_(loop) {}
  HttpConnections(const HttpConnections&) = delete;
  HttpConnections& operator=(const HttpConnections&) = delete;
  ~HttpConnections() = default;

  // A kept connection to `origin` on which nothing has come since its last reply; null: there is
  // none. It may have been lost without a sign.
  [[nodiscard]] std::unique_ptr<Lease> take(const HttpOrigin& origin, SteadyTime now);
  // A new connection. Errors as Stream::connect; Errc::unreachable once closed.
  [[nodiscard]] static awaitable<Result<std::unique_ptr<Lease>>> connect(
      std::shared_ptr<HttpConnections> self,
      HttpOrigin origin,
      Addresses addresses,
      Counts counts,
      Deadline deadline);
  // Ends every wait of connect() and of the leases' streams, and closes the kept ones.
  void close();
  [[nodiscard]] bool is_closed() const { return is_closed_; }

 private:
  struct Kept {
    HttpOrigin origin;
    std::shared_ptr<Stream> stream;
    Counts counts;
    SteadyTime since;
  };
  // Closes kept ones that are too old or not quiet any more, at most once a second.
  void prune(SteadyTime now);
  static void drop(const Kept& one, std::string_view reason);

  Loop& loop_;
  std::vector<Kept> kept_;                                 // the oldest first
  std::vector<Stream*> leased_;                            // each owned by its lease
  std::vector<std::shared_ptr<ConnectAttempt>> attempts_;  // each also owned by its connect()
  SteadyTime pruned_at_{};
  bool is_closed_ = false;
};

}  // namespace weir::scalers::clients
