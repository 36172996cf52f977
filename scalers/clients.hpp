// The clients that backends share, owned by the App and kept over reloads: connections and
// looked-up names live here.
#pragma once

#include "scalers/task.hpp"

#include <memory>

namespace weir::scalers {

namespace clients {
class HttpClient;
class Resolver;
}  // namespace clients

class Clients {
 public:
  explicit Clients(Loop& loop);
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;
  ~Clients();

  [[nodiscard]] clients::HttpClient& http() { return *http_; }
  // Ends everything under way: each waiting read gets Errc::unreachable, so that the loop can run
  // out of work.
  void close();

 private:
  std::unique_ptr<clients::Resolver> resolver_;
  std::unique_ptr<clients::HttpClient> http_;
};

}  // namespace weir::scalers
