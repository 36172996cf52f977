// The names of the codes, which are a contract with logs and alerts, and the text of an error.
#include "scalers/error.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace weir::scalers {

std::string_view name_of(Errc code) {
  // Without a default, so that the compiler finds a code without a name.
  switch (code) {
    case Errc::unknown_metric: return "unknown_metric";
    case Errc::unknown_object: return "unknown_object";
    case Errc::bad_request: return "bad_request";
    case Errc::no_value: return "no_value";
    case Errc::not_a_number: return "not_a_number";
    case Errc::negative: return "negative";
    case Errc::out_of_range: return "out_of_range";
    case Errc::too_many: return "too_many";
    case Errc::too_large: return "too_large";
    case Errc::stale: return "stale";
    case Errc::partial: return "partial";
    case Errc::bad_reply: return "bad_reply";
    case Errc::timed_out: return "timed_out";
    case Errc::overloaded: return "overloaded";
    case Errc::unreachable: return "unreachable";
    case Errc::tls: return "tls";
    case Errc::refused: return "refused";
    case Errc::forbidden: return "forbidden";
    case Errc::settling: return "settling";
    case Errc::misconfigured: return "misconfigured";
  }
  return "unknown";
}

Error Error::within(std::string_view context) const {
  return {code, fmt::format("{}: {}", context, detail), remote};
}

std::string Error::message() const {
  return remote.empty() ? detail : fmt::format("{}: {}", detail, remote);
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::logic_error(fmt::format("{}:{}: value() of an error: {}",
                                     where.file_name(),
                                     where.line(),
                                     error.message()));
}

}  // namespace weir::scalers
