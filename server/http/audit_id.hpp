// The Audit-Id of an answer, by which a kube-apiserver's audit log and ours are laid side by side.
// One source a session: the random generator of OpenSSL, asked for each answer, would cost more
// than reading a kept metric.
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

  // What the request's Audit-ID header says when it is 1 to 64 visible ASCII characters, else a new
  // one.
  [[nodiscard]] std::string of(const apiservice::Request& request);

  // A random UUID (RFC 9562, version 4), unique but no secret.
  [[nodiscard]] std::string make();

 private:
  std::array<std::uint64_t, 2> state_{};
};

}  // namespace weir::server
