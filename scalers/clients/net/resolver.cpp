// getaddrinfo blocks, so that it runs on threads; everything else of a lookup stays on the loop.
#include "scalers/clients/net/resolver.hpp"

#include <arpa/inet.h>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace weir::scalers::clients {
namespace {

// getaddrinfo does not report a record's time to live. A failure is cached for a shorter time,
// because the Service that the name belongs to may be created at any moment.
constexpr auto kAddressTtl = std::chrono::seconds{30};
constexpr auto kFailureTtl = std::chrono::seconds{1};
// Cluster DNS itself serves records that are up to 30 s old, and gets each question of a second.
constexpr auto kLookUpInterval = std::chrono::seconds{1};
// More than one, because a silent name server blocks a thread for seconds (resolv.conf(5): 5 s per
// attempt).
constexpr std::size_t kThreads = 4;
// Not a hard limit: from this size on expired entries are dropped, valid ones stay.
constexpr std::size_t kMaxCachedHosts = 1024;

bool is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::string numeric_text(const addrinfo& info) {
  std::array<char, NI_MAXHOST> text{};
  // After a failure the text is empty, and look_up() skips the address.
  ::getnameinfo(info.ai_addr,
                info.ai_addrlen,
                text.data(),
                text.size(),
                nullptr,
                0,
                NI_NUMERICHOST);
  return text.data();
}

Result<Addresses> canceled() { return Error{Errc::unreachable, "the lookup was canceled", ""}; }

// Whether the name servers say that there is no such address, and not that they cannot know.
bool is_definite(int failure) { return failure == EAI_NONAME || failure == EAI_NODATA; }

int family_of(Family family) {
  switch (family) {
    case Family::ipv4:
    case Family::ipv4_or_else_ipv6: return AF_INET;
    case Family::ipv6: return AF_INET6;
    case Family::all: break;
  }
  return AF_UNSPEC;
}

// Blocks for as long as the name servers take.
Result<Addresses> look_up_name(const std::string& host, Family family) {
  addrinfo hints{};
  hints.ai_family = family_of(family);
  // Without a socket type each address would be listed once per type.
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* results = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &results);
  if (is_definite(failed) && family == Family::ipv4_or_else_ipv6)
    return look_up_name(host, Family::ipv6);
  if (failed != 0) {
    return Error{Errc::unreachable,
                 fmt::format("its host name does not resolve ({})", ::gai_strerror(failed)),
                 ""};
  }
  // In the order of getaddrinfo (RFC 6724), in which Happy Eyeballs tries the addresses.
  Addresses out;
  for (const addrinfo* info = results; info != nullptr; info = info->ai_next) {
    std::string text = numeric_text(*info);
    // A name server may list an address more than once.
    if (!text.empty() && std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
  }
  ::freeaddrinfo(results);
  if (out.empty()) return Error{Errc::unreachable, "its host name resolves to no address", ""};
  return out;
}

}  // namespace

// What the loop and the lookup threads share. A thread may be inside getaddrinfo when the resolver
// is destroyed: it then sees is_closed and ends without touching the loop.
struct Resolver::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Name> names;  // to look up
  bool is_closed = false;  // only the loop's thread writes it, and reads it without the lock

  static void run(std::shared_ptr<Shared> shared, Resolver* resolver) {
    std::unique_lock lock(shared->mutex);
    while (true) {
      shared->changed.wait(lock, [&] { return shared->is_closed || !shared->names.empty(); });
      if (shared->is_closed) return;
      Name name = std::move(shared->names.front());
      shared->names.pop_front();
      lock.unlock();
      auto outcome = look_up_name(name.host, name.family);
      lock.lock();
      if (shared->is_closed) return;
      // Not closed, and the lock is held: the resolver and its loop still exist. The resolver may
      // be gone by the time the loop runs the handler, which therefore checks again.
      boost::asio::post(
          resolver->loop_,
          [shared, resolver, name = std::move(name), outcome = std::move(outcome)]() mutable {
            if (!shared->is_closed) resolver->finish(name, std::move(outcome));
          });
    }
  }
};

Resolver::Resolver(Loop& loop) : loop_(loop), shared_(std::make_shared<Shared>()), look_ups_(loop) {
  // Detached, because getaddrinfo cannot be interrupted and may outlast a shutdown.
  for (std::size_t i = 0; i < kThreads; ++i) std::thread(Shared::run, shared_, this).detach();
}

Resolver::~Resolver() { close(); }

void Resolver::close() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->is_closed = true;
    shared_->names.clear();
  }
  shared_->changed.notify_all();
  look_ups_.abandon_all();
}

std::string Resolver::Name::key() const {
  // No name has a NUL byte.
  return family == Family::all ? host : host + '\0' + static_cast<char>(family);
}

void Resolver::start(const Name& name) {
  const std::lock_guard lock(shared_->mutex);
  shared_->names.push_back(name);
  shared_->changed.notify_one();
}

void Resolver::finish(const Name& name, Result<Addresses> outcome) {
  const auto now = std::chrono::steady_clock::now();
  if (cache_.size() >= kMaxCachedHosts) {
    std::erase_if(cache_, [&](const auto& entry) { return entry.second.valid_until <= now; });
  }
  const auto ttl = outcome ? SteadyTime::duration(kAddressTtl) : SteadyTime::duration(kFailureTtl);
  const std::string key = name.key();
  cache_.insert_or_assign(key, Cached{outcome, now + ttl, now});
  if (const auto look_up = look_ups_.find(key)) look_up->complete(std::move(outcome));
}

awaitable<Result<Addresses>> Resolver::resolve(std::string host, Deadline deadline) {
  return find({std::move(host), Family::all}, SteadyTime::min(), deadline);
}

awaitable<Result<Addresses>> Resolver::look_up(std::string host, Family family, Deadline deadline) {
  const auto now = std::chrono::steady_clock::now();
  return find({std::move(host), family}, now - kLookUpInterval, deadline);
}

awaitable<Result<Addresses>> Resolver::find(Name name, SteadyTime oldest, Deadline deadline) {
  if (is_numeric(name.host)) co_return Addresses{std::move(name.host)};
  if (shared_->is_closed) co_return canceled();
  const auto now = std::chrono::steady_clock::now();
  const std::string key = name.key();
  const auto cached = cache_.find(key);
  if (cached != cache_.end() && cached->second.valid_until > now &&
      cached->second.looked_up > oldest)
    co_return cached->second.outcome;
  const auto joined = look_ups_.join_or_start(key, now, deadline.left(now));
  if (joined.is_started) start(name);
  const bool is_done = co_await joined.in_flight->wait(deadline, now);
  // The lookup continues, and its result is cached for later callers.
  if (!is_done) co_return Error{Errc::timed_out, "its host name is still being resolved", ""};
  // Without a value close() has abandoned the lookup.
  co_return joined.in_flight->value().value_or(canceled());
}

}  // namespace weir::scalers::clients
