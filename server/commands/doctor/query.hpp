// One query to the kube-apiserver, and the finding when it returns no object. Pure.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/error.hpp"
#include "server/commands/doctor/finding.hpp"

#include <optional>
#include <string>

namespace weir::server::doctor {

struct Query {
  std::string object;  // "Service weir-system/weir"
  std::string path;
  std::string query;       // encoded; empty: none
  std::string permission;  // "get services in weir-system"; empty: every account has it
  std::string body{};      // not empty: the query is a POST
};

// Why the object could not be read, and the permission that the account lacks; nullopt for an
// object, and for a 404, whose meaning depends on the object.
[[nodiscard]] std::optional<Finding> unreadable(
    const Query& query,
    const scalers::Result<scalers::clients::HttpReply>& reply);

// A finding when the reply to the first query shows that no other query can succeed.
[[nodiscard]] std::optional<Finding> unreachable_server(
    const Query& query,
    const scalers::Result<scalers::clients::HttpReply>& reply);

}  // namespace weir::server::doctor
