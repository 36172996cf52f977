// The look at a PromQL query that matched nothing: is the name known, which matcher removes all
// series, is the job scraped. A bounded number of questions, one at a time. Loop thread only.
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

inline constexpr std::size_t kMaxQuestions = 24;
inline constexpr std::size_t kMaxLookBytes = std::size_t{4} << 20;  // of one answer
inline constexpr std::size_t kMaxCauseBytes = 500;

struct ApiQuestion {
  std::string page;  // below /api/v1: "query", "targets"
  std::string form;  // encoded
  bool is_query;     // sent by the method that the backend's queries have
};

// Prometheus' HTTP API with the backend's address and credentials.
class Api {
 public:
  // Called with status and body, of a large answer on the HTTP client's thread, before ask() ends;
  // behind that when it ends without an answer.
  using Digest = std::function<void(long, std::string_view)>;

  Api() = default;
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;
  virtual ~Api() = default;

  // nullopt when an answer came, whatever its status.
  [[nodiscard]] virtual awaitable<std::optional<Error>> ask(ApiQuestion question,
                                                            Digest digest,
                                                            Deadline deadline) = 0;
  // What no text that a Status shows may hold: the host and the secrets.
  [[nodiscard]] virtual std::vector<std::string> hidden() const = 0;
};

// Why `query` has no series; a cause of more than kMaxCauseBytes is cut. `api` outlives the look.
[[nodiscard]] awaitable<Diagnosis> look_into(Api* api, std::string query, Deadline deadline);

}  // namespace weir::scalers::backends::prometheus
