// Signature Version 4, with which services of AWS verify who sends a request and that nobody
// changed it. Pure.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/settings/secret.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::clients {

// A request as it is sent. The signature covers all of it, and each of the headers.
struct SignedRequest {
  std::string method;
  std::string path;   // as in the request line; empty for the root
  std::string query;  // the same, without '?'
  std::vector<std::pair<std::string, std::string>> headers;  // with Host and X-Amz-Date
  std::string body;
};

// Whose signature, and for what it is valid.
struct Signer {
  std::string key_id;
  Secret key;
  std::string region;
  std::string service;
};

// "20260131T235959Z": the value of X-Amz-Date.
[[nodiscard]] std::string amz_date(WallTime time);

// The text whose digest is signed. Parameters are sorted and encoded again, and the path is
// normalized and encoded once more than in the request, as every service but S3 does.
[[nodiscard]] std::string canonical_request(const SignedRequest& request);

// The value of the header Authorization. `time` is that of X-Amz-Date.
[[nodiscard]] std::string authorization_of(const SignedRequest& request,
                                           const Signer& signer,
                                           WallTime time);

}  // namespace weir::scalers::clients
