// Which queries a diagnosis sends, and in which order. The parsing of their replies is in
// findings.cpp, which is pure.
#include "scalers/backends/prometheus/diagnosis.hpp"

#include "scalers/backends/prometheus/findings.hpp"
#include "scalers/promql/selectors.hpp"
#include "scalers/settings/url.hpp"
#include "scalers/text/redact.hpp"
#include "scalers/text/suggest.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace weir::scalers::backends::prometheus {
namespace {

using promql::Matcher;
using promql::Selector;
using promql::text_of;

std::string with_cause(const std::string& what, const std::string& cause) {
  return cause.empty() ? what : fmt::format("{}: {}", what, cause);
}

// One diagnosis. A failed query ends it with the findings so far.
class DiagnosisRun {
 public:
  DiagnosisRun(Api& api, Deadline deadline)
      : api_(api), deadline_(deadline), redactions_(api.redactions()) {}

  [[nodiscard]] awaitable<Diagnosis> run(std::string query);

 private:
  // Series of `selector`, within the last hour or now, by the value of `label`.
  enum class When { now, last_hour };
  [[nodiscard]] awaitable<Result<Counts>> count(const Selector& selector,
                                                std::string label,
                                                When when);
  [[nodiscard]] awaitable<Result<Counts>> query(std::string promql, std::string label);
  template <class T>
  [[nodiscard]] awaitable<Result<T>> send(ApiQuery query,
                                          std::function<Result<T>(long, std::string_view)> parse);
  // All scrape jobs. Dropped targets are counted only when they may be the cause for `job`, or for
  // any job when `job` is empty.
  [[nodiscard]] awaitable<Result<Jobs>> jobs(std::string job);
  [[nodiscard]] awaitable<std::string> similar_names(std::string name);

  // Each returns the cause as a clause; empty: no cause was found.
  [[nodiscard]] awaitable<std::string> cause_of(Selector selector);
  [[nodiscard]] awaitable<std::string> cause_of_past(Selector selector, Counts by_job);
  [[nodiscard]] awaitable<std::string> cause_in_matchers(Selector selector);
  [[nodiscard]] awaitable<std::string> cause_of_missing_name(Selector selector);
  [[nodiscard]] awaitable<std::string> cause_in_ranges(std::vector<Selector> selectors,
                                                       bool are_all);
  [[nodiscard]] awaitable<std::string> scrape_problem(Selector selector);

  void note(std::string finding) { out_.findings.push_back(std::move(finding)); }

