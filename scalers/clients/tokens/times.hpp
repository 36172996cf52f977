// The times that providers of tokens and servers write: when a token ends, and in errors what time
// it is for them, from which a wrong clock shows. Pure.
#pragma once

#include "scalers/deadline.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace weir::scalers::clients {

// "2026-01-31T23:59:59Z", also with a fraction of the second or with +00:00 (RFC 3339), and
// "20260131T235959Z"; nullopt for all others.
[[nodiscard]] std::optional<WallTime> parse_time(std::string_view text);

// "2026-01-31T23:59:59Z", without the fraction of the second.
[[nodiscard]] std::string utc_text(WallTime time);

// "Weir's clock is 7 min behind that of the server; ...": when `words`, an error of a server, say
// what time it is and `ours` differs by a minute or more. Empty: nothing is known to be wrong.
[[nodiscard]] std::string clock_problem(std::string_view words, WallTime ours);

// The same, or by `ahead` (HttpReply::clock_ahead) when the words have no time.
[[nodiscard]] std::string clock_problem(std::string_view words,
                                        const std::optional<WallTime::duration>& ahead,
                                        WallTime ours);

// The same of a time of the server that is known: ahead of `ours` by `ahead`, which may be
// negative.
[[nodiscard]] std::string clock_problem_of(WallTime::duration ahead, std::string_view whose);

// "3 h", "7 min", "45 s": for people.
[[nodiscard]] std::string rounded(WallTime::duration span);

}  // namespace weir::scalers::clients
