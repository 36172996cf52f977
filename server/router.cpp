#include "server/router.hpp"

#include <utility>

namespace weir::server {

awaitable<apiservice::Response> Router::answer(apiservice::Request request, Deadline deadline) {
  if (Health::is_open(request.path)) co_return health_.answer(request);
  auto refusal = co_await api_.refuse(request, deadline);
  if (refusal) co_return std::move(*refusal);
  if (Health::owns(request.path)) co_return health_.answer(request);
  auto response = co_await api_.answer(std::move(request), deadline);
  co_return response;
}

}  // namespace weir::server
