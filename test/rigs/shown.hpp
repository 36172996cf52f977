// Errors as one text, so that a table row holds the exact message and a failed check shows both.
#pragma once

#include "scalers/error.hpp"

#include <string>

namespace weir::test {

// "code: detail", followed by " <remote>" when there is a remote text.
inline std::string shown(const scalers::Error& error) {
  std::string out = std::string(scalers::name_of(error.code)) + ": " + error.detail;
  return error.remote.empty() ? out : out + " <" + error.remote + ">";
}

template <class T>
std::string shown(const scalers::Result<T>& result) {
  return result ? "a value" : shown(result.error());
}

}  // namespace weir::test
