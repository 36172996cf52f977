// Entra ID is OAuth 2.0 with an assertion and a url of its own, so that one provider serves both.
#include "scalers/clients/tokens/oauth2.hpp"

#include "scalers/clients/tokens/assertion.hpp"
#include "scalers/clients/tokens/reply.hpp"
#include "scalers/settings/url.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

class OAuth2Provider final : public Provider {
 public:
  OAuth2Provider(std::string who, OAuth2Auth settings, TokenHttp http, const Clock& clock)
      : who_(std::move(who)), settings_(std::move(settings)), http_(http), clock_(clock) {}

  [[nodiscard]] awaitable<Result<Grant>> fetch(Deadline deadline) override;
  [[nodiscard]] std::vector<SecretFile> files() const override {
    std::vector<SecretFile> out;
    if (settings_.client_secret.is_set()) out.push_back(settings_.client_secret);
    if (settings_.assertion.is_set()) out.push_back(settings_.assertion);
    return out;
  }

 private:
  // Adds what proves who the client is.
  [[nodiscard]] std::optional<Error> add_secret(HttpRequest& request) const;
  [[nodiscard]] Result<std::string> add_assertion(HttpRequest& request) const;

  std::string who_;
  OAuth2Auth settings_;
  TokenHttp http_;
  const Clock& clock_;
};

void add_field(std::string& form, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  form += fmt::format("{}{}={}", form.empty() ? "" : "&", name, percent_encoded(value));
}

std::optional<Error> OAuth2Provider::add_secret(HttpRequest& request) const {
  auto secret = settings_.client_secret.read();
  if (!secret) return secret.error();
  request.redactions.push_back(secret->reveal());
  if (settings_.secret_in == SecretIn::body) {
    add_field(request.body, "client_id", settings_.client_id);
    add_field(request.body, "client_secret", secret->reveal());
    request.redactions.push_back(percent_encoded(secret->reveal()));
    return std::nullopt;
  }
  // RFC 6749, section 2.3.1: both are encoded as in a form first.
  request.basic = std::pair(Secret(percent_encoded(settings_.client_id)),
                            Secret(percent_encoded(secret->reveal())));
  return std::nullopt;
}

// What is wrong with the times of the assertion; empty: nothing.
Result<std::string> OAuth2Provider::add_assertion(HttpRequest& request) const {
  auto assertion = settings_.assertion.read();
  if (!assertion) return assertion.error();
  request.redactions.push_back(assertion->reveal());
  add_field(request.body, "client_id", settings_.client_id);
  add_field(request.body,
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  add_field(request.body, "client_assertion", assertion->reveal());
  return jwt_problem(assertion->reveal(), clock_.wall());
}

awaitable<Result<Grant>> OAuth2Provider::fetch(Deadline deadline) {
  TokenRequest token = token_request(who_, settings_.token_url);
  HttpRequest& request = token.request;
  request.method = "POST";
  request.tls = settings_.tls;
  request.body = "grant_type=client_credentials";
  add_field(request.body, "scope", settings_.scope);
  add_field(request.body, "audience", settings_.audience);
  std::string problem;
  if (settings_.assertion.is_set()) {
    auto added = add_assertion(request);
    if (!added) co_return added.error();
    problem = std::move(*added);
  } else if (auto failure = add_secret(request)) {
    co_return std::move(*failure);
  }
  const std::vector<std::string> redactions = redactions_of(request);
  const auto reply = co_await http_.send(std::move(request), deadline);
  if (!reply) co_return reply.error().within(who_);
  auto grant = parse_bearer(who_, *reply, redactions, clock_.wall());
  // The provider decides about the assertion: its clock may be the right one.
  if (!grant && !problem.empty()) co_return grant.error().within(problem);
  co_return grant;
}

}  // namespace

std::unique_ptr<Provider> make_oauth2(OAuth2Auth settings, TokenHttp http, const Clock& clock) {
  return std::make_unique<OAuth2Provider>("the token endpoint", std::move(settings), http, clock);
}

std::unique_ptr<Provider> make_azure(const AzureAuth& settings,
                                     TokenHttp http,
                                     const Clock& clock) {
  OAuth2Auth out;
  out.token_url = settings.authority;
  out.token_url.path += fmt::format("/{}/oauth2/v2.0/token", percent_encoded(settings.tenant_id));
  out.client_id = settings.client_id;
  out.assertion = settings.assertion;
  out.scope = settings.scope;
  return std::make_unique<OAuth2Provider>("Entra ID", std::move(out), http, clock);
}

}  // namespace weir::scalers::clients
