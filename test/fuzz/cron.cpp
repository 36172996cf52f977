// Cron::parse, and the times of what it takes: the next and the last one match, and none between
// them does.
#include "scalers/backends/schedule/cron.hpp"

#include "test/fuzz/property.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <variant>

namespace weir::fuzz {
namespace {

using scalers::backends::schedule::Cron;
using scalers::backends::schedule::LocalMinute;
using std::chrono::minutes;

constexpr std::int64_t kTwoCenturies = std::int64_t{200} * 366 * 24 * 60;
constexpr minutes kWalk{3000};  // two days

// From 1970 on, another one for another text.
LocalMinute time_of(std::string_view input) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : input) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return LocalMinute{minutes{static_cast<std::int64_t>(hash % kTwoCenturies)}};
}

}  // namespace

void run(std::string_view input) {
  const auto parsed = Cron::parse(input);
  if (const auto* invalid = std::get_if<Cron::Invalid>(&parsed)) {
    require(!invalid->why.empty(), "a refusal says why");
    return;
  }

  const Cron& cron = std::get<Cron>(parsed);
  const LocalMinute now = time_of(input);
  const auto last = cron.last_until(now);
  const auto next = cron.next_after(now);

  require(last && next, "a valid expression comes again, and came before");
  require(*last <= now && now < *next, "last and next are around now");
  require(cron.matches(*last) && cron.matches(*next), "both match");
  for (LocalMinute time = now + minutes{1}; time < std::min(*next, now + kWalk); ++time)
    require(!cron.matches(time), "no time before the next one matches");
  for (LocalMinute time = now; time > std::max(*last, now - kWalk); --time)
    require(!cron.matches(time), "no time after the last one matches");
  require(cron.next_after(*last) == next, "the next one follows the last one");
  require(cron.last_until(*next) == next, "a time has come when it comes");
}

}  // namespace weir::fuzz
