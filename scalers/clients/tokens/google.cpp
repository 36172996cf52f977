// The metadata server, and the two steps of federation: exchange of the assertion (RFC 8693), then
// the token of a service account.
#include "scalers/clients/tokens/google.hpp"

#include "scalers/clients/tokens/assertion.hpp"
#include "scalers/clients/tokens/reply.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace weir::scalers::clients {
namespace {

using Json = nlohmann::json;

constexpr const char* kMetadataServer = "Google's metadata server";
constexpr const char* kTokenService = "Google's token service";
constexpr const char* kCredentialsService = "Google's IAM credentials service";
constexpr std::string_view kPlatformScope = "https://www.googleapis.com/auth/cloud-platform";

Json child(const Json& object, const char* key) {
  return object.is_object() ? object.value(key, Json()) : Json();
}

Error bad_file(std::string_view what) {
  return {Errc::refused, fmt::format("the file of google's credentials {}", what), ""};
}

// Without TLS only to this machine.
std::optional<Url> safe_url(const std::string& text) {
  auto parsed = parse_http_url(text);
  const auto* url = std::get_if<Url>(&parsed);
  if (url == nullptr) return std::nullopt;
  const bool is_safe = url->scheme == "https" || url->host == "127.0.0.1" || url->host == "::1";
  return is_safe ? std::optional(*url) : std::nullopt;
}

class GoogleProvider final : public Provider {
 public:
  GoogleProvider(GoogleAuth settings, TokenHttp http, const Clock& clock)
      : settings_(std::move(settings)), http_(http), clock_(clock) {}

  [[nodiscard]] awaitable<Result<Grant>> fetch(Deadline deadline) override;
  [[nodiscard]] std::vector<SecretFile> files() const override;

 private:
  [[nodiscard]] awaitable<Result<Grant>> ask_metadata_server(Deadline deadline);
  [[nodiscard]] awaitable<Result<Grant>> exchange(Federation federation, Deadline deadline);
  [[nodiscard]] awaitable<Result<Grant>> impersonate(Url url, Grant grant, Deadline deadline);
  [[nodiscard]] Result<Federation> federation() const;

