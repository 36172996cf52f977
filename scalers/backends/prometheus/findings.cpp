#include "scalers/backends/prometheus/findings.hpp"

#include "scalers/text/redact.hpp"
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

constexpr std::size_t kMaxNamed = 5;
constexpr std::size_t kMaxListed = 20;
constexpr std::size_t kMaxNames = 50'000;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  const bool is_text = object.is_object() && found != object.end() && found->is_string();
  return is_text ? found->get<std::string>() : std::string();
}

const Json& list_at(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const auto found = object.is_object() ? object.find(key) : object.end();
  const bool is_list = object.is_object() && found != object.end() && found->is_array();
  return is_list ? *found : kNone;
}

// The member `data` of an answer that succeeded, or why there is none.
std::variant<Json, Error> data_of(long status,
                                  std::string_view body,
                                  std::span<const std::string> hidden) {
  Json reply = Json::parse(body, nullptr, false);
  if (status != 200 || text_at(reply, "status") != "success" || !reply.contains("data")) {
    return Error{Errc::bad_reply,
                 fmt::format("HTTP {}", status),
                 remote_text(text_at(reply, "error"), hidden)};
  }
  return std::move(reply["data"]);
}

double number_of(const Json& sample) {
  if (!sample.is_array() || sample.size() != 2 || !sample[1].is_string()) return 0;
  const auto& text = sample[1].get_ref<const std::string&>();
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

void add_target(const Json& target, Jobs& jobs) {
  const Json& labels = target.contains("labels") ? target["labels"] : target;
  const std::string job = text_at(labels, "job");
  const std::string pool = text_at(target, "scrapePool");
  Job& known = jobs[job];
  const bool is_up = text_at(target, "health") == "up";
  ++known.targets;
  known.up += is_up ? 1 : 0;
  if (!is_up && known.error.empty()) {
    known.instance = text_at(labels, "instance");
    known.error = text_at(target, "lastError");
  }
  if (!pool.empty() && pool != job) jobs[pool].other_names.insert(job);
}

std::string quoted(const std::string& remote, std::span<const std::string> hidden) {
  return fmt::format("\"{}\"", remote_text(remote, hidden));
}

std::string reason_of(const Job& job, std::span<const std::string> hidden) {
  if (job.up == job.targets) return {};
  return job.error.empty() ? " (it was not scraped yet)"
                           : fmt::format(" (last error: {})", remote_text(job.error, hidden));
}

std::vector<std::string_view> names_of(const Jobs& jobs) {
  std::vector<std::string_view> out;
  for (const auto& [name, job] : jobs) out.push_back(name);
  return out;
}

}  // namespace

Result<Counts> parse_counts(long status,
                            std::string_view body,
                            const std::string& label,
                            std::span<const std::string> hidden) {
  const auto data = data_of(status, body, hidden);
  if (const auto* why = std::get_if<Error>(&data)) return *why;
  Counts out;
  for (const Json& row : list_at(std::get<Json>(data), "result")) {
    if (out.size() >= kMaxValues) break;
    if (!row.is_object() || !row.contains("metric") || !row.contains("value")) continue;
    out[label.empty() ? std::string() : text_at(row["metric"], label.c_str())] +=
        number_of(row["value"]);
  }
  return out;
}

Result<std::vector<std::string>> parse_names(long status, std::string_view body) {
  const auto data = data_of(status, body, {});
  if (const auto* why = std::get_if<Error>(&data)) return *why;
  const Json& names = std::get<Json>(data);
  if (!names.is_array()) return Error{Errc::bad_reply, "no list of names", ""};
  std::vector<std::string> out;
  for (const Json& name : names) {
    if (out.size() >= kMaxNames) break;
    if (name.is_string()) out.push_back(name.get<std::string>());
  }
  return out;
}

Result<Jobs> parse_targets(long status, std::string_view body) {
  const auto data = data_of(status, body, {});
  if (const auto* why = std::get_if<Error>(&data)) return *why;
  Jobs out;
  for (const Json& target : list_at(std::get<Json>(data), "activeTargets")) {
    if (target.is_object()) add_target(target, out);
  }
  return out;
}

Result<Jobs> with_dropped(long status, std::string_view body, Jobs jobs) {
  const auto data = data_of(status, body, {});
  if (const auto* why = std::get_if<Error>(&data)) return *why;
  for (const Json& target : list_at(std::get<Json>(data), "droppedTargets")) {
    if (!target.is_object() || !target.contains("discoveredLabels")) continue;
    ++jobs[text_at(target["discoveredLabels"], "job")].dropped;
  }
  for (auto& [name, job] : jobs) job.is_dropped_known = true;
  return jobs;
}

