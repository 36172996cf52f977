// Apart from the configuration, because callers write namespaces as well.
#include "scalers/text/dns_label.hpp"

#include <algorithm>

namespace weir::scalers {

bool is_dns_label(std::string_view text) {
  const auto is_inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, is_inner) &&
         text.front() != '-' && text.back() != '-';
}

}  // namespace weir::scalers
