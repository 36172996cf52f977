// Whom a backend gets its short-lived credentials from. One provider a kind of identity; a
// TokenSource owns it and keeps what it gave. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::scalers::clients {

// What a provider gave.
struct Grant {
  Secret secret;         // the bearer token, or the secret access key of AWS
  std::string key_id;    // of AWS; empty: a bearer token
  Secret session_token;  // of AWS; empty: none
  // From the time of the request on; nullopt: as long as the files have it.
  std::optional<Duration> life = {};
};
// Second owners: the source, and the requests under way.
using GrantPtr = std::shared_ptr<const Grant>;

class Provider {
 public:
  Provider() = default;
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  virtual ~Provider() = default;

  // Errc::refused when the provider refuses, or a file cannot be used; overloaded, unreachable,
  // tls, timed_out and bad_reply as their names say. No error holds a secret or names a host.
  [[nodiscard]] virtual awaitable<Result<Grant>> fetch(Deadline deadline) = 0;
  // The files that fetch() sends: once they change, a refusal says nothing any more.
  [[nodiscard]] virtual std::vector<SecretFile> files() const = 0;
  // Whether fetch() only reads files, so that its grants are not kept.
  [[nodiscard]] virtual bool is_local() const { return false; }
};

}  // namespace weir::scalers::clients
