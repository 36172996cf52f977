#include "apiservice/version.hpp"

#include "apiservice/encoding/json.hpp"

#include <utility>

namespace weir::apiservice {
namespace {

#if defined(__aarch64__)
constexpr std::string_view kPlatform = "linux/arm64";
#else
constexpr std::string_view kPlatform = "linux/amd64";
#endif

constexpr std::string_view kVersion = WEIR_VERSION;
constexpr std::string_view kMajor = kVersion.substr(0, kVersion.find('.'));
constexpr std::string_view kMinor =
    kVersion.substr(kMajor.size() + 1, kVersion.find('.', kMajor.size() + 1) - kMajor.size() - 1);

}  // namespace

std::string version_page(const VersionInfo& info) {
  const std::pair<std::string_view, std::string> fields[] = {
      {"major", std::string(kMajor)},
      {"minor", std::string(kMinor)},
      {"gitVersion", 'v' + std::string(kVersion)},
      {"gitCommit", std::string(info.git_commit)},
      {"gitTreeState", ""},
      {"buildDate", std::string(info.build_date)},
      {"goVersion", ""},
      {"compiler", std::string(info.compiler)},
      {"platform", std::string(kPlatform)},
  };
  std::string out = "{";
  for (const auto& [name, value] : fields) {
    out += out.size() == 1 ? "\n  " : ",\n  ";
    append_json_string(out, name);
    out += ": ";
    append_json_string(out, value);
  }
  return out + "\n}";
}

}  // namespace weir::apiservice
