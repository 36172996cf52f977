// What Clients knows of each client that a backend has for itself: how to end it. Loop thread only.
#pragma once

namespace weir::scalers {

// A client whose connections the end of the program closes.
class Client {
 public:
  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() = default;
  // Ends every connection; later questions fail at once.
  virtual void close() = 0;
};

}  // namespace weir::scalers
