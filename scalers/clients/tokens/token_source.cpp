// The times of a token, and the pauses after a failure.
#include "scalers/clients/tokens/token_source.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace weir::scalers::clients {
namespace {

// Longer than a read waits, because the next one needs the token as well.
constexpr Duration kFetchBudget{10'000};
// Of the time that a read has left: so that its error says what it waited for.
constexpr int kWaitPercent = 90;
constexpr Duration kRefusedPause{30'000};
constexpr Duration kUnreachablePause{2'000};
constexpr Duration kPause{10'000};
// A younger token that a server refuses would be refused again.
constexpr Duration kMinAgeToReject{30'000};
constexpr Duration kMaxAgeToReject{600'000};
// A request with the token is under way for a moment.
constexpr Duration kMaxReserve{10'000};

Duration pause_after(Errc code) {
  if (code == Errc::refused) return kRefusedPause;
  const bool is_unreachable = code == Errc::unreachable || code == Errc::timed_out;
  return is_unreachable ? kUnreachablePause : kPause;
}

std::size_t hash_of(const std::vector<SecretFile>& files) {
  std::string contents;
  for (const SecretFile& file : files) {
    const auto content = file.read();
    contents += content ? content->reveal() : content.error().detail;
    contents += '\0';
  }
  return std::hash<std::string>{}(contents);
}

GrantPtr shared(Grant grant) { return std::make_shared<const Grant>(std::move(grant)); }

}  // namespace

TokenSource::TokenSource(Loop& loop, const Clock& clock, std::unique_ptr<Provider> provider)
    : loop_(loop),
      clock_(clock),
      provider_(std::move(provider)),
      min_age_to_reject_(kMinAgeToReject),
      fetches_(loop) {}

awaitable<Result<GrantPtr>> TokenSource::get(std::shared_ptr<TokenSource> self, Deadline deadline) {
  if (self->provider_->is_local()) {
    auto grant = co_await self->provider_->fetch(deadline);
    if (!grant) co_return grant.error();
    self->grant_ = shared(std::move(*grant));
    co_return self->grant_;
  }
  const SteadyTime now = self->clock_.steady();
  if (self->grant_ && now < self->ends_at_) {
    // Renewed in the background.
    const bool is_due = now >= self->renew_at_ && !self->is_failure_cached(now);
    if (is_due) static_cast<void>(fetch(self));
    co_return self->grant_;
  }
  if (self->is_failure_cached(now)) co_return *self->failure_;
  const auto in_flight = fetch(self);
  const Duration budget = deadline.left(now) * kWaitPercent / 100;
  const bool is_done = co_await in_flight->wait(Deadline::after(now, budget), now);
  if (!is_done) co_return Error{Errc::refused, "the login did not get a response in time", ""};
  if (!in_flight->value()) co_return Error{Errc::refused, "the login was canceled", ""};
  co_return *in_flight->value();
}

TokenSource::Fetches::InFlightPtr TokenSource::fetch(const std::shared_ptr<TokenSource>& self) {
  auto joined = self->fetches_.join_or_start("", self->clock_.steady(), kFetchBudget);
  if (joined.is_started) {
    boost::asio::co_spawn(self->loop_.get_executor(),
                          run(self, Fetches::Run(joined.in_flight)),
                          rethrow);
  }
  return std::move(joined.in_flight);
}

awaitable<void> TokenSource::run(std::shared_ptr<TokenSource> self, Fetches::Run run) {
  const SteadyTime asked_at = self->clock_.steady();
  // Before, because a file may change while the provider decides about the old one.
  const std::size_t files = hash_of(self->provider_->files());
  auto outcome = co_await self->provider_->fetch(Deadline::after(asked_at, kFetchBudget));
  run.complete(self->store(std::move(outcome), asked_at, files));
}

Result<GrantPtr> TokenSource::store(Result<Grant> outcome, SteadyTime asked_at, std::size_t files) {
  const SteadyTime now = clock_.steady();
  if (!outcome) {
    const Error& error = outcome.error();
    retry_at_ = now + pause_after(error.code);
    failed_at_ = now;
    files_of_failure_ = files;
    // The backend itself has not failed, so nothing that follows an outage applies (settle).
    failure_ = Error{Errc::refused, error.detail, error.remote};
    return *failure_;
  }
  failure_.reset();
  if (grant_ && !is_refused_) min_age_to_reject_ = kMinAgeToReject;
  is_refused_ = false;
  const Duration life = outcome->life.value_or(Duration{0});
  grant_ = shared(std::move(*outcome));
  granted_at_ = now;
  renew_at_ = asked_at + life * 4 / 5;
  ends_at_ = asked_at + life - std::min(kMaxReserve, life / 20);
  wall_ends_at_ = clock_.wall() + std::chrono::duration_cast<Duration>(ends_at_ - now);
  return grant_;
}

bool TokenSource::is_failure_cached(SteadyTime now) const {
  return failure_ && now < retry_at_ && files_of_failure_ == hash_of(provider_->files());
}

void TokenSource::reject(const std::shared_ptr<TokenSource>& self, const GrantPtr& grant) {
  // Those of files are read for each request.
  if (grant != self->grant_ || self->provider_->is_local()) return;
  const SteadyTime now = self->clock_.steady();
  const SteadyTime::duration age = now - self->granted_at_;
  const bool is_first = !std::exchange(self->is_refused_, true);
  if (is_first && age >= kMaxAgeToReject) self->min_age_to_reject_ = kMinAgeToReject;
  // A renewal that is due is tried by every read.
  if (age < self->min_age_to_reject_ || now >= self->renew_at_) return;
  self->min_age_to_reject_ = std::min(self->min_age_to_reject_ * 2, kMaxAgeToReject);
  self->renew_at_ = now;
  // Not by the next read, which would still be sent with the refused one.
  static_cast<void>(fetch(self));
}

}  // namespace weir::scalers::clients
