#include "scalers/clients.hpp"

#include "scalers/clients/http.hpp"
#include "scalers/clients/resolver.hpp"

namespace weir::scalers {

Clients::Clients(Loop& loop)
    : resolver_(std::make_unique<clients::Resolver>(loop)),
      http_(std::make_unique<clients::HttpClient>(loop, *resolver_)) {}

Clients::~Clients() = default;

void Clients::close() {
  resolver_->close();
  http_->close();
}

}  // namespace weir::scalers
