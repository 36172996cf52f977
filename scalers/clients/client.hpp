// What Clients knows of each client that belongs to a backend: how to close it. Loop thread only.
#pragma once

namespace weir::scalers {

// A client whose connections are closed at shutdown.
class Client {
 public:
  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() = default;
  // Ends every connection; later queries fail at once.
  virtual void close() = 0;
};

}  // namespace weir::scalers
