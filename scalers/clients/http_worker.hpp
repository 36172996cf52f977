// The thread behind HttpClient: runs libcurl's multi handle, takes transfers from a locked queue
// and posts their outcomes to the loop. Owned by HttpClient; its public functions are for the
// loop's thread.
#pragma once

#include "scalers/clients/http.hpp"
#include "scalers/clients/resolver.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

namespace weir::scalers::clients {

// One request on its way. Shared by the coroutine that waits for it and the worker's thread: until
// `done` is raised the fields below it belong to the loop, the rest to the worker once started.
struct HttpTransfer {
  HttpTransfer(Loop& loop, HttpRequest asked, Addresses found, Deadline due)
      : request(std::move(asked)), addresses(std::move(found)), deadline(due), done(loop) {}

  HttpRequest request;
  Addresses addresses;
  Deadline deadline;

  Signal done;
  Result<HttpReply> outcome = Error{Errc::unreachable, "the request was given up", ""};
  bool is_unconnected = false;  // the connect, or the TLS handshake, ran out of time
  bool is_given_up =
      false;  // loop's thread only: no further piece is wanted, the connection neither

  std::atomic<std::size_t> untaken_bytes{0};  // of a stream, posted and not yet taken; both threads
};

class HttpWorker {
 public:
  explicit HttpWorker(Loop& loop);
  HttpWorker(const HttpWorker&) = delete;
  HttpWorker& operator=(const HttpWorker&) = delete;
  ~HttpWorker();

  void start(const std::shared_ptr<HttpTransfer>& transfer);
  // The transfer's outcome is not wanted any more: its connection is closed.
  void cancel(const std::shared_ptr<HttpTransfer>& transfer);
  // Ends the thread; every transfer that was started is done afterwards.
  void close();

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace weir::scalers::clients
