// When a failing read has a line in the log, apart from the reads, because a namespace with many of
// them must not fill the log.
#include "scalers/read/failures/failing_reads.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir::scalers::read {
namespace {

// How often forget_unread() looks: the failures of deleted HPAs are few.
constexpr Duration kForgetPause{10'000};
// Callers choose labels and their values.
constexpr std::size_t kMaxLabelsBytes = 512;

std::string key_of(const FailingRead& read) {
  // No name of Kubernetes has a line break.
  return fmt::format("{}\n{}\n{}", read.name_space, read.metric, read.labels);
}

std::string bounded(std::string text) {
  if (text.size() <= kMaxLabelsBytes) return text;
  // The size keeps apart what has the same beginning.
  const std::size_t size = text.size();
  text.resize(kMaxLabelsBytes);
  return text + fmt::format("... ({} bytes)", size);
}

std::string text_of(const LabelRequirement& one) {
  using Operator = LabelRequirement::Operator;
  const std::string values = fmt::format("{}", fmt::join(one.values, ","));
  switch (one.op) {
    case Operator::in: return fmt::format("{} in ({})", one.key, values);
    case Operator::not_in: return fmt::format("{} notin ({})", one.key, values);
    case Operator::equals:
    case Operator::double_equals: return fmt::format("{}={}", one.key, values);
    case Operator::not_equals: return fmt::format("{}!={}", one.key, values);
    case Operator::exists: return one.key;
    case Operator::does_not_exist: return "!" + one.key;
    case Operator::greater_than: return fmt::format("{}>{}", one.key, values);
    case Operator::less_than: return fmt::format("{}<{}", one.key, values);
  }
  return one.key;
}

}  // namespace

std::string text_of(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels)
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", name, value);
  return bounded(std::move(out));
}

std::string text_of(const std::vector<LabelRequirement>& filter) {
  std::string out;
  for (const LabelRequirement& one : filter)
    out += fmt::format("{}{}", out.empty() ? "" : ",", text_of(one));
  return bounded(std::move(out));
}

const FailingReads::Failure* FailingReads::note(FailingRead read,
                                                const std::string& key,
                                                const Error& error,
                                                bool has_cause,
                                                bool awaits_cause,
                                                SteadyTime now) {
  forget_unread(now);
  const std::string id = key_of(read);
  Failure* failure = failures_.find(id);
  if (failure == nullptr) {
    const std::string name_space = read.name_space;
    failures_.put(id, name_space, {std::move(read), key, error, now, now});
    failure = failures_.find(id);
  }
  failure->key = key;  // a reload may have changed the query
  failure->last_at = now;
  const bool is_news = failure->logged != error.code || (has_cause && !failure->has_logged_cause);
  // Also without a line: /metrics shows the code.
  if (is_news || failure->error.code != error.code) failure->error = error;
  if (!is_news) return nullptr;
  if (awaits_cause || !take_line(failure->read.name_space, now)) return nullptr;
  failure->logged = error.code;
  failure->has_logged_cause = has_cause;
  return failure;
}

std::vector<FailingReads::Failure> FailingReads::take_diagnosed(const std::string& key,
                                                                Errc code,
                                                                bool has_cause,
                                                                SteadyTime now) {
  std::vector<Failure> out;
  // Nothing is erased: erase_if() is the way to change all.
  failures_.erase_if([&](Failure& failure) {
    const bool is_waiting = failure.key == key && failure.error.code == code &&
                            (failure.logged != code || (has_cause && !failure.has_logged_cause));
    if (!is_waiting || !take_line(failure.read.name_space, now)) return false;
    failure.logged = code;
    failure.has_logged_cause = has_cause;
    out.push_back(failure);
    return false;
  });
  return out;
}

void FailingReads::adopt(Failure failure) {
  const std::string id = key_of(failure.read);
  const std::string name_space = failure.read.name_space;
  if (failures_.find(id) == nullptr) failures_.put(id, name_space, std::move(failure));
}

void FailingReads::refill(Budget& budget, const LineRate& rate, SteadyTime now) {
  const std::chrono::duration<double> passed = now - budget.at;
  budget.lines =
      std::min(rate.burst, budget.lines + passed / std::chrono::duration<double>(rate.span));
  budget.at = now;
}

bool FailingReads::take_line(const std::string& name_space, SteadyTime now) {
  const auto own = budgets_.try_emplace(name_space, Budget{kLinesOfNamespace.burst, now}).first;
  refill(own->second, kLinesOfNamespace, now);
  refill(of_backend_, kLinesOfBackend, now);
  if (own->second.lines < 1 || of_backend_.lines < 1) return false;
  own->second.lines -= 1;
  of_backend_.lines -= 1;
  return true;
}

void FailingReads::forget_unread(SteadyTime now) {
  if (now - forgot_at_ < kForgetPause) return;
  forgot_at_ = now;
  failures_.erase_if(
      [now](const Failure& failure) { return now - failure.last_at >= kFailureKept; });
  // A full budget is that of a namespace without one.
  for (auto& [name_space, budget] : budgets_) refill(budget, kLinesOfNamespace, now);
  std::erase_if(budgets_,
                [](const auto& one) { return one.second.lines >= kLinesOfNamespace.burst; });
}

}  // namespace weir::scalers::read
