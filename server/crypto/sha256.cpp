// SHA-256 by OpenSSL. Apart, so that callers do not include OpenSSL.
#include "server/crypto/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace weir::server::cluster {

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  // Fetched once, because EVP_sha256() makes OpenSSL 3 look up its provider at every digest.
  static EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (kSha256 == nullptr) throw std::runtime_error("OpenSSL has no SHA-256");
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, kSha256, nullptr) != 1)
    throw std::runtime_error("OpenSSL failed to compute a SHA-256 digest");
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace weir::server::cluster
