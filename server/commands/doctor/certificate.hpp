// Checks the certificate of a server against the APIService, as the kube-apiserver does: the name
// has to be <service>.<namespace>.svc, in the subject alternative names. Pure.
#pragma once

#include "scalers/deadline.hpp"
#include "server/commands/doctor/finding.hpp"
#include "server/commands/doctor/objects.hpp"

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace weir::server::doctor {

// In the order in which a server sends it: its own certificate first. The pointers are not shared;
// they are shared_ptr because of their deleter.
using Chain = std::vector<std::shared_ptr<X509>>;

// The caBundle of the APIService, without a server's certificate.
[[nodiscard]] Findings check_ca_bundle(const ApiServiceObject& api_service, WallTime now);

// The chain that `object` sent: it has to be valid at `now`, have the name of `api_service`'s
// Service, and have a valid chain to the caBundle.
[[nodiscard]] Findings check_chain(const std::string& object,
                                   const Chain& chain,
                                   const ApiServiceObject& api_service,
                                   WallTime now);

}  // namespace weir::server::doctor
