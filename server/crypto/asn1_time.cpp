// One conversion for the serving certificate, the clients' and those that doctor reads, because an
// expiry has to mean the same in /metrics, in the log and in a finding.
#include "server/crypto/asn1_time.hpp"

#include <openssl/asn1.h>

#include <chrono>
#include <ctime>

namespace weir::server {

std::optional<WallTime> wall_time_of(const ASN1_TIME* time) {
  std::tm parts{};
  // OpenSSL takes a null pointer for the current time.
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  // Times of certificates are in UTC, hence timegm().
  const std::chrono::sys_seconds seconds{std::chrono::seconds(::timegm(&parts))};
  // Compared in seconds, because 64 bits of nanoseconds end in the year 2262, and a certificate
  // without a well-defined end has the year 9999 (RFC 5280 section 4.1.2.5).
  if (seconds > std::chrono::floor<std::chrono::seconds>(WallTime::max())) return WallTime::max();
  if (seconds < std::chrono::ceil<std::chrono::seconds>(WallTime::min())) return WallTime::min();
  return seconds;
}

}  // namespace weir::server
