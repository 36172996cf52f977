// Tells whether files have changed, by their content: a mounted Secret gets new inodes and times
// also when nothing in it changes.
#pragma once

#include <span>
#include <string>

namespace weir::server {

// A digest of the contents, in which a file that cannot be read counts as a content of its own.
[[nodiscard]] std::string file_digest(std::span<const std::string> paths);

}  // namespace weir::server
