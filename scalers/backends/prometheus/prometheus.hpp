// The pure parts of the prometheus scaler: the query with its parameters, and what a reply means.
// No IO.
#pragma once

#include "scalers/error.hpp"
#include "scalers/kind.hpp"
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

// A PromQL query with $(label) parameters. A parameter may stand only inside a quoted string, where
// its value is escaped so that it stays one string; behind =~ and !~ and as label_replace's pattern
// it is regex-quoted too.
class QueryTemplate {
 public:
  // Adds a problem for each parameter that stands elsewhere or isn't known; `mark` is where the
  // text stands.
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

// What /api/v1/query answered with HTTP `status`. Exactly one series unless `aggregate` joins them.
// Errc::no_value (empty or null), too_many, partial (warnings), bad_request (bad_data: the query
// itself), timed_out, overloaded, refused, unreachable, bad_reply. `hidden` texts show in no error.
[[nodiscard]] Result<Sample> parse_reply(long status,
                                         std::string_view body,
                                         Aggregate aggregate,
                                         Warnings warnings,
                                         std::span<const std::string> hidden);

// Whether `text` is a plain vector selector, such as up{job="x"}: the time of anything that is
// computed would be the time of the question, and never old.
[[nodiscard]] bool is_selector(std::string_view text);
// The query for the seconds since the newest sample that `selector` matches.
[[nodiscard]] std::string age_query(std::string_view selector);
// What the reply to age_query() says. Errc::stale when the newest sample is older than `limit`, or
// there is none; other errors pass.
[[nodiscard]] Result<DataAge> judge_age(const Result<Sample>& asked, Duration limit);

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
