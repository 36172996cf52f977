// What Prometheus' answers tell about a query that found nothing: series counted by a label, names,
// targets and scrape jobs, and the words for it. The words name jobs and errors without addresses,
// so that a Status may show them, unless they are marked as for findings alone. Pure.
#pragma once

#include "scalers/error.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {

// Series by the value of one label; "" stands for those without it.
using Counts = std::map<std::string, double>;

// An answer to `count by (LABEL) (...)`, or with no label to `count(...)`. What is beyond
// kMaxValues values is left out.
inline constexpr std::size_t kMaxValues = 200;
[[nodiscard]] Result<Counts> parse_counts(long status,
                                          std::string_view body,
                                          const std::string& label,
                                          std::span<const std::string> hidden);

// An answer of /api/v1/label/NAME/values: at most 50,000 of them.
[[nodiscard]] Result<std::vector<std::string>> parse_names(long status, std::string_view body);

struct Job {
  std::size_t targets = 0;
  std::size_t up = 0;
  std::size_t dropped = 0;  // by relabelling, as far as they were asked for
  bool is_dropped_known = false;
  std::string instance;               // of a target that is down
  std::string error;                  // of that target, in Prometheus' own words
  std::set<std::string> other_names;  // that relabelling gives to targets of this scrape job
};
// By the label `job` of the targets, and by the name of their scrape job.
using Jobs = std::map<std::string, Job>;

// The active ones of an answer of /api/v1/targets.
[[nodiscard]] Result<Jobs> parse_targets(long status, std::string_view body);
// `jobs` with the dropped ones of such an answer.
[[nodiscard]] Result<Jobs> with_dropped(long status, std::string_view body, Jobs jobs);
// Whether dropped targets may be what is the matter with `job`, or when it is empty with any job.
[[nodiscard]] bool may_be_dropped(const std::string& job, const Jobs& jobs);
// Adds the scrape jobs of /api/v1/scrape_pools, which lists those without targets too. What is no
// such answer adds nothing: older servers have no such page.
void add_pools(long status, std::string_view body, Jobs& jobs);

// What is the matter with the scrape job `job`, as a clause.
[[nodiscard]] std::string verdict_of(const std::string& job,
                                     const Jobs& jobs,
                                     std::span<const std::string> hidden);
// Whether the scrape job has targets, and all of them are up; whether one of them is.
[[nodiscard]] bool is_whole(const std::string& job, const Jobs& jobs);
[[nodiscard]] bool has_target_up(const std::string& job, const Jobs& jobs);
// Jobs with targets down or dropped, as a clause; empty when there are none.
[[nodiscard]] std::string troubles_of(const Jobs& jobs, std::span<const std::string> hidden);
// The jobs with the counts of their targets: "\"node\" (2 of 3 up)"; at most a few.
[[nodiscard]] std::string listed(const Jobs& jobs, std::span<const std::string> hidden);

// "\"a\", \"b\", ...": label values, at most a few. They are other tenants' and hold addresses: for
// findings alone.
[[nodiscard]] std::string listed(const Counts& counts, std::span<const std::string> secrets);
// "; did you mean ...?" among values of a label, for findings alone.
[[nodiscard]] std::string near_value(const std::string& wanted,
                                     const Counts& counts,
                                     std::span<const std::string> secrets);

}  // namespace weir::scalers::backends::prometheus
