// The definitions are set for this source alone, in CMakeLists.txt.
#include "server/build_info.hpp"

namespace weir::server {

BuildInfo build_info() { return {WEIR_COMMIT, WEIR_COMMIT_DATE, WEIR_BUILD_TYPE, WEIR_COMPILER}; }

}  // namespace weir::server
