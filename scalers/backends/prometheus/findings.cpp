// Parsing and texts, apart from the queries of a diagnosis, so that tests need no server.
#include "scalers/backends/prometheus/findings.hpp"

#include "scalers/text/redact.hpp"
#include "scalers/text/refusal.hpp"
#include "scalers/text/suggest.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

namespace weir::scalers::backends::prometheus {
namespace {

using Json = nlohmann::json;

// A cause is cut at kMaxCauseBytes, which is room for a few jobs with their errors.
constexpr std::size_t kMaxShownJobs = 5;
constexpr std::size_t kMaxShownValues = 20;
// Each is compared with the name in the query, on the client's thread.
constexpr std::size_t kMaxNames = 50'000;

std::string text_at(const Json& object, const char* key) {
  const auto member = object.is_object() ? object.find(key) : object.end();
  const bool is_text = object.is_object() && member != object.end() && member->is_string();
  return is_text ? member->get<std::string>() : std::string();
}

// Lives as long as `object`, or for ever.
const Json& list_at(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const auto member = object.is_object() ? object.find(key) : object.end();
  const bool is_list = object.is_object() && member != object.end() && member->is_array();
  return is_list ? *member : kNone;
}

// The member `data` of a successful response, or why there is none.
// The word "success" is needed too, because a proxy may answer 200 with an object of its own.
std::variant<Json, Error> data_of(long status,
                                  std::string_view body,
                                  std::span<const std::string> redactions) {
  Json reply = Json::parse(body, nullptr, false);
  if (status != 200 || text_at(reply, "status") != "success" || !reply.contains("data")) {
    return Error{Errc::bad_reply,
                 fmt::format("HTTP {}", status),
                 remote_text(refusal_words(body), redactions)};
  }
  return std::move(reply["data"]);
}

// 0 for what is not a number: a finding may be too small, but a diagnosis never fails for it.
double number_of(const Json& sample) {
  if (!sample.is_array() || sample.size() != 2 || !sample[1].is_string()) return 0;
  const auto& text = sample[1].get_ref<const std::string&>();
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

void add_target(const Json& target, Jobs& jobs) {
  // The label `job` is what the series have, and the scrape pool is the job_name of the
  // configuration: relabeling makes two names of one job, and people write either in a query.
  const Json& labels = target.contains("labels") ? target["labels"] : target;
  const std::string job = text_at(labels, "job");
  const std::string pool = text_at(target, "scrapePool");
  Job& info = jobs[job];
  // Also "down", and "unknown" before the first scrape.
  const bool is_up = text_at(target, "health") == "up";
  ++info.targets;
  info.up += is_up ? 1 : 0;
  // The first error represents the job, because a cause has room for one.
  if (!is_up && info.error.empty()) {
    info.instance = text_at(labels, "instance");
    info.error = text_at(target, "lastError");
  }
  if (!pool.empty() && pool != job) jobs[pool].other_names.insert(job);
}

std::string quoted(const std::string& remote, std::span<const std::string> redactions) {
  return fmt::format("\"{}\"", remote_text(remote, redactions));
}

std::string down_reason(const Job& job, std::span<const std::string> redactions) {
  if (job.up == job.targets) return {};
  // A target of health "unknown" has no error.
  return job.error.empty() ? " (not scraped yet)"
                           : fmt::format(" (last error: {})", remote_text(job.error, redactions));
}

std::vector<std::string_view> names_of(const Jobs& jobs) {
  std::vector<std::string_view> out;
  for (const auto& [name, job] : jobs)
    if (!name.empty()) out.push_back(name);  // "" holds the targets without a job
  return out;
}

}  // namespace

Result<Counts> parse_counts(long status,
                            std::string_view body,
                            const std::string& label,
                            std::span<const std::string> redactions) {
  const auto data = data_of(status, body, redactions);
  if (const auto* why = std::get_if<Error>(&data)) return *why;
  Counts out;
  for (const Json& row : list_at(std::get<Json>(data), "result")) {
    // A label such as instance may have thousands of values.
    if (out.size() >= kMaxValues) break;
    if (!row.is_object() || !row.contains("metric") || !row.contains("value")) continue;
    out[label.empty() ? std::string() : text_at(row["metric"], label.c_str())] +=
        number_of(row["value"]);
  }
  return out;
}

Result<std::vector<std::string>> parse_names(long status,
                                             std::string_view body,
                                             std::span<const std::string> redactions) {
  const auto data = data_of(status, body, redactions);
  if (const auto* why = std::get_if<Error>(&data)) return *why;
  const Json& names = std::get<Json>(data);
  if (!names.is_array()) return Error{Errc::bad_reply, "the response is not a list of names", ""};
  std::vector<std::string> out;
  for (const Json& name : names) {
    if (out.size() >= kMaxNames) break;
    if (name.is_string()) out.push_back(name.get<std::string>());
  }
  return out;
}

Result<Jobs> parse_targets(long status,
                           std::string_view body,
                           std::span<const std::string> redactions) {
  const auto data = data_of(status, body, redactions);
  if (const auto* why = std::get_if<Error>(&data)) return *why;
  Jobs out;
  for (const Json& target : list_at(std::get<Json>(data), "activeTargets")) {
    if (target.is_object()) add_target(target, out);
  }
  return out;
}

Result<Jobs> with_dropped(long status,
                          std::string_view body,
                          Jobs jobs,
                          std::span<const std::string> redactions) {
  const auto data = data_of(status, body, redactions);
  if (const auto* why = std::get_if<Error>(&data)) return *why;
  for (const Json& target : list_at(std::get<Json>(data), "droppedTargets")) {
    if (!target.is_object() || !target.contains("discoveredLabels")) continue;
    // A dropped target has only the labels before relabeling, where `job` is the job_name.
    ++jobs[text_at(target["discoveredLabels"], "job")].dropped;
  }
  // Also for a job without a dropped target, whose 0 is known after this response.
  for (auto& [name, job] : jobs) job.has_dropped_count = true;
  return jobs;
}

// A job under another label is not without targets: relabeling renamed it.
bool may_be_dropped(const std::string& job, const Jobs& jobs) {
  const auto has_no_active = [](const Job& candidate) {
    return candidate.targets == 0 && candidate.other_names.empty();
  };
  if (job.empty())
    return std::ranges::any_of(jobs,
                               [&](const auto& named) { return has_no_active(named.second); });
  const auto entry = jobs.find(job);
  return entry == jobs.end() || has_no_active(entry->second);
}

void add_pools(long status, std::string_view body, Jobs& jobs) {
  const auto data = data_of(status, body, {});
  if (std::holds_alternative<Error>(data)) return;
  for (const Json& pool : list_at(std::get<Json>(data), "scrapePools")) {
    // A job that has targets keeps its counts.
    if (pool.is_string()) jobs.try_emplace(pool.get<std::string>());
  }
}

std::string describe_job(const std::string& job,
                         const Jobs& jobs,
                         std::span<const std::string> redactions) {
  const std::string name = quoted(job, redactions);
  const auto entry = jobs.find(job);
  if (entry == jobs.end()) {
    // A correction says more than the list of all jobs, of which a few are shown.
    const std::string near = remote_text(did_you_mean(job, names_of(jobs)), redactions);
    if (!near.empty()) return fmt::format("scrape job {} does not exist{}", name, near);
    return fmt::format("scrape job {} does not exist; existing scrape jobs: {}",
                       name,
                       jobs.empty() ? "none" : listed(jobs, redactions));
  }
  const Job& info = entry->second;
  if (info.targets > 0 && info.up == 0) {
    const std::string reason = down_reason(info, redactions);
    if (info.targets == 1)
      return fmt::format("the only target of scrape job {} is not up{}", name, reason);
    return fmt::format("none of the {} targets of scrape job {} is up{}",
                       info.targets,
                       name,
                       reason);
  }
  if (info.targets > 0) {
    return fmt::format("scrape job {} has {} of {} targets up{}",
                       name,
                       info.up,
                       info.targets,
                       down_reason(info, redactions));
  }
  // No target has the label, but the scrape job of this name has targets: the query needs the
  // label.
  if (!info.other_names.empty()) {
    return fmt::format("relabeling gives the targets of scrape job {} the label job={}",
                       name,
                       quoted(*info.other_names.begin(), redactions));
  }
  if (info.dropped == 1)
    return fmt::format("relabeling drops the only target of scrape job {}", name);
  if (info.dropped > 0) {
    return fmt::format("relabeling drops all {} targets of scrape job {}", info.dropped, name);
  }
  // The response about dropped targets failed or was too large, so the text says nothing about
  // them.
  if (!info.has_dropped_count) return fmt::format("scrape job {} has no active target", name);
  return fmt::format("scrape job {} discovers no targets", name);
}

bool are_all_up(const std::string& job, const Jobs& jobs) {
  const auto entry = jobs.find(job);
  return entry != jobs.end() && entry->second.targets > 0 &&
         entry->second.up == entry->second.targets;
}

bool has_target_up(const std::string& job, const Jobs& jobs) {
  const auto entry = jobs.find(job);
  return entry != jobs.end() && entry->second.up > 0;
}

std::string describe_unhealthy_jobs(const Jobs& jobs, std::span<const std::string> redactions) {
  std::string out;
  std::size_t count = 0;
  for (const auto& [name, job] : jobs) {
    const bool is_dropped = job.targets == 0 && job.dropped > 0;
    // 0 of 0 is not a fault: a job that discovers no target may be meant so.
    if (job.up == job.targets && !is_dropped) continue;
    if (++count > kMaxShownJobs) return out + "; ...";
    out += (out.empty() ? "" : "; ") + describe_job(name, jobs, redactions);
  }
  return out;
}

std::string listed(const Jobs& jobs, std::span<const std::string> redactions) {
  std::string out;
  std::size_t count = 0;
  for (const auto& [name, job] : jobs) {
    if (++count > kMaxShownJobs) return out + ", ...";
    out += fmt::format("{}{} ({} of {} up)",
                       out.empty() ? "" : ", ",
                       quoted(name, redactions),
                       job.up,
                       job.targets);
  }
  return out;
}

std::string listed(const Counts& counts, std::span<const std::string> secrets) {
  std::string out;
  std::size_t shown = 0;
  for (const auto& [value, series] : counts) {
    // Counts the series without the label, which is not a value that a matcher could have meant.
    if (value.empty()) continue;
    if (++shown > kMaxShownValues) return out + ", ...";
    out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", addressed_text(value, secrets));
  }
  return out;
}

std::string similar_value(const std::string& value,
                          const Counts& counts,
                          std::span<const std::string> secrets) {
  std::vector<std::string_view> values;
  // "" holds the series without the label, and is near every short value.
  for (const auto& [other, count] : counts)
    if (!other.empty()) values.push_back(other);
  return addressed_text(did_you_mean(value, values), secrets);
}

}  // namespace weir::scalers::backends::prometheus
