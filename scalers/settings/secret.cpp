// Reading the files, apart from the value because a Secret also comes from a kubeconfig or a
// header.
#include "scalers/settings/secret.hpp"

#include "scalers/settings/url.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <variant>

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

// The secret, or what is wrong with the file.
std::variant<Secret, std::string> content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  // One byte more than allowed, to notice a longer file. A folder opens, and its first read fails.
  std::string bytes(kMaxSecretBytes + 1, '\0');
  if (file) file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file && !file.eof()) {
    return fmt::format("cannot be read: {}",
                       std::error_code(errno, std::generic_category()).message());
  }
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kMaxSecretBytes) return "is over 64 KiB";
  // Some editors of Windows write one of these in front of the text, where no server expects it.
  for (const std::string_view mark : {"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"}) {
    if (bytes.starts_with(mark))
      return "begins with a byte order mark; save it as UTF-8 without BOM";
  }
  // Editors end a file with a line end, which does not belong to the secret.
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r')) bytes.pop_back();
  // Without this check an empty password would mean a login without a password (Redis).
  if (bytes.empty()) return "is empty";
  return Secret(std::move(bytes));
}

// The part of the url in the file that is the secret.
std::variant<Secret, std::string> part_of(const Secret& url,
                                          SecretFile::Part part,
                                          std::size_t url_shape) {
  auto split = split_login(url.reveal());
  if (!split) return "has an invalid escape in the user or password of its url";
  if (url_shape != 0 && shape_of(*split) != url_shape)
    return "has the url of another server now, which is not in use yet";
  const bool is_user = part == SecretFile::Part::url_user;
  std::string& secret = is_user ? split->user : split->password;
  if (secret.empty()) return fmt::format("has a url without {}", is_user ? "user" : "password");
  return Secret(std::move(secret));
}

std::variant<Secret, std::string> secret_of(const std::string& path,
                                            SecretFile::Part part,
                                            std::size_t url_shape) {
  auto content = content_of(path);
  const auto* whole = std::get_if<Secret>(&content);
  if (whole == nullptr || part == SecretFile::Part::whole) return content;
  return part_of(*whole, part, url_shape);
}

}  // namespace

Result<Secret> SecretFile::read() const {
  auto content = secret_of(path_, part_, url_shape_);
  if (auto* secret = std::get_if<Secret>(&content)) return std::move(*secret);
  return Error{Errc::refused,
               fmt::format("a credential file {}{}", std::get<std::string>(content), kFileIsInLog),
               ""};
}

std::string SecretFile::problem() const {
  const auto content = secret_of(path_, part_, url_shape_);
  const auto* why = std::get_if<std::string>(&content);
  return why == nullptr ? "" : fmt::format("the credential file {} {}", path_, *why);
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
               fmt::format("the credential files change while they are read{}", kFileIsInLog),
               ""};
}

}  // namespace weir::scalers
