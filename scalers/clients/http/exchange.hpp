// One request and its reply over one stream. Loop thread only.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/clients/net/stream.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"

#include <memory>

namespace weir::scalers::clients {

struct HttpExchange {
  Result<HttpReply> outcome;
  bool is_unheard = false;  // the stream ended before the first byte of a reply
  bool is_kept = false;     // the stream may serve another request
};

// The request is sent before its reply is read. Errc::unreachable when the stream is lost,
// timed_out at the deadline, too_large over the request's max_body_bytes, bad_reply for what is no
// HTTP, or is cut off. A stream of the request's `on_chunk` that is not wanted any more is a reply.
[[nodiscard]] awaitable<HttpExchange> exchange(Loop& loop,
                                               std::shared_ptr<Stream> stream,
                                               std::shared_ptr<const HttpRequest> request,
                                               Deadline deadline);

}  // namespace weir::scalers::clients
