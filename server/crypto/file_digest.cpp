// SHA-256 over all files, because the digest stays in memory for as long as the process and must
// not reveal a private key.
#include "server/crypto/file_digest.hpp"

#include "scalers/text/key_writer.hpp"
#include "server/crypto/sha256.hpp"

#include <cstddef>
#include <fstream>
#include <string_view>

namespace weir::server {
namespace {

constexpr std::size_t kMaxReadBytes = 1024 * 1024;

}  // namespace

std::string file_digest(std::span<const std::string> paths) {
  scalers::KeyWriter contents(4096);
  std::string content(kMaxReadBytes, '\0');
  for (const std::string& path : paths) {
    std::ifstream file(path, std::ios::binary);
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    // Reading to the end sets eof and fail; a file that cannot be opened, or a folder, has no eof.
    const bool is_read = file.eof() || file.good();
    contents.add(is_read ? 1U : 0U);
    contents.add(std::string_view(content).substr(0, static_cast<std::size_t>(file.gcount())));
  }
  return cluster::sha256(contents.view());
}

}  // namespace weir::server
