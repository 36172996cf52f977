// Parses Prometheus' responses to the queries of a diagnosis (series by label, metric names,
// targets, scrape jobs), and describes them. The texts name jobs and errors without addresses, so a
// Status may contain them; texts for findings only are marked. Pure.
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

// The number of series by the value of one label; "" counts the series without the label.
using Counts = std::map<std::string, double>;

// A response to `count by (LABEL) (...)`, or without a label to `count(...)`. Only the first
// kMaxValues values are kept.
inline constexpr std::size_t kMaxValues = 200;
[[nodiscard]] Result<Counts> parse_counts(long status,
                                          std::string_view body,
                                          const std::string& label,
                                          std::span<const std::string> redactions);

// A response of /api/v1/label/NAME/values: at most 50,000 names.
[[nodiscard]] Result<std::vector<std::string>>
parse_names(long status, std::string_view body, std::span<const std::string> redactions = {});

struct Job {
  std::size_t targets = 0;
  std::size_t up = 0;
  std::size_t dropped = 0;  // by relabeling; valid with has_dropped_count
  bool has_dropped_count = false;
  std::string instance;               // of a target that is down
  std::string error;                  // Prometheus' own text for that target
  std::set<std::string> other_names;  // labels `job` that relabeling sets on its targets
};
// By the label `job` of the targets, and by the name of the scrape job.
using Jobs = std::map<std::string, Job>;

// The active targets in a response of /api/v1/targets.
[[nodiscard]] Result<Jobs> parse_targets(long status,
                                         std::string_view body,
                                         std::span<const std::string> redactions = {});
// `jobs` with the dropped targets of such a response.
[[nodiscard]] Result<Jobs> with_dropped(long status,
                                        std::string_view body,
                                        Jobs jobs,
                                        std::span<const std::string> redactions = {});
// Whether dropped targets may be the cause for `job`, or for any job when `job` is empty.
[[nodiscard]] bool may_be_dropped(const std::string& job, const Jobs& jobs);
// Adds the scrape jobs of /api/v1/scrape_pools, which also lists jobs without targets. Any other
// response adds nothing, because older servers do not have this page.
void add_pools(long status, std::string_view body, Jobs& jobs);

// The state of the scrape job `job`, as a clause.
[[nodiscard]] std::string describe_job(const std::string& job,
                                       const Jobs& jobs,
                                       std::span<const std::string> redactions);
// Whether the scrape job has targets and all of them are up; whether at least one is up.
[[nodiscard]] bool are_all_up(const std::string& job, const Jobs& jobs);
[[nodiscard]] bool has_target_up(const std::string& job, const Jobs& jobs);
// Jobs with targets down or dropped, as a clause; empty when there are none.
[[nodiscard]] std::string describe_unhealthy_jobs(const Jobs& jobs,
                                                  std::span<const std::string> redactions);
// The jobs with the counts of their targets: "\"node\" (2 of 3 up)"; at most a few.
[[nodiscard]] std::string listed(const Jobs& jobs, std::span<const std::string> redactions);

// "\"a\", \"b\", ...": label values, at most a few. For findings only, because the values may
// belong to other tenants and contain addresses.
[[nodiscard]] std::string listed(const Counts& counts, std::span<const std::string> secrets);
// "; did you mean ...?" with values of a label. For findings only.
[[nodiscard]] std::string similar_value(const std::string& value,
                                        const Counts& counts,
                                        std::span<const std::string> secrets);

}  // namespace weir::scalers::backends::prometheus
