// The settings of a redis backend: one server by url, the master of a service by Sentinels, or a
// cluster.
#pragma once

#include "scalers/backends/redis/redis.hpp"
#include "scalers/clients/redis/client.hpp"
#include "scalers/clients/redis/cluster.hpp"
#include "scalers/clients/redis/sentinel.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/table.hpp"

#include <string>
#include <variant>
#include <vector>

namespace weir::scalers::backends::redis {

struct BackendSettings {
  std::variant<clients::RedisTarget, clients::SentinelTarget, clients::ClusterTarget> target;
  RoleCheck role = RoleCheck::checked;
};

// The block of a backend. What is wrong with it is added to `problems`; the result is then not for
// use.
[[nodiscard]] BackendSettings read_backend(const Node& block, Problems& problems);

// "host:port" of the server, or of each Sentinel or node that is asked first.
[[nodiscard]] std::string address_of(const BackendSettings& settings);

// Its settings, for the documentation.
[[nodiscard]] std::vector<SettingDoc> backend_docs();

}  // namespace weir::scalers::backends::redis
