#include "scalers/backends/prometheus/diagnosis.hpp"

#include "scalers/backends/prometheus/findings.hpp"
#include "scalers/backends/prometheus/selectors.hpp"
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

std::string with_cause(const std::string& what, const std::string& cause) {
  return cause.empty() ? what : fmt::format("{}: {}", what, cause);
}

// One look. Each question's failure ends it with what is known by then.
class Look {
 public:
  Look(Api& api, Deadline deadline) : api_(api), deadline_(deadline), hidden_(api.hidden()) {}

  [[nodiscard]] awaitable<Diagnosis> run(std::string query);

 private:
  // Series of `selector`, within the last hour or at this moment, by the value of `label`.
  enum class When { now, last_hour };
  [[nodiscard]] awaitable<Result<Counts>> count(const Selector& selector,
                                                std::string label,
                                                When when);
  [[nodiscard]] awaitable<Result<Counts>> query(std::string promql, std::string label);
  template <class T>
  [[nodiscard]] awaitable<Result<T>> ask(ApiQuestion question,
                                         std::function<Result<T>(long, std::string_view)> parse);
  // All of them; dropped targets are known of `job`, or when it is empty of those without others.
  [[nodiscard]] awaitable<Result<Jobs>> jobs(std::string job);
  [[nodiscard]] awaitable<std::string> near_names(std::string name);

  // Each gives the cause as a clause; empty: none was found.
  [[nodiscard]] awaitable<std::string> cause_of(Selector selector);
  [[nodiscard]] awaitable<std::string> cause_of_past(Selector selector, Counts by_job);
  [[nodiscard]] awaitable<std::string> cause_in_matchers(Selector selector);
  [[nodiscard]] awaitable<std::string> cause_of_unknown(Selector selector);
  [[nodiscard]] awaitable<std::string> cause_in_ranges(std::vector<Selector> selectors);
  [[nodiscard]] awaitable<std::string> trouble_of_job(Selector selector);

  void note(std::string finding) { out_.findings.push_back(std::move(finding)); }

  Api& api_;
  Deadline deadline_;
  std::vector<std::string> hidden_;
  Diagnosis out_;
};

// The job that a selector insists on; empty: none.
std::string job_of(const Selector& selector) {
  const auto found = std::ranges::find_if(selector.matchers, [](const Matcher& matcher) {
    return matcher.label == "job" && matcher.op == "=";
  });
  return found == selector.matchers.end() ? std::string() : found->value;
}

std::string named(const Selector& selector) {
  if (selector.name.empty()) return "a selector without a name";
  return fmt::format("\"{}\"", selector.name);
}

double total(const Counts& counts) {
  double out = 0;
  for (const auto& [value, count] : counts) out += count;
  return out;
}

template <class T>
awaitable<Result<T>> Look::ask(ApiQuestion question,
                               std::function<Result<T>(long, std::string_view)> parse) {
  if (out_.queries >= kMaxQuestions) {
    co_return Error{Errc::too_many, "the look was ended: it took too many questions", ""};
  }
  ++out_.queries;
  // Shared with the client, whose thread may still fill it when ask() has ended without an answer.
  const auto parsed = std::make_shared<Result<T>>(Error{Errc::bad_reply, "no answer came", ""});
  Api::Digest digest = [parsed, parse = std::move(parse)](long status, std::string_view body) {
    *parsed = parse(status, body);
  };
  const std::string page = question.page;
  auto failed = co_await api_.ask(std::move(question), std::move(digest), deadline_);
  if (failed) {
    note(fmt::format("asking {} failed: {}", page, failed->message()));
    co_return std::move(*failed);
  }
  if (!*parsed) note(fmt::format("asking {} failed: {}", page, parsed->error().message()));
  co_return std::move(*parsed);
}

awaitable<Result<Counts>> Look::query(std::string promql, std::string label) {
  const auto left = deadline_.left(std::chrono::steady_clock::now());
  ApiQuestion question{"query",
                       fmt::format("query={}&timeout={}ms",
                                   percent_encoded(promql),
                                   std::max<Duration::rep>(1, left.count())),
                       true};
  std::function<Result<Counts>(long, std::string_view)> parse =
      [label = std::move(label), hidden = hidden_](long status, std::string_view body) {
        return parse_counts(status, body, label, hidden);
      };
  auto counts = co_await ask<Counts>(std::move(question), std::move(parse));
  if (counts) note(fmt::format("{} = {:g}", promql, total(*counts)));
  co_return counts;
}

awaitable<Result<Counts>> Look::count(const Selector& selector, std::string label, When when) {
  const std::string text = text_of(selector);
  const std::string inner = when == When::now ? text : fmt::format("last_over_time({}[1h])", text);
  const std::string by = label.empty() ? "" : fmt::format(" by ({})", label);
  return query(fmt::format("count{} ({})", by, inner), std::move(label));
}

