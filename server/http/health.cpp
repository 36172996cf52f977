// The health checks of an API server. The reason of a failure is withheld from the body, because
// anonymous callers may read it; the log has it.
#include "server/http/health.hpp"

#include "apiservice/meta/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace weir::server {
namespace {

using apiservice::Request;
using apiservice::Response;

constexpr std::array<std::string_view, 3> kEndpoints{"/healthz", "/livez", "/readyz"};
constexpr const char* kText = "text/plain; charset=utf-8";

struct Check {
  std::string_view name;
  bool is_healthy;
};

// "/readyz" of "/readyz/ping"; empty when the path is not a health path.
std::string_view endpoint_of(std::string_view path) {
  for (const std::string_view endpoint : kEndpoints) {
    if (path == endpoint ||
        (path.starts_with(endpoint) && path.substr(endpoint.size()).starts_with('/')))
      return endpoint;
  }
  return {};
}

Response respond_for_check(const std::vector<Check>& checks, std::string_view name) {
  const auto check = std::ranges::find(checks, name, &Check::name);
  if (check == checks.end()) return apiservice::page_not_found();
  if (check->is_healthy) return {200, kText, "ok"};
  // The name was compared with the checks, so the text holds nothing of the caller's.
  return {500, kText, fmt::format("internal server error: {} failed\n", name)};
}

// The body is that of k8s.io/apiserver's healthz package, because people and tools compare the two.
Response respond_for_all(const std::vector<Check>& checks,
                         std::string_view endpoint,
                         const Request& request) {
  std::vector<std::string> excluded;
  for (const auto& [name, value] : request.query) {
    if (name == "exclude") excluded.push_back(value);
  }
  bool is_healthy = true;
  std::string lines;
  for (const Check& check : checks) {
    // Erased, so that the names that are left over match no check.
    if (std::erase(excluded, check.name) > 0) {
      lines += fmt::format("[+]{} excluded: ok\n", check.name);
    } else if (check.is_healthy) {
      lines += fmt::format("[+]{} ok\n", check.name);
    } else {
      is_healthy = false;
      lines += fmt::format("[-]{} failed: reason withheld\n", check.name);
    }
  }
  if (!excluded.empty()) {
    for (std::string& name : excluded) name = fmt::format("\"{}\"", name);
    lines += fmt::format("warn: some health checks cannot be excluded: no matches for {}\n",
                         fmt::join(excluded, ","));
  }
  const std::string_view title = endpoint.substr(1);
  // A failure lists the checks without ?verbose too.
  if (!is_healthy) return {500, kText, fmt::format("{}{} check failed\n", lines, title)};
  if (!request.has_parameter("verbose")) return {200, kText, "ok"};
  return {200, kText, fmt::format("{}{} check passed\n", lines, title)};
}

}  // namespace

bool Health::is_open(std::string_view path) {
  return std::ranges::find(kEndpoints, path) != kEndpoints.end();
}

bool Health::owns(std::string_view path) { return !endpoint_of(path).empty(); }

Response Health::respond(const Request& request) const {
  const std::string_view endpoint = endpoint_of(request.path);
  std::vector<Check> checks{{"ping", true}};
  // Not for /livez: the kubelet restarts a container that fails it, which would cut off the
  // requests of a drain.
  if (endpoint == "/readyz") {
    for (const auto& [name, is_healthy] : reported_) checks.push_back({name, is_healthy});
    checks.push_back({"shutdown", !is_shutting_down_});
  }
  // `/readyz/` is `/readyz`, not a check without a name.
  if (request.path.size() > endpoint.size() + 1) {
    return respond_for_check(checks, std::string_view(request.path).substr(endpoint.size() + 1));
  }
  return respond_for_all(checks, endpoint, request);
}

}  // namespace weir::server