bool may_be_dropped(const std::string& job, const Jobs& jobs) {
  const auto has_no_other = [](const Job& one) {
    return one.targets == 0 && one.other_names.empty();
  };
  if (job.empty())
    return std::ranges::any_of(jobs, [&](const auto& one) { return has_no_other(one.second); });
  const auto found = jobs.find(job);
  return found == jobs.end() || has_no_other(found->second);
}

void add_pools(long status, std::string_view body, Jobs& jobs) {
  const auto data = data_of(status, body, {});
  if (std::holds_alternative<Error>(data)) return;
  for (const Json& pool : list_at(std::get<Json>(data), "scrapePools")) {
    if (pool.is_string()) jobs.try_emplace(pool.get<std::string>());
  }
}

std::string verdict_of(const std::string& job,
                       const Jobs& jobs,
                       std::span<const std::string> hidden) {
  const std::string name = quoted(job, hidden);
  const auto found = jobs.find(job);
  if (found == jobs.end()) {
    const std::string near = remote_text(did_you_mean(job, names_of(jobs)), hidden);
    if (!near.empty()) return fmt::format("no scrape job is named {}{}", name, near);
    return fmt::format("no scrape job is named {}; those there are: {}",
                       name,
                       jobs.empty() ? "none" : listed(jobs, hidden));
  }
  const Job& known = found->second;
  if (known.targets > 0 && known.up == 0) {
    const std::string reason = reason_of(known, hidden);
    if (known.targets == 1)
      return fmt::format("the only target of scrape job {} is not up{}", name, reason);
    return fmt::format("none of the {} targets of scrape job {} is up{}",
                       known.targets,
                       name,
                       reason);
  }
  if (known.targets > 0) {
    return fmt::format("scrape job {} has {} of {} targets up{}",
                       name,
                       known.up,
                       known.targets,
                       reason_of(known, hidden));
  }
  if (!known.other_names.empty()) {
    return fmt::format("relabelling gives the targets of scrape job {} the label job={}",
                       name,
                       quoted(*known.other_names.begin(), hidden));
  }
  if (known.dropped == 1)
    return fmt::format("relabelling drops the only target of scrape job {}", name);
  if (known.dropped > 0) {
    return fmt::format("relabelling drops all {} targets of scrape job {}", known.dropped, name);
  }
  if (!known.is_dropped_known) return fmt::format("scrape job {} has no active target", name);
  return fmt::format("scrape job {} finds no targets", name);
}

bool is_whole(const std::string& job, const Jobs& jobs) {
  const auto found = jobs.find(job);
  return found != jobs.end() && found->second.targets > 0 &&
         found->second.up == found->second.targets;
}

bool has_target_up(const std::string& job, const Jobs& jobs) {
  const auto found = jobs.find(job);
  return found != jobs.end() && found->second.up > 0;
}

std::string troubles_of(const Jobs& jobs, std::span<const std::string> hidden) {
  std::string out;
  std::size_t named = 0;
  for (const auto& [name, job] : jobs) {
    const bool is_dropped = job.targets == 0 && job.dropped > 0;
    if (job.up == job.targets && !is_dropped) continue;
    if (++named > kMaxNamed) return out + "; ...";
    out += (out.empty() ? "" : "; ") + verdict_of(name, jobs, hidden);
  }
  return out;
}

std::string listed(const Jobs& jobs, std::span<const std::string> hidden) {
  std::string out;
  std::size_t named = 0;
  for (const auto& [name, job] : jobs) {
    if (++named > kMaxNamed) return out + ", ...";
    out += fmt::format("{}{} ({} of {} up)",
                       out.empty() ? "" : ", ",
                       quoted(name, hidden),
                       job.up,
                       job.targets);
  }
  return out;
}

std::string listed(const Counts& counts, std::span<const std::string> secrets) {
  std::string out;
  std::size_t named = 0;
  for (const auto& [value, count] : counts) {
    if (value.empty()) continue;
    if (++named > kMaxListed) return out + ", ...";
    out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", addressed_text(value, secrets));
  }
  return out;
}

std::string near_value(const std::string& wanted,
                       const Counts& counts,
                       std::span<const std::string> secrets) {
  std::vector<std::string_view> values;
  for (const auto& [value, count] : counts) values.push_back(value);
  return addressed_text(did_you_mean(wanted, values), secrets);
}

}  // namespace weir::scalers::backends::prometheus
