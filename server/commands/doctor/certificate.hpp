// Judges the certificate that a server showed against what the APIService says of it, as the
// kube-apiserver would: the name is <service>.<namespace>.svc, in the alternative names alone.
// Pure.
#pragma once

#include "scalers/deadline.hpp"
#include "server/commands/doctor/finding.hpp"
#include "server/commands/doctor/objects.hpp"

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace weir::server::doctor {

// As a server shows it: its own certificate first. The pointers are shared with nobody; they are
// shared_ptr for their deleter alone.
using Chain = std::vector<std::shared_ptr<X509>>;

// The APIService's caBundle by itself.
[[nodiscard]] Findings judge_ca_bundle(const ApiServiceObject& api_service, WallTime now);

// What `object` showed, which is to be `api_service`'s Service: that it is valid at `now`, bears
// the Service's name, and leads to the caBundle.
[[nodiscard]] Findings judge_chain(const std::string& object,
                                   const Chain& chain,
                                   const ApiServiceObject& api_service,
                                   WallTime now);

}  // namespace weir::server::doctor
