// OpenSSL's one-call functions: a signature needs five digests of short texts.
#include "scalers/clients/net/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace weir::scalers::clients {
namespace {

constexpr std::size_t kBytes = 32;

// It fails only without memory, or with an OpenSSL that has no SHA-256.
std::string bytes_of(const std::array<unsigned char, kBytes>& digest, bool is_made) {
  if (!is_made) throw std::runtime_error("OpenSSL has computed no SHA-256");
  return {digest.begin(), digest.end()};
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, kBytes> digest{};
  std::size_t size = 0;
  const bool is_made = EVP_Q_mac(nullptr,
                                 "HMAC",
                                 nullptr,
                                 "SHA256",
                                 nullptr,
                                 key.data(),
                                 key.size(),
                                 reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size(),
                                 digest.data(),
                                 digest.size(),
                                 &size) != nullptr;
  return bytes_of(digest, is_made && size == kBytes);
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, kBytes> digest{};
  std::size_t size = 0;
  const bool is_made =
      EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), digest.data(), &size) == 1;
  return hex(bytes_of(digest, is_made && size == kBytes));
}

std::string hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace weir::scalers::clients
