// The Audit-Id of a response: the same id is in the kube-apiserver's audit log and in Weir's. One
// generator a session, because OpenSSL's random generator costs more than a cached metric read.
#pragma once

#include "apiservice/request/http.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace weir::server {

class AuditIds {
 public:
  // Seeded by OpenSSL; throws std::runtime_error when that has no random bytes.
  AuditIds();

  // The request's Audit-ID header if it is 1 to 64 visible ASCII characters, else a generated id.
  [[nodiscard]] std::string of(const apiservice::Request& request);

  // A random UUID (RFC 9562, version 4), unique but not secret.
  [[nodiscard]] std::string generate();

 private:
  std::array<std::uint64_t, 2> state_{};
};

}  // namespace weir::server
