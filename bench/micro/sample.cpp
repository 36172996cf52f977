#include "bench/micro/sample.hpp"

#include "apiservice/groups/external_values.hpp"
#include "bench/micro/paths.hpp"
#include "server/http/head.hpp"

#include <string>
#include <utility>
#include <variant>

namespace weir::bench {

apiservice::FrontProxyRules front_proxy_rules() {
  return {.allowed_names = {"front-proxy-client"},
          .username_headers = {"x-remote-user"},
          .group_headers = {"x-remote-group"},
          .extra_header_prefixes = {"x-remote-extra-"},
          .uid_headers = {"x-remote-uid"}};
}

apiservice::PeerCertificate front_proxy() {
  return {.by_request_header_ca = apiservice::Trust::trusted,
          .by_client_ca = apiservice::Trust::untrusted,
          .common_name = "front-proxy-client",
          .organizations = {},
          .uids = {},
          .sha256 = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"};
}

std::span<const apiservice::GroupVersion> served() {
  static const apiservice::GroupVersion kServed{std::string(apiservice::kExternalGroup),
                                                std::string(apiservice::kExternalVersion)};
  return {&kServed, 1};
}

apiservice::Request sample_request() {
  auto head = server::parse_head(kHead);
  expect(std::holds_alternative<server::Head>(head), "the head is refused");
  apiservice::Request out = std::move(std::get<server::Head>(head).request);
  out.peer = front_proxy();
  return out;
}

}  // namespace weir::bench
