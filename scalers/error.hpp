// The closed set of ways a read can fail, and the value that carries one.
// Pure words: no IO, no threads. Every room includes this file; `apiservice/meta/status` alone maps
// Errc to HTTP.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace weir::scalers {

enum class Errc {
  unknown_metric,  // no metric of that name for that namespace in the configuration
  unknown_object,  // the backend has no such queue, stream or table
  bad_request,     // the caller's selector or label, or the config author's query, is wrong
  no_value,        // there is no series, message or row; never an absent or null value
  not_a_number,    // NaN, or an infinity
  negative,        // below zero where the metric does not allow it
  out_of_range,    // beyond what the HPA's int64 milli arithmetic holds
  too_many,        // more series or items than the metric expects
  too_large,       // the reply is over its size cap
  stale,           // the newest sample is older than the metric allows
  partial,         // the backend says that its answer is incomplete, or a value is absent or null
  bad_reply,       // the reply is not what the protocol promises
  timed_out,       // the deadline passed
  overloaded,      // the backend's in-flight cap and queue are full
  unreachable,     // name look-up, connect, or a lost connection
  tls,             // certificate, host name or handshake
  refused,         // the backend refuses the credentials
  forbidden,       // the backend knows the login, which may not ask this object
  settling,        // the backend recovered a moment ago, and its values are ignored yet
  misconfigured,   // its part of the configuration has problems and is not in use
};

// The code's own name, for logs and telemetry: "no_value".
[[nodiscard]] std::string_view name_of(Errc code);

// What went wrong with one read. Every field may reach any caller of the API: it names the backend
// as the config names it, objects, series and labels; it never holds a host, a port, a user, a
// secret or the query.
struct Error {
  Errc code;
  std::string detail;  // our words: what was asked of whom, what came back, what to do
  std::string remote;  // the remote's own words, bounded and redacted (scalers/text/redact); empty
                       // when there are none

  // The same error with `context` and ": " before its detail.
  [[nodiscard]] Error within(std::string_view context) const;
  // detail, and behind ": " the remote's words when there are any.
  [[nodiscard]] std::string message() const;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = boost::system::result<T, Error>;

// Called by Result<T>::value() on an error: a bug in the caller, which has to test first.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

}  // namespace weir::scalers
