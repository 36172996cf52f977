// Keeps what a provider gave: fetched when a read needs it, for all reads at once (single flight),
// and renewed in the background from four fifths of its life on, while the old one serves. Loop
// thread only.
#pragma once

#include "scalers/clients/tokens/provider.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/single_flight.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace weir::scalers::clients {

class TokenSource {
 public:
  // `loop` and `clock` outlive the source and its fetches.
  TokenSource(Loop& loop, const Clock& clock, std::unique_ptr<Provider> provider);
  TokenSource(const TokenSource&) = delete;
  TokenSource& operator=(const TokenSource&) = delete;
  ~TokenSource() = default;

  // Never null. Every failure is Errc::refused, and is cached: 30 s for a refusal or until a
  // credential file changes, 2 s when the provider could not be reached, 10 s else. A fetch that
  // takes longer than nine tenths of the time left goes on for 10 s, for later reads.
  // `self` keeps the source until the end.
  [[nodiscard]] static awaitable<Result<GrantPtr>> get(std::shared_ptr<TokenSource> self,
                                                       Deadline deadline);
  // The server has refused `grant`: starts its renewal, unless it is younger than 30 s. Each
  // renewal doubles that age, to 10 min at most, because it may not help: a tenant may be locked. A
  // grant that serves 10 min, or until its regular renewal, without a refusal ends this.
  static void reject(const std::shared_ptr<TokenSource>& self, const GrantPtr& grant);
  // The last grant, for what must not appear in errors; null: none yet.
  [[nodiscard]] const GrantPtr& last() const { return grant_; }
  // Why the last fetch failed; nullopt: it did not. A grant from before may still serve.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // When that fetch ended.
  [[nodiscard]] SteadyTime failed_at() const { return failed_at_; }
  [[nodiscard]] bool is_serving() const { return grant_ && clock_.steady() < ends_at_; }
  // Until when the last grant is used; nullopt: there is none yet, or it comes from files.
  [[nodiscard]] const std::optional<WallTime>& ends_at() const { return wall_ends_at_; }

 private:
  using Fetches = SingleFlight<std::string, Result<GrantPtr>>;

  // Joins the fetch in flight, or starts one.
  [[nodiscard]] static Fetches::InFlightPtr fetch(const std::shared_ptr<TokenSource>& self);
  static awaitable<void> run(std::shared_ptr<TokenSource> self, Fetches::Run run);
  // `files`: a hash of what the fetch may have sent.
  [[nodiscard]] Result<GrantPtr> store(Result<Grant> outcome,
                                       SteadyTime asked_at,
                                       std::size_t files);
  // Whether the last failure is still the answer.
  [[nodiscard]] bool is_failure_cached(SteadyTime now) const;

  Loop& loop_;
  const Clock& clock_;
  std::unique_ptr<Provider> provider_;
  GrantPtr grant_;
  SteadyTime granted_at_{};
  SteadyTime renew_at_{};
  SteadyTime ends_at_{};
  std::optional<WallTime> wall_ends_at_;  // the same, for people
  bool is_refused_ = false;  // the server has refused grant_, perhaps for one of several tenants
  Duration min_age_to_reject_;
  std::optional<Error> failure_;
  SteadyTime failed_at_{};
  SteadyTime retry_at_{};
  std::size_t files_of_failure_ = 0;  // a hash of their contents before the fetch
  Fetches fetches_;
};

}  // namespace weir::scalers::clients
