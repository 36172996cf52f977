// The choice of a provider by its settings, and what a request gets.
#include "scalers/clients/tokens/login.hpp"

#include "scalers/clients/tokens/aws.hpp"
#include "scalers/clients/tokens/google.hpp"
#include "scalers/clients/tokens/oauth2.hpp"
#include "scalers/clients/tokens/sigv4.hpp"
#include "scalers/clients/tokens/times.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <string_view>
#include <utility>
#include <variant>

namespace weir::scalers::clients {
namespace {

constexpr std::string_view kNoCredentials = "no credentials";
constexpr long kUnauthorized = 401;

struct MakeProvider {
  TokenHttp http;
  const Clock& clock;

  std::unique_ptr<Provider> operator()(std::monostate /*none*/) const { return nullptr; }
  std::unique_ptr<Provider> operator()(const AwsAuth& auth) const {
    return make_aws(auth, http, clock);
  }
  std::unique_ptr<Provider> operator()(const AzureAuth& auth) const {
    return make_azure(auth, http, clock);
  }
  std::unique_ptr<Provider> operator()(const GoogleAuth& auth) const {
    return make_google(auth, http, clock);
  }
  std::unique_ptr<Provider> operator()(const OAuth2Auth& auth) const {
    return make_oauth2(auth, http, clock);
  }
};

// As the HTTP client sends it: without the scheme's own port.
std::string host_of(const Url& url) {
  const std::string authority = url.authority();
  const bool is_default = url.port == (url.scheme == "https" ? 443 : 80);
  return is_default ? authority.substr(0, authority.rfind(':')) : authority;
}

}  // namespace

bool is_token_refused(long status, const std::string& words) {
  // The codes of AWS, and its words where the body has no code.
  static constexpr std::string_view kExpired =
      "(?i)ExpiredToken|InvalidClientTokenId|UnrecognizedClientException|"
      "security token included in the request is (?:expired|invalid)";
  return status == kUnauthorized ||
         RE2::PartialMatch(words, RE2(re2::StringPiece(kExpired.data(), kExpired.size())));
}

Login::Login(Loop& loop, TokenHttp http, const Clock& clock, const AuthSettings& settings)
    : clock_(clock),
      key_(key_of(settings)),
      missing_(settings.missing),
      is_signing_(std::holds_alternative<AwsAuth>(settings.kind)) {
  if (const auto* aws = std::get_if<AwsAuth>(&settings.kind)) {
    region_ = aws->region;
    service_ = aws->service;
  }
  if (!missing_.empty()) return;
  auto provider = std::visit(MakeProvider{http, clock}, settings.kind);
  source_ = std::make_shared<TokenSource>(loop, clock, std::move(provider));
}

awaitable<Result<GrantPtr>> Login::get(std::shared_ptr<Login> self, Deadline deadline) {
  if (!self->missing_.empty()) co_return Error{Errc::refused, self->missing_, ""};
  auto grant = co_await TokenSource::get(self->source_, deadline);
  if (!grant) co_return grant.error().within(kNoCredentials);
  co_return grant;
}

void Login::prove(const Grant& grant, HttpRequest& request) const {
  if (is_signing_) return sign(grant, request);
  // Alone, too, because a server may echo it without the scheme in front.
  request.redactions.push_back(grant.secret.reveal());
  request.headers.push_back({"Authorization", Secret("Bearer " + grant.secret.reveal()), true});
}

void Login::sign(const Grant& grant, HttpRequest& request) const {
  const WallTime now = clock_.wall();
  SignedRequest of{request.method,
                   request.url.path,
                   request.query,
                   {{"Host", host_of(request.url)}, {"X-Amz-Date", amz_date(now)}},
                   request.body};
  request.headers.push_back({"X-Amz-Date", Secret(of.headers.back().second)});
  if (!grant.session_token.reveal().empty()) {
    of.headers.emplace_back("X-Amz-Security-Token", grant.session_token.reveal());
    request.headers.push_back({"X-Amz-Security-Token", grant.session_token, true});
  }
  const std::string value =
      authorization_of(of, {grant.key_id, grant.secret, region_, service_}, now);
  // Its parts as well: a server quotes them alone.
  request.redactions.push_back(grant.key_id);
  request.redactions.push_back(value.substr(value.rfind('=') + 1));
  request.headers.push_back({"Authorization", Secret(value), true});
  // Each request has another signature, so that a refused one says nothing about the next.
  request.caches_unauthorized = false;
}

Error Login::explain(const GrantPtr& grant, const HttpReply& reply, Error error) {
  if (error.code != Errc::refused) return error;
  // Temporary keys that have ended, and tokens that were revoked.
  if (is_token_refused(reply.status, error.remote)) TokenSource::reject(source_, grant);
  const auto problem = clock_problem(error.remote, reply.clock_ahead, clock_.wall());
  if (!problem.empty()) error.detail += "; " + problem;
  return error;
}

void Login::report(ConnectionCounts& counts) const {
  if (!missing_.empty()) {
    // Without an identity every read fails, whenever it comes.
    counts.refused_credentials =
        RefusedCredentials{{Errc::refused, missing_, ""}, "", false, clock_.steady()};
    return;
  }
  counts.token_ends_at = source_->ends_at();
  if (const auto& failure = source_->failure()) {
    counts.refused_credentials = RefusedCredentials{failure->within(kNoCredentials),
                                                    "",
                                                    source_->is_serving(),
                                                    source_->failed_at()};
  }
}

std::vector<std::string> Login::secrets() const {
  if (source_ == nullptr || source_->last() == nullptr) return {};
  const Grant& grant = *source_->last();
  std::vector<std::string> out{grant.secret.reveal(), grant.key_id, grant.session_token.reveal()};
  std::erase(out, "");
  return out;
}

}  // namespace weir::scalers::clients
