// The identity that a platform gives a pod by variables of its environment. The server reads them;
// no other variable makes a difference to scalers.
#pragma once

#include <string>

namespace weir::scalers {

// Each is empty when the variable is not set.
struct IdentityVariables {
  // EKS, IAM roles for service accounts.
  std::string aws_role_arn = {};
  std::string aws_web_identity_token_file = {};
  std::string aws_role_session_name = {};
  // EKS Pod Identity.
  std::string aws_container_credentials_full_uri = {};
  std::string aws_container_authorization_token_file = {};
  // AKS workload identity.
  std::string azure_client_id = {};
  std::string azure_tenant_id = {};
  std::string azure_federated_token_file = {};
  std::string azure_authority_host = {};
  // Google.
  std::string google_application_credentials = {};
  std::string gce_metadata_host = {};
};

}  // namespace weir::scalers