// A large Prometheus has far more dropped targets than active ones: they are asked for only when
// they may be the answer, and nothing is said of them when there are too many.
awaitable<Result<Jobs>> Look::jobs(std::string job) {
  std::function<Result<Jobs>(long, std::string_view)> parse = parse_targets;
  auto known = co_await ask<Jobs>({"targets", "state=active", false}, std::move(parse));
  if (!known) co_return known.error();
  std::function<Result<Jobs>(long, std::string_view)> add = [jobs = *known](long status,
                                                                            std::string_view body) {
    Jobs more = jobs;
    add_pools(status, body, more);
    return Result<Jobs>(std::move(more));
  };
  auto all = co_await ask<Jobs>({"scrape_pools", "", false}, std::move(add));
  Jobs told = all ? std::move(*all) : std::move(*known);
  if (may_be_dropped(job, told)) {
    std::function<Result<Jobs>(long, std::string_view)> add_more =
        [jobs = told](long status, std::string_view body) {
          return with_dropped(status, body, jobs);
        };
    auto more = co_await ask<Jobs>({"targets", "state=dropped", false}, std::move(add_more));
    if (more) told = std::move(*more);
  }
  for (const auto& [name, one] : told) {
    note(
        fmt::format("scrape job \"{}\": {} targets, {} up{}{}",
                    addressed_text(name, hidden_),
                    one.targets,
                    one.up,
                    one.dropped == 0 ? "" : fmt::format(", {} dropped by relabelling", one.dropped),
                    one.up == one.targets ? ""
                                          : fmt::format("; {} is down: {}",
                                                        addressed_text(one.instance, {}),
                                                        addressed_text(one.error, {}))));
    if (out_.findings.size() > 2 * kMaxQuestions) break;
  }
  co_return told;
}

// Compared on the client's thread: there may be 50,000 names.
awaitable<std::string> Look::near_names(std::string name) {
  std::function<Result<std::string>(long, std::string_view)> compare =
      [name = std::move(name), hidden = hidden_](long status,
                                                 std::string_view body) -> Result<std::string> {
    const auto names = parse_names(status, body);
    if (!names) return names.error();
    const std::vector<std::string_view> views(names->begin(), names->end());
    return remote_text(did_you_mean(name, views), hidden);
  };
  const auto near =
      co_await ask<std::string>({"label/__name__/values", "", false}, std::move(compare));
  co_return near ? *near : std::string();
}

// The series ended. Either something is the matter with their job, or it exports others instead.
awaitable<std::string> Look::cause_of_past(Selector selector, Counts by_job) {
  const std::string what =
      fmt::format("{} had series within the last hour and has none at this moment",
                  named(selector));
  const std::string asked = job_of(selector);
  const std::string job = asked.empty() ? by_job.begin()->first : asked;
  if (job.empty()) co_return what;
  const auto known = co_await jobs(job);
  if (!known) co_return what;
  const std::string verdict = verdict_of(job, *known, hidden_);
  const bool is_gone = !known->contains(job);
  const bool is_in_trouble = !is_gone && !is_whole(job, *known);
  if (is_in_trouble || selector.name.empty()) co_return with_cause(what, verdict);
  const auto others = co_await count({selector.name, {}, {}, false}, "job", When::now);
  if (!others || (is_gone && others->empty())) co_return with_cause(what, verdict);
  if (others->empty()) co_return fmt::format("{}: {} and no longer exports it", what, verdict);
  const std::string why = co_await cause_in_matchers(std::move(selector));
  if (!is_gone) co_return with_cause(what, why);
  const std::string name = remote_text(job, hidden_);
  co_return with_cause(fmt::format("{}: no scrape job is named \"{}\"", what, name), why);
}

// The name has series: what removes them all?
awaitable<std::string> Look::cause_in_matchers(Selector selector) {
  for (std::size_t i = 0; i < selector.matchers.size(); ++i) {
    const Matcher& matcher = selector.matchers[i];
    auto counts = co_await count(without(selector, i), matcher.label, When::now);
    if (!counts) co_return std::string();
    if (counts->empty()) continue;
    const std::size_t others = counts->size() - counts->count("");
    const std::string what = fmt::format("{}{}\"{}\" removes all series of \"{}\"",
                                         matcher.label,
                                         matcher.op,
                                         remote_text(matcher.value, hidden_),
                                         selector.name);
    if (others == 0) co_return fmt::format("{}, which have no label {}", what, matcher.label);
    // They may be another tenant's, and this caller's label may be in the matcher: a Status shows
    // none of them.
    note(fmt::format("there {} is {}{}",
                     matcher.label,
                     listed(*counts, hidden_),
                     near_value(matcher.value, *counts, hidden_)));
    co_return fmt::format("{}, which have {}{} other value{} of {}; weir explain lists them",
                          what,
                          others < kMaxValues ? "" : "at least ",
                          others,
                          others == 1 ? "" : "s",
                          matcher.label);
  }
  co_return fmt::format("\"{}\" has series, and its matchers remove them all together",
                        selector.name);
}

