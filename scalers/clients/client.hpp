// What Clients knows of each client that belongs to a backend: how to close it, and that its
// credentials may change. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"

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
  // Reads the credential files again, and logs in with changed ones beside the connections in use.
  // Called about once a second.
  virtual void check_credentials(SteadyTime now) = 0;
};

}  // namespace weir::scalers
