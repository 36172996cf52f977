// The response of /version: Kubernetes' version.Info, which kubectl and client libraries parse.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::apiservice {

// What is known of the build beside its version; empty: unknown.
struct VersionInfo {
  std::string_view git_commit;  // 40 hex digits
  std::string_view build_date;  // RFC 3339
  std::string_view compiler;
};

// The JSON of version.Info, indented as Kubernetes indents it. gitTreeState and goVersion are
// empty: whether the sources had changes is unknown, and Go does not build Weir.
[[nodiscard]] std::string version_page(const VersionInfo& info);

}  // namespace weir::apiservice
