// Audit ids: an id that the caller sent is echoed, within the bounds that Kubernetes sets.
#include "server/http/audit_id.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace weir::server {
namespace {

constexpr std::size_t kMaxBytes = 64;  // Kubernetes truncates longer ids

bool is_sane(std::string_view id) {
  return !id.empty() && id.size() <= kMaxBytes &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
}

// SplitMix64: its period is 2^64, so no id repeats within a session.
std::uint64_t next(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t out = state;
  out = (out ^ (out >> 30U)) * 0xbf58476d1ce4e5b9U;
  out = (out ^ (out >> 27U)) * 0x94d049bb133111ebU;
  return out ^ (out >> 31U);
}

}  // namespace

AuditIds::AuditIds() {
  std::array<unsigned char, sizeof(state_)> seed{};
  if (RAND_bytes(seed.data(), static_cast<int>(seed.size())) != 1)
    throw std::runtime_error("OpenSSL has no random bytes");
  std::memcpy(state_.data(), seed.data(), seed.size());
}

std::string AuditIds::of(const apiservice::Request& request) {
  const std::string_view header = request.header("audit-id");
  return is_sane(header) ? std::string(header) : generate();
}

std::string AuditIds::generate() {
  constexpr std::string_view kHex = "0123456789abcdef";
  // RFC 9562, 5.4: version 4 in bits 48 to 51, variant 10 in bits 64 and 65.
  const std::uint64_t high = (next(state_[0]) & 0xffffffffffff0fffU) | 0x4000U;
  const std::uint64_t low = (next(state_[1]) & 0x3fffffffffffffffU) | 0x8000000000000000U;
  std::string out(36, '-');
  std::size_t digit = 0;
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (at == 8 || at == 13 || at == 18 || at == 23) continue;
    const std::uint64_t half = digit < 16 ? high : low;
    out[at] = kHex[(half >> (60 - 4 * (digit % 16))) & 0xfU];
    ++digit;
  }
  return out;
}

}  // namespace weir::server
