// One request and its response over one stream. Loop thread only.
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
  bool has_no_reply = false;  // the stream ended before the first byte of a response
  bool is_reusable = false;   // the stream may serve another request
};

// Writes the request, then reads the response. Errc::unreachable when the stream is lost, timed_out
// at the deadline, too_large over the request's max_body_bytes, bad_reply when the response is not
// HTTP or is incomplete. A stream that `on_chunk` ended counts as a reply.
[[nodiscard]] awaitable<HttpExchange> exchange(Loop& loop,
                                               std::shared_ptr<Stream> stream,
                                               std::shared_ptr<const HttpRequest> request,
                                               Deadline deadline);

}  // namespace weir::scalers::clients
