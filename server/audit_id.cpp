#include "server/audit_id.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

namespace weir::server {
namespace {

constexpr std::size_t kMaxBytes = 64;  // where Kubernetes cuts it

bool is_sane(std::string_view id) {
  return !id.empty() && id.size() <= kMaxBytes &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string audit_id_of(const apiservice::Request& request) {
  const std::string_view asked = request.header("audit-id");
  return is_sane(asked) ? std::string(asked) : new_audit_id();
}

std::string new_audit_id() {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kDashBefore = "\x04\x06\x08\x0a";
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("OpenSSL has no random bytes");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0fU) | 0x40U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3fU) | 0x80U);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (kDashBefore.find(static_cast<char>(i)) != kDashBefore.npos) out += '-';
    out += kHex[bytes[i] >> 4U];
    out += kHex[bytes[i] & 0xfU];
  }
  return out;
}

}  // namespace weir::server
