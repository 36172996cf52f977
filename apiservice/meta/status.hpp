// Kubernetes Status objects, and the only table from Errc to HTTP. Pure.
#pragma once

#include "apiservice/request/http.hpp"
#include "scalers/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

struct StatusCause {
  std::string reason;  // Kubernetes' CauseType
  std::string message;
  std::string field;
};

struct StatusDetails {
  std::string group = {};
  std::string kind = {};
  std::vector<StatusCause> causes = {};
};

struct Status {
  int code;
  std::string_view reason;  // Kubernetes' StatusReason; empty: none
  std::string message;
  std::optional<StatusDetails> details;  // nullopt: omitted; empty fields: {}
};

// The Status of a failed read: HTTP code and reason by the error's code, its message as the text.
[[nodiscard]] Status status_of(const scalers::Error& error);

// The Status as a JSON response.
[[nodiscard]] Response render(const Status& status);

// Kubernetes' own Status objects.
[[nodiscard]] Status unauthorized();
[[nodiscard]] Status resource_not_found();
[[nodiscard]] Status method_not_allowed();
// 429 without Retry-After, because client-go would sleep and retry inside an HPA worker.
[[nodiscard]] Status too_many_requests();
// The plain text response of Kubernetes when authorization of `target` failed with an error.
[[nodiscard]] Response internal_error(std::string_view target, std::string_view why);
// 422: options of `kind`, of the group meta.k8s.io, that are not allowed. `causes` is not empty.
[[nodiscard]] Status invalid(std::string_view kind, std::vector<StatusCause> causes);
// Go's "404 page not found", which is plain text instead of a Status.
[[nodiscard]] Response page_not_found();

}  // namespace weir::apiservice
