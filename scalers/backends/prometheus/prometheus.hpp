// The pure parts of the prometheus scaler: the query with its parameters, and the parsing of a
// reply. No IO.
#pragma once

#include "scalers/error.hpp"
#include "scalers/kind.hpp"
#include "scalers/promql/selectors.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/parameters.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/value_readers.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::backends::prometheus {

enum class Aggregate { none, sum, max, min, avg };
enum class Warnings { error, allow };

// A PromQL query with $(label) parameters. A parameter may only be inside a quoted string, where
// its value is escaped so that it stays one string; after =~ and !~ and in the pattern of
// label_replace it is also regex-quoted.
class QueryTemplate {
 public:
  // Adds a problem for each parameter elsewhere or without a declared label. `mark` is the position
  // of the text.
  [[nodiscard]] static QueryTemplate parse(std::string_view text,
                                           const Mark& mark,
                                           ParameterNames& names,
                                           Problems& problems);
  // `parameters` has a value for each name that parse() accepted.
  [[nodiscard]] std::string render(const Parameters& parameters) const;

  enum class Quoting { none, text, regex };
  struct Piece {
    Quoting quoting;   // none: literal text
    std::string text;  // the literal, or the parameter's name
    char quote;        // the string's own quote, for a parameter
  };

 private:
  std::vector<Piece> pieces_;
};

// The value in a response of /api/v1/query with HTTP `status`. Errc::too_many for several series
// without `aggregate`.
// Errc::no_value (no series), too_many, partial (warnings, or a null), bad_request (bad_data: the
// query itself), timed_out, overloaded, refused, unreachable, bad_reply. No error contains one of
// the `redactions`. A series that has the label of one of the `matchers` (equality_matchers of the
// query) with another value is a bad_reply.
[[nodiscard]] Result<Sample> parse_reply(long status,
                                         std::string_view body,
                                         Aggregate aggregate,
                                         Warnings warnings,
                                         std::span<const std::string> redactions,
                                         std::span<const promql::Matcher> matchers = {});

// The query for the seconds since the newest sample that `selector` matches.
[[nodiscard]] std::string age_query(std::string_view selector);
// The age in the reply to age_query(). Errc::stale when the newest sample is older than `limit`, or
// there is none; other errors are passed on.
[[nodiscard]] Result<DataAge> check_age(const Result<Sample>& reply, Duration limit);

}  // namespace weir::scalers::backends::prometheus

namespace weir::scalers {

template <>
struct EnumNames<backends::prometheus::Aggregate> {
  using Aggregate = backends::prometheus::Aggregate;
  static constexpr std::string_view kTypeName = "sum | max | min | avg";
  static constexpr std::array<std::pair<std::string_view, Aggregate>, 4> kNames{{
      {"sum", Aggregate::sum},
      {"max", Aggregate::max},
      {"min", Aggregate::min},
      {"avg", Aggregate::avg},
  }};
};

template <>
struct EnumNames<backends::prometheus::Warnings> {
  using Warnings = backends::prometheus::Warnings;
  static constexpr std::string_view kTypeName = "error | allow";
  static constexpr std::array<std::pair<std::string_view, Warnings>, 2> kNames{{
      {"error", Warnings::error},
      {"allow", Warnings::allow},
  }};
};

}  // namespace weir::scalers
