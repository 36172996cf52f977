// SHA-256 over all files, because the digest stays in memory for as long as the process and must
// not reveal a private key.
#include "server/crypto/file_digest.hpp"

#include "server/crypto/c_deleter.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>

namespace weir::server {
namespace {

using Digest = std::unique_ptr<EVP_MD_CTX, CDeleter<EVP_MD_CTX_free>>;

// Bounds what one call reads: a path may be of a device.
constexpr std::uint64_t kMaxReadBytes = std::uint64_t{16} * 1024 * 1024;

void add(EVP_MD_CTX* digest, const std::string& path) {
  std::array<char, std::size_t{16} * 1024> piece{};
  std::ifstream file(path, std::ios::binary);
  std::uint64_t size = 0;
  while (file && size < kMaxReadBytes) {
    file.read(piece.data(), piece.size());
    const auto count = static_cast<std::size_t>(file.gcount());
    EVP_DigestUpdate(digest, piece.data(), count);
    size += count;
  }
  // The end keeps files apart. A file that cannot be opened, or a folder, has no end of file.
  const std::uint64_t end = file.eof() || size > 0 ? size : kMaxReadBytes + 1;
  EVP_DigestUpdate(digest, &end, sizeof end);
  OPENSSL_cleanse(piece.data(), piece.size());
}

}  // namespace

std::string file_digest(std::span<const std::string> paths) {
  const Digest digest(EVP_MD_CTX_new());
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  for (const std::string& path : paths) add(digest.get(), path);
  EVP_DigestFinal_ex(digest.get(), out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace weir::server