// Nobody ever exported the name, or not for long.
awaitable<std::string> Look::cause_of_unknown(Selector selector) {
  const std::string what = fmt::format("no series \"{}\" is known", selector.name);
  const std::string near = co_await near_names(selector.name);
  const std::string job = job_of(selector);
  const auto known = co_await jobs(job);
  if (!known) co_return what + near;
  if (!job.empty()) co_return what + near + "; " + verdict_of(job, *known, hidden_);
  const std::string troubles = troubles_of(*known, hidden_);
  if (!troubles.empty()) co_return what + near + "; " + troubles;
  if (!near.empty()) co_return what + near;
  if (known->empty()) co_return what + ", and Prometheus has no target to scrape";
  co_return fmt::format("{}: no target exports it; the scrape jobs are {}",
                        what,
                        listed(*known, hidden_));
}

awaitable<std::string> Look::cause_of(Selector selector) {
  const auto past = co_await count(selector, "job", When::last_hour);
  if (!past) co_return std::string();
  if (!past->empty()) {
    auto why = co_await cause_of_past(std::move(selector), *past);
    co_return why;
  }
  if (selector.name.empty()) {
    co_return fmt::format("{} matches nothing, and did not within the last hour", named(selector));
  }
  const Selector name_alone{selector.name, {}, {}, false};
  const auto bare = co_await count(name_alone, "job", When::now);
  if (!bare) co_return std::string();
  if (!bare->empty()) {
    auto why = co_await cause_in_matchers(std::move(selector));
    co_return why;
  }
  const auto before = co_await count(name_alone, "job", When::last_hour);
  if (!before) co_return std::string();
  if (!before->empty()) {
    auto why = co_await cause_of_past(std::move(selector), *before);
    co_return why;
  }
  auto why = co_await cause_of_unknown(std::move(selector));
  co_return why;
}

// Every selector has series. rate() and its like need two samples of a series within the range,
// other functions one, and a series whose scrape job was removed has its last one for minutes.
awaitable<std::string> Look::cause_in_ranges(std::vector<Selector> selectors) {
  for (const Selector& selector : selectors) {
    if (selector.range.empty()) continue;
    const auto most = co_await query(
        fmt::format("max (count_over_time({}[{}]))", text_of(selector), selector.range),
        "");
    if (!most) co_return std::string();
    if (total(*most) >= (selector.takes_two_samples ? 2 : 1)) continue;
    const std::string what = fmt::format("no series of {} has {} within [{}]",
                                         named(selector),
                                         selector.takes_two_samples ? "two samples" : "a sample",
                                         selector.range);
    const std::string trouble = co_await trouble_of_job(selector);
    if (!trouble.empty()) co_return with_cause(what, trouble);
    if (!selector.takes_two_samples) co_return what;
    co_return fmt::format("{}, which a rate takes; widen [{}] to four scrape intervals",
                          what,
                          selector.range);
  }
  co_return std::string(
      "each of its selectors has series, so a comparison, a join or a function leaves none over");
}

// Why nothing scrapes the series of `selector` any longer; empty: something does, or it is not
// known.
awaitable<std::string> Look::trouble_of_job(Selector selector) {
  const auto by_job = co_await count(selector, "job", When::now);
  if (!by_job || by_job->empty() || by_job->begin()->first.empty()) co_return std::string();
  const std::string job = by_job->begin()->first;
  const auto known = co_await jobs(job);
  if (!known || has_target_up(job, *known)) co_return std::string();
  co_return verdict_of(job, *known, hidden_);
}

awaitable<Diagnosis> Look::run(std::string query) {
  const auto bent = bent_by(query);
  if (bent) {
    note(fmt::format("a query with {} is not looked into", *bent));
    co_return std::move(out_);
  }
  const auto selectors = selectors_of(query);
  for (const Selector& selector : selectors) {
    const auto present = co_await count(selector, "", When::now);
    if (!present) co_return std::move(out_);
    if (total(*present) > 0) continue;
    out_.cause = co_await cause_of(selector);
    co_return std::move(out_);
  }
  if (!selectors.empty()) out_.cause = co_await cause_in_ranges(selectors);
  co_return std::move(out_);
}

}  // namespace

awaitable<Diagnosis> look_into(Api* api, std::string query, Deadline deadline) {
  Look look(*api, deadline);
  auto found = co_await look.run(std::move(query));
  found.cause = shortened(std::move(found.cause), kMaxCauseBytes);
  co_return found;
}

}  // namespace weir::scalers::backends::prometheus
