// A record as CSV (RFC 4180): one line for each reading, error or state of an HPA, so that the file
// is complete after every line. Pure.
#pragma once

#include "server/commands/record/timeline.hpp"

#include <string>
#include <string_view>

namespace weir::server::record {

// RFC 4180, 2.1.
inline constexpr const char* kCsvLineEnd = "\r\n";
// `field` with quotes where it needs them.
[[nodiscard]] std::string csv_field(const std::string& field);

// The names of the columns, with a line end.
[[nodiscard]] std::string csv_head();
// A line for each reading of the sample, or one for its error.
[[nodiscard]] std::string csv_of(std::string_view metric, const Sample& sample);
[[nodiscard]] std::string csv_of(std::string_view hpa, const HpaSample& sample);

}  // namespace weir::server::record
