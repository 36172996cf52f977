// What CMake knows about the build. In one small source of its own, which alone is compiled again
// after a commit.
#pragma once

#include <string_view>

namespace weir::server {

struct BuildInfo {
  std::string_view commit;       // 40 hex digits; empty for a build without git
  std::string_view commit_date;  // RFC 3339; empty for a build without git
  std::string_view type;         // of CMake, such as RelWithDebInfo
  std::string_view compiler;     // such as "Clang 19.1.7"
};

[[nodiscard]] BuildInfo build_info();

}  // namespace weir::server
