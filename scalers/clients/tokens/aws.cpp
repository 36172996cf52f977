// Three providers with one result: keys, with the token of a session and an end if they are
// temporary.
#include "scalers/clients/tokens/aws.hpp"

#include "scalers/clients/tokens/assertion.hpp"
#include "scalers/clients/tokens/reply.hpp"
#include "scalers/text/html.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace weir::scalers::clients {
namespace {

constexpr const char* kSts = "STS";
constexpr const char* kAgent = "the Pod Identity agent";
constexpr int kFileTries = 5;

Result<Grant> keys_until(std::string_view who, Grant keys, const std::string& end, WallTime now) {
  auto life = life_until(who, end, now);
  if (!life) return life.error();
  keys.life = *life;
  return sendable(who, std::move(keys));
}

// Files with the keys of a user, or with temporary ones that something else renews.
class FileProvider final : public Provider {
 public:
  explicit FileProvider(AwsAuth settings) : settings_(std::move(settings)) {}

  [[nodiscard]] awaitable<Result<Grant>> fetch(Deadline /*deadline*/) override { co_return read(); }
  [[nodiscard]] std::vector<SecretFile> files() const override { return {}; }
  [[nodiscard]] bool is_local() const override { return true; }

 private:
  [[nodiscard]] Result<Grant> read() const;

  AwsAuth settings_;
};

Result<Grant> FileProvider::read() const {
  for (int tries = 0; tries < kFileTries; ++tries) {
    auto pair = read_pair(settings_.access_key_id, settings_.secret_access_key);
    if (!pair) return pair.error();
    Grant out{std::move(pair->second), pair->first.reveal(), {}};
    if (!settings_.session_token.is_set()) return out;
    auto token = settings_.session_token.read();
    if (!token) return token.error();
    out.session_token = std::move(*token);
    // A token belongs to its keys: those must not have changed meanwhile.
    const auto id_after = settings_.access_key_id.read();
    if (id_after && id_after->reveal() == out.key_id) return out;
  }
  return Error{Errc::refused,
               fmt::format("the credential files change while they are read{}", kFileIsInLog),
               ""};
}

// IAM roles for service accounts. Nothing is signed: the JWT proves who asks.
class StsProvider final : public Provider {
 public:
  StsProvider(AwsAuth settings, TokenHttp http, const Clock& clock)
      : settings_(std::move(settings)), http_(http), clock_(clock) {}

  [[nodiscard]] awaitable<Result<Grant>> fetch(Deadline deadline) override;
  [[nodiscard]] std::vector<SecretFile> files() const override {
    return {settings_.web_identity_token};
  }

 private:
  AwsAuth settings_;
  TokenHttp http_;
  const Clock& clock_;
};

awaitable<Result<Grant>> StsProvider::fetch(Deadline deadline) {
  auto assertion = settings_.web_identity_token.read();
  if (!assertion) co_return assertion.error();
  const bool is_set = !settings_.sts_url.host.empty();
  TokenRequest token =
      token_request(kSts,
                    is_set ? static_cast<Url>(settings_.sts_url) : regional_sts(settings_.region));
  token.request.method = "POST";
  token.request.body = fmt::format(
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}&"
      "WebIdentityToken={}",
      percent_encoded(settings_.role_arn),
      percent_encoded(settings_.session_name),
      percent_encoded(assertion->reveal()));
  token.request.redactions.push_back(assertion->reveal());
  const std::vector<std::string> redactions = redactions_of(token.request);
  const std::string problem = jwt_problem(assertion->reveal(), clock_.wall());
  const auto reply = co_await http_.send(std::move(token.request), deadline);
  if (!reply) co_return reply.error().within(kSts);
  auto grant = parse_sts(*reply, redactions, clock_.wall());
  // STS decides about the assertion: its clock may be the right one.
  if (!grant && !problem.empty()) co_return grant.error().within(problem);
  co_return grant;
}

// EKS Pod Identity: an agent on the node, which only the pod's own token file opens.
class AgentProvider final : public Provider {
 public:
  AgentProvider(AwsAuth settings, TokenHttp http, const Clock& clock)
      : settings_(std::move(settings)), http_(http), clock_(clock) {}

  [[nodiscard]] awaitable<Result<Grant>> fetch(Deadline deadline) override;
  [[nodiscard]] std::vector<SecretFile> files() const override {
    if (!settings_.credentials_token.is_set()) return {};
    return {settings_.credentials_token};
  }

 private:
  AwsAuth settings_;
  TokenHttp http_;
  const Clock& clock_;
};

awaitable<Result<Grant>> AgentProvider::fetch(Deadline deadline) {
  TokenRequest token = token_request(kAgent, settings_.credentials_url);
  std::string problem;
  if (settings_.credentials_token.is_set()) {
    auto assertion = settings_.credentials_token.read();
    if (!assertion) co_return assertion.error();
    problem = jwt_problem(assertion->reveal(), clock_.wall());
    // Without a scheme in front, as the agent reads it.
    token.request.headers.push_back({"Authorization", std::move(*assertion), true});
  }
  const std::vector<std::string> redactions = redactions_of(token.request);
  const auto reply = co_await http_.send_directly(std::move(token.request), deadline);
  if (!reply) co_return reply.error().within(kAgent);
  auto grant = parse_agent(*reply, redactions, clock_.wall());
  if (!grant && !problem.empty()) co_return grant.error().within(problem);
  co_return grant;
}

}  // namespace

Result<Grant> parse_sts(const HttpReply& reply,
                        std::span<const std::string> redactions,
                        WallTime now) {
  Grant keys{Secret(xml_text(reply.body, "SecretAccessKey")),
             xml_text(reply.body, "AccessKeyId"),
             Secret(xml_text(reply.body, "SessionToken"))};
  const bool has_keys =
      !keys.key_id.empty() && !keys.secret.reveal().empty() && !keys.session_token.reveal().empty();
  if (reply.status != 200 || !has_keys) return no_token(kSts, reply, redactions, now);
  return keys_until(kSts, std::move(keys), xml_text(reply.body, "Expiration"), now);
}

Result<Grant> parse_agent(const HttpReply& reply,
                          std::span<const std::string> redactions,
                          WallTime now) {
  const auto body = parse_object(kAgent, reply, redactions, now);
  if (!body) return body.error();
  Grant keys{Secret(member_text(*body, "SecretAccessKey")),
             member_text(*body, "AccessKeyId"),
             Secret(member_text(*body, "Token"))};
  if (keys.key_id.empty() || keys.secret.reveal().empty() || keys.session_token.reveal().empty())
    return no_token(kAgent, reply, redactions, now);
  return keys_until(kAgent, std::move(keys), member_text(*body, "Expiration"), now);
}

Url regional_sts(std::string_view region) {
  const bool is_china = region.starts_with("cn-");
  return {"https", fmt::format("sts.{}.amazonaws.com{}", region, is_china ? ".cn" : ""), 443, ""};
}

std::unique_ptr<Provider> make_aws(AwsAuth settings, TokenHttp http, const Clock& clock) {
  if (settings.access_key_id.is_set()) return std::make_unique<FileProvider>(std::move(settings));
  if (settings.web_identity_token.is_set() && !settings.role_arn.empty())
    return std::make_unique<StsProvider>(std::move(settings), http, clock);
  return std::make_unique<AgentProvider>(std::move(settings), http, clock);
}

}  // namespace weir::scalers::clients
