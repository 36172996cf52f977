// Secrets: values without any conversion to text, and the files that hold them. Runs on the loop; a
// read is one small local file. A Secret cannot reach a log or a Status by accident, because only
// reveal() returns its bytes.
#pragma once

#include "scalers/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace weir::scalers {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  // The bytes themselves: for the wire of the backend the secret belongs to, and nothing else.
  [[nodiscard]] const std::string& reveal() const { return bytes_; }

 private:
  std::string bytes_;
};

// A file with one secret, named in the configuration. It is read at each use, so that a rotated
// secret takes effect at once.
class SecretFile {
 public:
  // What of the file is the secret: all of it, or the user or the password of the url in it.
  enum class Part { whole, url_user, url_password };

  SecretFile() = default;
  // `url_shape`: of the url that the login belongs to (shape_of); 0: whatever the url is.
  explicit SecretFile(std::string path, Part part = Part::whole, std::size_t url_shape = 0)
      : path_(std::move(path)), part_(part), url_shape_(url_shape) {}

  [[nodiscard]] bool is_set() const { return !path_.empty(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // The content without trailing line ends. Errc::refused when it cannot be read, is empty or is
  // over 64 KiB, or has the url of another server. Callers of the API may see the error, so it does
  // not name the file.
  [[nodiscard]] Result<Secret> read() const;
  // Why read() fails, with the path, for the log and `weir check`; empty: it does not.
  [[nodiscard]] std::string problem() const;

  friend bool operator==(const SecretFile&, const SecretFile&) = default;

 private:
  std::string path_;
  Part part_ = Part::whole;
  std::size_t url_shape_ = 0;
};

// The end of an error about a file, whose path is not for every caller of the API.
inline constexpr std::string_view kFileIsInLog = "; the log of Weir names the file";

// Both secrets from the same state of their folder: an old user name is never paired with a new
// password, even while kubelet replaces a mounted Secret. Errc::refused as SecretFile::read, and
// when the files change on every try.
[[nodiscard]] Result<std::pair<Secret, Secret>> read_pair(const SecretFile& first,
                                                          const SecretFile& second);

}  // namespace weir::scalers
