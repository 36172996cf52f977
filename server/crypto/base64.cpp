// Decodes base64 with OpenSSL. Apart, so that callers do not include OpenSSL.
#include "server/crypto/base64.hpp"

#include <openssl/evp.h>

#include <cctype>
#include <cstddef>

namespace weir::server::cluster {

std::optional<std::string> base64_decoded(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  // EVP_DecodeBlock() fails unless the length is a multiple of 4.
  std::string out(text.size() / 4 * 3 + 1, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // EVP_DecodeBlock() counts the bytes of the padding as decoded ones.
  const auto padding = static_cast<std::size_t>(text.ends_with("==")  ? 2
                                                : text.ends_with('=') ? 1
                                                                      : 0);
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

}  // namespace weir::server::cluster
