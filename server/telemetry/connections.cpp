// Each reason has its series from the start, so that the first eviction is an increase.
#include "server/telemetry/connections.hpp"

#include <string>

namespace weir::server {
namespace {

prometheus::Family<prometheus::Gauge>& open_family(prometheus::Registry& registry) {
  // Register() returns the same family for the same name and help.
  return prometheus::BuildGauge()
      .Name("weir_client_connections")
      .Help(
          "Open connections of callers: with a trusted client certificate (certified), and all "
          "others (stranger).")
      .Register(registry);
}

}  // namespace

ConnectionCounts::ConnectionCounts(prometheus::Registry& registry)
    : certified_(open_family(registry).Add({{"peer", "certified"}})),
      strangers_(open_family(registry).Add({{"peer", "stranger"}})),
      limit_(prometheus::BuildGauge()
                 .Name("weir_client_connections_limit")
                 .Help("Connections of callers that may be open, by the limits of memory and of "
                       "open files.")
                 .Register(registry)
                 .Add({})) {
  auto& family = prometheus::BuildCounter()
                     .Name("weir_client_connections_evicted_total")
                     .Help("Connections of callers that were closed in favor of others, by reason.")
                     .Register(registry);
  for (std::size_t at = 0; at < kEvictions; ++at)
    evicted_.at(at) = &family.Add({{"reason", std::string(name_of(static_cast<Eviction>(at)))}});
}

void ConnectionCounts::set(std::size_t certified, std::size_t strangers, std::size_t limit) {
  certified_.Set(static_cast<double>(certified));
  strangers_.Set(static_cast<double>(strangers));
  limit_.Set(static_cast<double>(limit));
}

}  // namespace weir::server
