// Happy Eyeballs (RFC 8305) over the addresses of one host. Loop thread only.
#pragma once

#include "scalers/clients/http/curl_transfer.hpp"
#include "scalers/clients/net/resolver.hpp"
#include "scalers/deadline.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <memory>

namespace weir::scalers::clients {

// The attempts at the addresses of one host, of which the first that connects sends the request.
class ConnectRace {
 public:
  explicit ConnectRace(Loop& loop) : loop_(loop), progress_(std::make_shared<Signal>(loop)) {}

  // A transfer is about to send its request. True for one of them alone.
  [[nodiscard]] bool claim(const CurlTransfer* transfer);
  // A transfer has ended.
  void note_end(const CurlTransfer* transfer, bool is_final);
  // True once a transfer has claimed the request, or failed in a way that the others would, too.
  [[nodiscard]] bool is_decided() const { return is_decided_; }
  // The transfer that has the outcome: the one that decided, else the last one that ended.
  [[nodiscard]] const CurlTransfer* chosen() const { return chosen_; }
  // Returns once an attempt has connected or failed, or after `budget`.
  [[nodiscard]] awaitable<void> wait_for_progress(Duration budget);

 private:
  void note_progress();

  Loop& loop_;
  std::shared_ptr<Signal> progress_;  // also owned by the coroutine that waits
  const CurlTransfer* chosen_ = nullptr;
  bool is_decided_ = false;
};

// Sends the request on a new connection to one of the addresses: the next one is tried once the one
// before has failed or 250 ms have passed, and the first that connects is used. The transfer is
// done; that of the last failure when none connects; nullptr without addresses. `may_reuse`: also
// on a connection of HTTP/2 that exists by then.
[[nodiscard]] awaitable<std::unique_ptr<CurlTransfer>> send_to_one(
    std::shared_ptr<CurlMulti> multi,
    std::shared_ptr<const HttpRequest> request,
    HttpOrigin origin,
    Addresses addresses,
    Duration connect_budget,
    Deadline deadline,
    bool may_reuse);

}  // namespace weir::scalers::clients
