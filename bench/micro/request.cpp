// What server/http/session does between the bytes that it reads and those that it writes.
#include "apiservice/api_server.hpp"
#include "apiservice/groups/external.hpp"
#include "bench/micro/paths.hpp"
#include "bench/micro/sample.hpp"
#include "bench/micro/warm_server.hpp"
#include "server/http/access_log.hpp"
#include "server/http/audit_id.hpp"
#include "server/http/endpoints.hpp"
#include "server/http/head.hpp"
#include "server/http/health.hpp"
#include "server/http/response.hpp"

#include <variant>

namespace weir::bench {
namespace {

class RequestPath final : public Path {
 public:
  RequestPath() { server_.telemetry().set_endpoints(api_.group_versions(), api_.endpoints()); }

  void run() override {
    auto head = server::parse_head(kHead);
    expect(std::holds_alternative<server::Head>(head), "the head is refused");
    auto& accepted = std::get<server::Head>(head);
    accepted.request.peer = peer_;
    const std::string audit_id = audit_ids_.of(accepted.request);
    apiservice::RequestInfo info = api_.request_info(accepted.request);
    server::RequestTrace trace(server_.telemetry(),
                               accepted.request,
                               info,
                               server_.clock().steady());
    const auto response =
        server_.finish(api_.respond(accepted.request, info, server_.deadline(), trace.user));
    trace.finish(response.status, server_.clock().steady(), audit_id, info.status);
    out_.clear();
    server::append_response(out_, response, audit_id, false, true);
    expect(out_.starts_with("HTTP/1.1 200 OK\r\n"), "another answer");
  }

 private:
  WarmServer server_;
  apiservice::FrontProxyRules rules_ = front_proxy_rules();
  server::Health health_;
  apiservice::ExternalMetrics external_{server_.source()};
  apiservice::ApiServer api_{
      {.rules = rules_, .tokens = nullptr, .authorizer = server_.access()},
      {apiservice::external_metrics_group({std::string(kMetric)}, &external_)},
      server::server_endpoints(health_, [] { return std::string(); })};
  apiservice::PeerCertificate peer_ = front_proxy();
  server::AuditIds audit_ids_;
  std::string out_;
};

}  // namespace

std::unique_ptr<Path> make_request() { return std::make_unique<RequestPath>(); }

}  // namespace weir::bench