  GoogleAuth settings_;
  TokenHttp http_;
  const Clock& clock_;
};

Result<Secret> subject_token_of(const Federation& federation) {
  auto content = federation.subject_token.read();
  if (!content || federation.json_field.empty()) return content;
  const Json file = Json::parse(content->reveal(), nullptr, false);
  std::string token = member_text(file, federation.json_field.c_str());
  if (token.empty())
    return bad_file(fmt::format("names a file without the field \"{}\"", federation.json_field));
  return Secret(std::move(token));
}

Result<Federation> GoogleProvider::federation() const {
  auto content = settings_.credentials.read();
  if (!content) return content.error();
  return parse_federation(content->reveal());
}

std::vector<SecretFile> GoogleProvider::files() const {
  if (!settings_.credentials.is_set()) return {};
  std::vector<SecretFile> out{settings_.credentials};
  if (auto found = federation()) out.push_back(found->subject_token);
  return out;
}

awaitable<Result<Grant>> GoogleProvider::fetch(Deadline deadline) {
  if (!settings_.credentials.is_set()) {
    auto grant = co_await ask_metadata_server(deadline);
    co_return grant;
  }
  auto found = federation();
  if (!found) co_return found.error();
  const Url impersonation_url = found->impersonation_url;
  auto grant = co_await exchange(std::move(*found), deadline);
  if (!grant || impersonation_url.host.empty()) co_return grant;
  auto of_account = co_await impersonate(impersonation_url, std::move(*grant), deadline);
  co_return of_account;
}

awaitable<Result<Grant>> GoogleProvider::ask_metadata_server(Deadline deadline) {
  Url url = settings_.metadata_url;
  url.path += "/computeMetadata/v1/instance/service-accounts/default/token";
  TokenRequest token = token_request(kMetadataServer, std::move(url));
  // Without it the server refuses, because a browser or a forwarded request never has it.
  token.request.headers.push_back({"Metadata-Flavor", Secret("Google")});
  token.request.query = "scopes=" + percent_encoded(settings_.scope);
  const std::vector<std::string> redactions = redactions_of(token.request);
  const auto reply = co_await http_.send_directly(std::move(token.request), deadline);
  if (!reply) co_return reply.error().within(kMetadataServer);
  co_return parse_bearer(kMetadataServer, *reply, redactions, clock_.wall());
}

awaitable<Result<Grant>> GoogleProvider::exchange(Federation federation, Deadline deadline) {
  auto subject = subject_token_of(federation);
  if (!subject) co_return subject.error();
  TokenRequest token = token_request(kTokenService, federation.token_url);
  token.request.method = "POST";
  const bool is_last = federation.impersonation_url.host.empty();
  for (const auto& [name, value] :
       {std::pair<std::string_view, std::string_view>{
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange"},
        {"audience", federation.audience},
        {"scope", is_last ? std::string_view(settings_.scope) : kPlatformScope},
        {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
        {"subject_token_type", federation.subject_token_type},
        {"subject_token", subject->reveal()}}) {
    const bool is_first = token.request.body.empty();
    token.request.body += fmt::format("{}{}={}", is_first ? "" : "&", name, percent_encoded(value));
  }
  token.request.redactions.push_back(subject->reveal());
  const std::vector<std::string> redactions = redactions_of(token.request);
  const std::string problem = assertion_problem(subject->reveal(), clock_.wall());
  const auto reply = co_await http_.send(std::move(token.request), deadline);
  if (!reply) co_return reply.error().within(kTokenService);
  auto grant = parse_bearer(kTokenService, *reply, redactions, clock_.wall());
  // The provider decides about the assertion: its clock may be the right one.
  if (!grant && !problem.empty()) co_return grant.error().within(problem);
  co_return grant;
}

awaitable<Result<Grant>> GoogleProvider::impersonate(Url url, Grant grant, Deadline deadline) {
  TokenRequest token = token_request(kCredentialsService, std::move(url));
  HttpRequest& request = token.request;
  request.method = "POST";
  request.body = Json{{"scope", {settings_.scope}}, {"lifetime", "3600s"}}.dump();
  request.headers.push_back({"Content-Type", Secret("application/json")});
  request.headers.push_back({"Authorization", Secret("Bearer " + grant.secret.reveal()), true});
  request.redactions.push_back(grant.secret.reveal());
  const std::vector<std::string> redactions = redactions_of(request);
  const auto reply = co_await http_.send(std::move(request), deadline);
  if (!reply) co_return reply.error().within(kCredentialsService);
  const WallTime now = clock_.wall();
  const auto body = parse_object(kCredentialsService, *reply, redactions, now);
  if (!body) co_return body.error();
  std::string access_token = member_text(*body, "accessToken");
  if (access_token.empty()) co_return no_token(kCredentialsService, *reply, redactions, now);
  auto life = life_until(kCredentialsService, member_text(*body, "expireTime"), now);
  if (!life) co_return life.error();
  co_return sendable(kCredentialsService, Grant{Secret(std::move(access_token)), {}, {}, *life});
}

}  // namespace

Result<Federation> parse_federation(std::string_view text) {
  const Json file = Json::parse(text, nullptr, false);
  if (!file.is_object()) return bad_file("is not JSON");
  const std::string type = member_text(file, "type");
  if (type != "external_account") {
    return bad_file(
        "is not one of workload identity federation (\"type\": \"external_account\"); keys of "
        "service accounts are not supported, because they never expire");
  }
  Federation out;
  out.audience = member_text(file, "audience");
  out.subject_token_type = member_text(file, "subject_token_type");
  const Json source = child(file, "credential_source");
  out.subject_token = SecretFile(member_text(source, "file"));
  if (out.audience.empty() || out.subject_token_type.empty() || !out.subject_token.is_set()) {
    return bad_file(
        "has no audience, subject_token_type or credential_source.file; write it by gcloud iam "
        "workload-identity-pools create-cred-config --credential-source-file");
  }
  const Json format = child(source, "format");
  if (member_text(format, "type") == "json")
    out.json_field = member_text(format, "subject_token_field_name");
  const auto token_url = safe_url(member_text(file, "token_url"));
  if (!token_url) return bad_file("has no token_url with https://");
  out.token_url = *token_url;
  const std::string impersonation = member_text(file, "service_account_impersonation_url");
  if (impersonation.empty()) return out;
  const auto url = safe_url(impersonation);
  if (!url) return bad_file("has a service_account_impersonation_url without https://");
  out.impersonation_url = *url;
  return out;
}

std::unique_ptr<Provider> make_google(GoogleAuth settings, TokenHttp http, const Clock& clock) {
  return std::make_unique<GoogleProvider>(std::move(settings), http, clock);
}

}  // namespace weir::scalers::clients
