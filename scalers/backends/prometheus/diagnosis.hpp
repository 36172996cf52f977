// The diagnosis of a PromQL query that matched no series: does the metric name exist, which matcher
// excludes all series, is the job scraped. A bounded number of queries, one at a time. Loop thread
// only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/explanation.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {

inline constexpr std::size_t kMaxQueries = 24;
inline constexpr std::size_t kMaxReplyBytes = std::size_t{4} << 20;  // of one response
inline constexpr std::size_t kMaxCauseBytes = 500;

struct ApiQuery {
  std::string page;  // below /api/v1: "query", "targets"
  std::string form;  // URL-encoded parameters
  bool has_method;   // sent by the backend's `method`; otherwise by GET
};

// Prometheus' HTTP API with the backend's address and credentials.
class Api {
 public:
  // Called with status and body before send() ends, for a large response on the HTTP client's
  // thread. When send() ends with an error, a call may still come later.
  using OnReply = std::function<void(long, std::string_view)>;

  Api() = default;
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;
  virtual ~Api() = default;

  // nullopt when a response came, whatever its status.
  [[nodiscard]] virtual awaitable<std::optional<Error>> send(ApiQuery query,
                                                             OnReply on_reply,
                                                             Deadline deadline) = 0;
  // Texts that a Status must not contain: the host and the secrets.
  [[nodiscard]] virtual std::vector<std::string> redactions() const = 0;
};

// Why `query` has no series. A cause is cut to kMaxCauseBytes. `api` outlives the diagnosis.
[[nodiscard]] awaitable<Diagnosis> diagnose_query(Api* api, std::string query, Deadline deadline);

}  // namespace weir::scalers::backends::prometheus