  Api& api_;
  Deadline deadline_;
  std::vector<std::string> redactions_;
  Diagnosis out_;
};

// The job that a selector requires; empty: none.
std::string required_job(const Selector& selector) {
  const auto job = std::ranges::find_if(selector.matchers, [](const Matcher& matcher) {
    return matcher.label == "job" && matcher.op == "=";
  });
  return job == selector.matchers.end() ? std::string() : job->value;
}

std::string describe(const Selector& selector) {
  if (selector.name.empty()) return "a selector without a metric name";
  return fmt::format("\"{}\"", selector.name);
}

double total(const Counts& counts) {
  double out = 0;
  for (const auto& [value, count] : counts) out += count;
  return out;
}

template <class T>
awaitable<Result<T>> DiagnosisRun::send(ApiQuery query,
                                        std::function<Result<T>(long, std::string_view)> parse) {
  if (out_.queries >= kMaxQueries) {
    co_return Error{Errc::too_many,
                    fmt::format("the diagnosis ended at its limit of {} queries", kMaxQueries),
                    ""};
  }
  ++out_.queries;
  // Shared with the client, whose thread may still fill it after send() has ended with an error.
  const auto parsed = std::make_shared<Result<T>>(Error{Errc::bad_reply, "no response", ""});
  Api::OnReply on_reply = [parsed, parse = std::move(parse)](long status, std::string_view body) {
    *parsed = parse(status, body);
  };
  // Copied before the query is moved, for the texts of a failure.
  const std::string page = query.page;
  auto error = co_await api_.send(std::move(query), std::move(on_reply), deadline_);
  if (error) {
    note(fmt::format("/api/v1/{} failed: {}", page, error->message()));
    co_return std::move(*error);
  }
  if (!*parsed) note(fmt::format("/api/v1/{} failed: {}", page, parsed->error().message()));
  co_return std::move(*parsed);
}

awaitable<Result<Counts>> DiagnosisRun::query(std::string promql, std::string label) {
  const auto left = deadline_.left(std::chrono::steady_clock::now());
  ApiQuery query{"query",
                 fmt::format("query={}&timeout={}ms",
                             percent_encoded(promql),
                             std::max<Duration::rep>(1, left.count())),
                 true};
  std::function<Result<Counts>(long, std::string_view)> parse =
      [label = std::move(label), redactions = redactions_](long status, std::string_view body) {
        return parse_counts(status, body, label, redactions);
      };
  auto counts = co_await send<Counts>(std::move(query), std::move(parse));
  if (counts) note(fmt::format("{} = {:g}", promql, total(*counts)));
  co_return counts;
}

awaitable<Result<Counts>> DiagnosisRun::count(const Selector& selector,
                                              std::string label,
                                              When when) {
  const std::string text = text_of(selector);
  // An instant selector sees a series for 5 minutes after its last sample at most (the lookback
  // delta); last_over_time also finds one that ended earlier.
  const std::string inner = when == When::now ? text : fmt::format("last_over_time({}[1h])", text);
  const std::string by = label.empty() ? "" : fmt::format(" by ({})", promql::text_of_label(label));
  return query(fmt::format("count{} ({})", by, inner), std::move(label));
}

// Dropped targets are queried only when they may be the cause, because a large Prometheus has far
// more dropped targets than active ones; a response above kMaxReplyBytes is ignored.
awaitable<Result<Jobs>> DiagnosisRun::jobs(std::string job) {
  std::function<Result<Jobs>(long, std::string_view)> parse =
      [redactions = redactions_](long status, std::string_view body) {
        return parse_targets(status, body, redactions);
      };
  auto active = co_await send<Jobs>({"targets", "state=active", false}, std::move(parse));
  if (!active) co_return active.error();
  // It owns a copy, because it may still run after send() has ended with an error.
  std::function<Result<Jobs>(long, std::string_view)> add_idle =
      [active_jobs = *active](long status, std::string_view body) {
        Jobs with_idle = active_jobs;
        add_pools(status, body, with_idle);
        return Result<Jobs>(std::move(with_idle));
      };
  // Not every server has this page: without it the jobs are those with targets.
  auto with_idle = co_await send<Jobs>({"scrape_pools", "", false}, std::move(add_idle));
  Jobs out = with_idle ? std::move(*with_idle) : std::move(*active);
  if (may_be_dropped(job, out)) {
    std::function<Result<Jobs>(long, std::string_view)> add_dropped =
        [jobs = out, redactions = redactions_](long status, std::string_view body) {
          return with_dropped(status, body, jobs, redactions);
        };
    auto all = co_await send<Jobs>({"targets", "state=dropped", false}, std::move(add_dropped));
    if (all) out = std::move(*all);
  }
  for (const auto& [name, info] : out) {
    note(fmt::format(
        "scrape job \"{}\": {} target{}, {} up{}{}",
        addressed_text(name, redactions_),
        info.targets,
        info.targets == 1 ? "" : "s",
        info.up,
        info.dropped == 0 ? "" : fmt::format(", {} dropped by relabeling", info.dropped),
        info.up == info.targets ? ""
                                : fmt::format("; {} is down: {}",
                                              addressed_text(info.instance, {}),
                                              addressed_text(info.error, {}))));
    // A server may have thousands of scrape jobs.
    if (out_.findings.size() > 2 * kMaxQueries) break;
  }
  co_return out;
}

// Compared on the client's thread, because there may be 50,000 names.
awaitable<std::string> DiagnosisRun::similar_names(std::string name) {
  std::function<Result<std::string>(long, std::string_view)> compare =
      [name = std::move(name),
       redactions = redactions_](long status, std::string_view body) -> Result<std::string> {
    const auto names = parse_names(status, body, redactions);
    if (!names) return names.error();
    const std::vector<std::string_view> views(names->begin(), names->end());
    return remote_text(did_you_mean(name, views), redactions);
  };
  const auto near =
      co_await send<std::string>({"label/__name__/values", "", false}, std::move(compare));
  co_return near ? *near : std::string();
}

// The series ended. Either their job has a problem, or it exports other series instead.
awaitable<std::string> DiagnosisRun::cause_of_past(Selector selector, Counts by_job) {
  const std::string what =
      fmt::format("{} had series within the last hour and has none now", describe(selector));
  const std::string required = required_job(selector);
  // Of several jobs the first is looked at: a diagnosis has few queries.
  const std::string job = required.empty() ? by_job.begin()->first : required;
  if (job.empty()) co_return what;
  const auto all = co_await jobs(job);
  if (!all) co_return what;
  const std::string state = describe_job(job, *all, redactions_);
  // A job with a target down explains the missing series; a healthy one no longer exports them, or
  // exports them with other labels, which the name alone still finds.
  const bool is_gone = !all->contains(job);
  const bool is_unhealthy = !is_gone && !are_all_up(job, *all);
  if (is_unhealthy || selector.name.empty()) co_return with_cause(what, state);
  const auto others = co_await count({selector.name, {}, {}, false}, "job", When::now);
  if (!others || (is_gone && others->empty())) co_return with_cause(what, state);
  if (others->empty())
    co_return fmt::format("{}: {} and no longer exports the series", what, state);
  const std::string cause = co_await cause_in_matchers(std::move(selector));
  if (!is_gone) co_return with_cause(what, cause);
  const std::string name = remote_text(job, redactions_);
  co_return with_cause(fmt::format("{}: scrape job \"{}\" does not exist", what, name), cause);
}

// The name has series: which matcher excludes all of them?
awaitable<std::string> DiagnosisRun::cause_in_matchers(Selector selector) {
  for (std::size_t i = 0; i < selector.matchers.size(); ++i) {
    const Matcher& matcher = selector.matchers[i];
    // Without one matcher at a time: it is the cause when the series come back without it. Matchers
    // that exclude them only together get the last text.
    auto counts = co_await count(promql::without(selector, i), matcher.label, When::now);
    if (!counts) co_return std::string();
    if (counts->empty()) continue;
    const std::size_t others = counts->size() - counts->count("");
    const std::string what = fmt::format("{}{}\"{}\" excludes all series of \"{}\"",
                                         matcher.label,
                                         matcher.op,
                                         remote_text(matcher.value, redactions_),
                                         selector.name);
    if (others == 0) co_return fmt::format("{}, which have no label {}", what, matcher.label);
    // Findings only, because the values may belong to another tenant, and a caller may have written
    // the matcher's value to probe for them.
    note(fmt::format("values of label {}: {}{}",
                     matcher.label,
                     listed(*counts, redactions_),
                     similar_value(matcher.value, *counts, redactions_)));
    co_return fmt::format("{}, which have {}{} other value{} of {}; weir explain lists the values",
                          what,
                          others < kMaxValues ? "" : "at least ",
                          others,
                          others == 1 ? "" : "s",
                          matcher.label);
  }
  co_return fmt::format("\"{}\" has series, but none satisfies all of its matchers", selector.name);
}

// Nothing exported the name within the last hour.
awaitable<std::string> DiagnosisRun::cause_of_missing_name(Selector selector) {
  const std::string what = fmt::format("no series \"{}\" exists", selector.name);
  // Similar names come before the state of the jobs, because a long cause is cut at its end.
  const std::string near = co_await similar_names(selector.name);
  const std::string job = required_job(selector);
  const auto all = co_await jobs(job);
  if (!all) co_return what + near;
  if (!job.empty()) co_return what + near + "; " + describe_job(job, *all, redactions_);
  const std::string problems = describe_unhealthy_jobs(*all, redactions_);
  if (!problems.empty()) co_return what + near + "; " + problems;
  if (!near.empty()) co_return what + near;
  if (all->empty()) co_return what + ", and Prometheus has no target to scrape";
  co_return fmt::format("{}: no target exports it; scrape jobs: {}",
                        what,
                        listed(*all, redactions_));
}

awaitable<std::string> DiagnosisRun::cause_of(Selector selector) {
  // The past first: a series that existed lately was scraped, so its selector was right.
  const auto past = co_await count(selector, "job", When::last_hour);
  if (!past) co_return std::string();
  if (!past->empty()) {
    auto cause = co_await cause_of_past(std::move(selector), *past);
    co_return cause;
  }
  if (selector.name.empty()) {
    co_return fmt::format("{} matches no series, now or within the last hour", describe(selector));
  }
  // The name without matchers: with series now, a matcher excludes them; with series in the last
  // hour, they ended; else nothing has exported it since.
  const Selector name_alone{selector.name, {}, {}, false};
  const auto bare = co_await count(name_alone, "job", When::now);
  if (!bare) co_return std::string();
  if (!bare->empty()) {
    auto cause = co_await cause_in_matchers(std::move(selector));
    co_return cause;
  }
  const auto before = co_await count(name_alone, "job", When::last_hour);
  if (!before) co_return std::string();
  if (!before->empty()) {
    auto cause = co_await cause_of_past(std::move(selector), *before);
    co_return cause;
  }
  auto cause = co_await cause_of_missing_name(std::move(selector));
  co_return cause;
}

// Every selector has series, but perhaps too few samples within its range: rate() and similar
// functions need two. A series whose scrape job was removed keeps its last sample for minutes.
awaitable<std::string> DiagnosisRun::cause_in_ranges(std::vector<Selector> selectors,
                                                     bool are_all) {
  for (const Selector& selector : selectors) {
    if (selector.range.empty()) continue;
    const auto most = co_await query(
        fmt::format("max (count_over_time({}[{}]))", text_of(selector), selector.range),
        "");
    if (!most) co_return std::string();
    // The series with the most samples: when it has enough, the range is not the cause.
    if (total(*most) >= (selector.needs_two_samples ? 2 : 1)) continue;
    const std::string what = fmt::format("no series of {} has {} within [{}]",
                                         describe(selector),
                                         selector.needs_two_samples ? "two samples" : "a sample",
                                         selector.range);
    const std::string problem = co_await scrape_problem(selector);
    if (!problem.empty()) co_return with_cause(what, problem);
    if (!selector.needs_two_samples) co_return what;
    // Four intervals, so that a rate survives a scrape that failed.
    co_return fmt::format("{}, which a rate needs; widen [{}] to four scrape intervals",
                          what,
                          selector.range);
  }
  // A selector that was omitted may be the one without series.
  if (!are_all) co_return std::string();
  co_return std::string(
      "every selector of the query has series, but a comparison, a join or a function removes all "
      "of them");
}

// Why the series of `selector` are no longer scraped; empty: they are, or the cause is unknown.
awaitable<std::string> DiagnosisRun::scrape_problem(Selector selector) {
  // An instant selector still has the series for some minutes, and with them the job.
  const auto by_job = co_await count(selector, "job", When::now);
  if (!by_job || by_job->empty() || by_job->begin()->first.empty()) co_return std::string();
  const std::string job = by_job->begin()->first;
  const auto all = co_await jobs(job);
  if (!all || has_target_up(job, *all)) co_return std::string();
  co_return describe_job(job, *all, redactions_);
}

awaitable<Diagnosis> DiagnosisRun::run(std::string query) {
  const auto word = promql::undiagnosable_word(query);
  if (word) {
    note(fmt::format("queries with {} are not diagnosed", *word));
    co_return std::move(out_);
  }
  const auto selectors = promql::parse_selectors(query);
  for (const Selector& selector : selectors) {
    // In the order of the query. The first selector without series is enough: most operators have
    // no result without one of their sides.
    const auto present = co_await count(selector, "", When::now);
    if (!present) co_return std::move(out_);
    if (total(*present) > 0) continue;
    out_.cause = co_await cause_of(selector);
    co_return std::move(out_);
  }
  if (!selectors.empty())
    out_.cause = co_await cause_in_ranges(selectors, !promql::has_omitted_selectors(query));
  co_return std::move(out_);
}

}  // namespace

awaitable<Diagnosis> diagnose_query(Api* api, std::string query, Deadline deadline) {
  DiagnosisRun diagnosis(*api, deadline);
  auto out = co_await diagnosis.run(std::move(query));
  // A cause becomes part of a Status, and so of an event and of a condition of the HPA.
  out.cause = shortened(std::move(out.cause), kMaxCauseBytes);
  co_return out;
}

}  // namespace weir::scalers::backends::prometheus
