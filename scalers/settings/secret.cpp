// Reading the files, apart from the value because a Secret also comes from a kubeconfig or a
// header.
#include "scalers/settings/secret.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

namespace weir::scalers {
namespace {

// A credential is far smaller. The limit is for a path to something else, such as a device.
constexpr std::size_t kMaxSecretBytes = 64 * 1024;
// The kubelet replaces a mounted Secret by one rename, so that the second try normally succeeds.
constexpr int kPairTries = 5;

// Differs whenever a file was changed. stat() follows links, so that the replaced folder of a
// mounted Secret is noticed.
using FileState = std::array<std::int64_t, 5>;

std::optional<FileState> state_of(const std::string& path) {
  struct stat state {};
  if (::stat(path.c_str(), &state) != 0) return std::nullopt;
  return FileState{static_cast<std::int64_t>(state.st_dev),
                   static_cast<std::int64_t>(state.st_ino),
                   state.st_mtim.tv_sec,
                   state.st_mtim.tv_nsec,
                   state.st_size};
}

}  // namespace

Result<Secret> SecretFile::read() const {
  std::ifstream file(path_, std::ios::binary);
  if (!file) {
    const auto reason = std::error_code(errno, std::generic_category()).message();
    return Error{Errc::refused,
                 fmt::format("the credential file {} cannot be read: {}", path_, reason),
                 ""};
  }
  // One byte more than allowed, to notice a file that is too long.
  std::string bytes(kMaxSecretBytes + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kMaxSecretBytes) {
    return Error{Errc::refused, fmt::format("the credential file {} is over 64 KiB", path_), ""};
  }
  // Some editors of Windows write one of these in front of the text, where no server expects it.
  for (const std::string_view mark : {"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"}) {
    if (bytes.starts_with(mark)) {
      return Error{Errc::refused,
                   fmt::format("the credential file {} begins with a byte order mark; save it as "
                               "UTF-8 without BOM",
                               path_),
                   ""};
    }
  }
  // Editors end a file with a line end, which does not belong to the secret.
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r')) bytes.pop_back();
  // Without this check an empty password would mean a login without a password (Redis).
  if (bytes.empty())
    return Error{Errc::refused, fmt::format("the credential file {} is empty", path_), ""};
  return Secret(std::move(bytes));
}

Result<std::pair<Secret, Secret>> read_pair(const SecretFile& first, const SecretFile& second) {
  for (int tries = 0; tries < kPairTries; ++tries) {
    const auto first_before = state_of(first.path());
    const auto second_before = state_of(second.path());
    auto first_secret = first.read();
    if (!first_secret) return first_secret.error();
    auto second_secret = second.read();
    if (!second_secret) return second_secret.error();
    // Unchanged files were read in one state of their folder.
    if (first_before == state_of(first.path()) && second_before == state_of(second.path())) {
      return std::pair(std::move(*first_secret), std::move(*second_secret));
    }
  }
  return Error{Errc::refused,
               fmt::format("the credential files {} and {} change while they are read",
                           first.path(),
                           second.path()),
               ""};
}

}  // namespace weir::scalers
