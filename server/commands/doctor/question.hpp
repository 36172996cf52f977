// One question to the kube-apiserver, and what it means when it brings nothing to look at. Pure.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/error.hpp"
#include "server/commands/doctor/finding.hpp"

#include <optional>
#include <string>

namespace weir::server::doctor {

struct Question {
  std::string object;  // "Service weir-system/weir"
  std::string path;
  std::string query;       // encoded; empty: none
  std::string permission;  // "get services in weir-system"; empty: everybody has it
  std::string body{};      // not empty: it is a POST
};

// Why the object could not be looked at, and which right the asking account lacks; nullopt for an
// object, and for a 404, which means something else for each.
[[nodiscard]] std::optional<Finding> unseen(
    const Question& question,
    const scalers::Result<scalers::clients::HttpReply>& reply);

// Whether the first question shows that no other one can be answered, and why.
[[nodiscard]] std::optional<Finding> unreachable_server(
    const Question& question,
    const scalers::Result<scalers::clients::HttpReply>& reply);

}  // namespace weir::server::doctor
