// The age of the data that a query is computed from: which selectors have an age, its query, and
// the limit.
#include "scalers/backends/prometheus/prometheus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace weir::scalers::backends::prometheus {
namespace {

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

bool is_name_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

// The end of the matchers at the start of `text`: after the first } outside of strings; npos when
// there is none.
std::size_t end_of_matchers(std::string_view text) {
  char quote = '\0';
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote == '\0') {
      if (c == '}') return at + 1;
      if (c == '"' || c == '\'' || c == '`') quote = c;
    } else if (c == '\\' && quote != '`') {
      ++at;
    } else if (c == quote) {
      quote = '\0';
    }
  }
  return std::string_view::npos;
}

}  // namespace

bool is_selector(std::string_view text) {
  const auto name_end = std::ranges::find_if_not(text, is_name_byte);
  const std::string_view rest = text.substr(static_cast<std::size_t>(name_end - text.begin()));
  const bool has_name =
      name_end != text.begin() && std::isdigit(static_cast<unsigned char>(text.front())) == 0;
  if (rest.empty()) return has_name;
  const bool is_name_right = has_name || name_end == text.begin();
  return is_name_right && rest.front() == '{' && end_of_matchers(rest) == rest.size();
}

std::string age_query(std::string_view selector) {
  return fmt::format("time() - max(timestamp({}))", selector);
}

Result<DataAge> check_age(const Result<Sample>& reply, Duration limit) {
  if (reply.has_error() && reply.error().code == Errc::no_value) {
    // stale and not no_value, because `empty: 0` must not make a 0 of a target that is not scraped.
    return Error{Errc::stale,
                 "ageOf matches no series with a sample within the lookback delta (5 minutes by "
                 "default); is "
                 "the target scraped?",
                 ""};
  }
  if (reply.has_error()) return reply.error().within("ageOf");
  // Down to -1 s, because the clocks of the server and of what it scrapes may differ. NaN fails
  // both comparisons.
  if (!(reply->value >= -1 && reply->value < 1e10)) {
    return Error{Errc::bad_reply,
                 fmt::format("the newest sample of ageOf is {:g} s old, which is not a valid age",
                             reply->value),
                 ""};
  }
  const Duration age{std::max(0LL, std::llround(reply->value * 1000))};
  if (age <= limit) return DataAge{age, limit};
  return Error{Errc::stale,
               fmt::format("the newest sample of ageOf is {:.4g} s old, and maxAge is {:.4g} s; is "
                           "the target still scraped?",
                           seconds(age),
                           seconds(limit)),
               ""};
}

}  // namespace weir::scalers::backends::prometheus
