// Reads and writes reviews as JSON. Every field is checked, because a proxy may respond instead of
// the kube-apiserver.
#include "server/kube/reviews/review_texts.hpp"

#include "scalers/text/key_writer.hpp"
#include "scalers/text/utf8.hpp"
#include "server/crypto/sha256.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace weir::server::cluster {
namespace {

using apiservice::Decision;
using apiservice::RequestInfo;
using apiservice::UserInfo;
using nlohmann::json;
using scalers::Errc;
using scalers::Error;
using scalers::KeyWriter;
using scalers::Result;

// A webhook of the cluster may write the reason, and a 403 repeats it to the caller.
constexpr std::size_t kMaxReasonBytes = 1024;
// A longer key is replaced by its digest, which bounds the memory of the keys. The 8192 keys of a
// full cache take 6 MiB at most.
constexpr std::size_t kMaxKeyBytes = 768;

// Invalid UTF-8 becomes U+FFFD, as in Go's encoder.
std::string text_of(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Go's encoder leaves empty fields out too (omitempty).
void set(json& out, const char* name, const std::string& value) {
  if (!value.empty()) out[name] = value;
}

Error bad(std::string what) { return {Errc::bad_reply, std::move(what), ""}; }

struct StatusBlock {
  json fields;
};

// The `status` of a response of this kind.
Result<StatusBlock> status_of(std::string_view reply, const char* kind) {
  const json document = json::parse(reply, nullptr, false);
  // A document that is not valid JSON is not an object either.
  if (!document.is_object() || document.value("kind", json()) != kind)
    return bad(std::string("the response is not a ") + kind);
  const auto status = document.find("status");
  if (status == document.end() || !status->is_object())
    return bad(std::string("the response is a ") + kind + " without a status");
  return StatusBlock{*status};
}

std::string text_in(const json& block, const char* name) {
  const auto field = block.find(name);
  return field != block.end() && field->is_string() ? field->get<std::string>() : std::string();
}

// False when the field is absent; nullopt when it is not a boolean. Go may leave out a boolean that
// is false (omitempty).
std::optional<bool> flag_in(const json& block, const char* name) {
  const auto field = block.find(name);
  if (field == block.end()) return false;
  if (!field->is_boolean()) return std::nullopt;
  return field->get<bool>();
}

std::vector<std::string> texts_in(const json& block, const char* name) {
  std::vector<std::string> out;
  const auto field = block.find(name);
  if (field == block.end() || !field->is_array()) return out;
  for (const json& item : *field) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

UserInfo user_in(const json& user) {
  UserInfo out;
  out.user = text_in(user, "username");
  out.uid = text_in(user, "uid");
  out.groups = texts_in(user, "groups");
  const auto extra = user.find("extra");
  if (extra == user.end() || !extra->is_object()) return out;
  for (const auto& item : extra->items())
    out.extra[item.key()] = texts_in(*extra, item.key().c_str());
  return out;
}

// Whether the lists have an element in common.
bool has_common(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::ranges::any_of(some, [&](const std::string& item) {
    return std::ranges::find(others, item) != others.end();
  });
}

void put_attributes(json& spec, const RequestInfo& attributes) {
  json out = json::object();
  set(out, "verb", attributes.verb);
  if (attributes.is_resource) {
    set(out, "namespace", attributes.name_space);
    set(out, "group", attributes.group);
    set(out, "version", attributes.version);
    set(out, "resource", attributes.resource);
    set(out, "subresource", attributes.subresource);
    set(out, "name", attributes.name);
  } else {
    set(out, "path", attributes.path);
  }
  // The kube-apiserver rejects a review with both blocks, or with none (400).
  spec[attributes.is_resource ? "resourceAttributes" : "nonResourceAttributes"] = std::move(out);
}

void add_all(KeyWriter& key, const std::vector<std::string>& texts) {
  key.add(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) key.add(text);
}

Result<Decision> decision_in(std::string_view reply, const char* kind) {
  const auto block = status_of(reply, kind);
  if (!block) return block.error();
  const json& status = block->fields;
  const auto is_allowed = flag_in(status, "allowed");
  const auto is_denied = flag_in(status, "denied");
  if (!is_allowed || !is_denied)
    return bad(fmt::format("the {}'s allowed or denied is not a boolean", kind));
  // Neither of them is a denial: no authorizer of the cluster had an opinion.
  if (*is_allowed && *is_denied) return bad(fmt::format("the {} both allows and denies", kind));
  return Decision{*is_allowed, scalers::shortened(text_in(status, "reason"), kMaxReasonBytes), ""};
}

}  // namespace

std::string token_review(const scalers::Secret& token, const std::vector<std::string>& audiences) {
  json spec{{"token", token.reveal()}};
  if (!audiences.empty()) spec["audiences"] = audiences;
  return text_of({{"kind", "TokenReview"},
                  {"apiVersion", "authentication.k8s.io/v1"},
                  {"spec", std::move(spec)}});
}

Result<TokenVerdict> parse_token_review(std::string_view reply,
                                        const std::vector<std::string>& audiences) {
  const auto block = status_of(reply, "TokenReview");
  if (!block) return block.error();
  const json& status = block->fields;
  const auto is_authenticated = flag_in(status, "authenticated");
  if (!is_authenticated) return bad("the TokenReview's authenticated is not a boolean");
  TokenVerdict out;
  if (!*is_authenticated) {
    out.reason = scalers::shortened(text_in(status, "error"), kMaxReasonBytes);
    return out;
  }
  // Kubernetes requires only one of the requested audiences.
  const auto valid_for = texts_in(status, "audiences");
  if (!audiences.empty() && !valid_for.empty() && !has_common(audiences, valid_for)) {
    out.reason = "the token is for other audiences";
    return out;
  }
  const auto user = status.find("user");
  if (user == status.end() || !user->is_object()) return bad("the TokenReview names no user");
  out.caller = user_in(*user);
  // An empty name would be sent in the SubjectAccessReview, which would then be for the groups
  // alone.
  if (out.caller->user.empty()) return bad("the TokenReview names no user");
  return out;
}

std::string access_review(const UserInfo& caller, const RequestInfo& attributes) {
  json spec;
  set(spec, "user", caller.user);
  set(spec, "uid", caller.uid);
  if (!caller.groups.empty()) spec["groups"] = caller.groups;
  if (!caller.extra.empty()) spec["extra"] = caller.extra;
  put_attributes(spec, attributes);
  return text_of({{"kind", "SubjectAccessReview"},
                  {"apiVersion", "authorization.k8s.io/v1"},
                  {"spec", std::move(spec)}});
}

std::string access_key(const UserInfo& caller, const RequestInfo& attributes) {
  KeyWriter whole(kMaxKeyBytes);
  whole.add(caller.user);
  whole.add(caller.uid);
  add_all(whole, caller.groups);
  // The map is sorted, so that the order of the headers does not matter.
  whole.add(static_cast<std::uint32_t>(caller.extra.size()));
  for (const auto& [name, values] : caller.extra) {
    whole.add(name);
    add_all(whole, values);
  }
  // All parts are in every key, so that a part's position is always the same.
  whole.add(attributes.is_resource ? 1U : 0U);
  for (const auto* part : {&attributes.verb,
                           &attributes.path,
                           &attributes.group,
                           &attributes.version,
                           &attributes.resource,
                           &attributes.subresource,
                           &attributes.name_space,
                           &attributes.name})
    whole.add(*part);
  if (whole.view().size() <= kMaxKeyBytes) return std::move(whole).take();
  // A short key never begins with this number, because it is the length of the user's name there.
  KeyWriter out(64);
  out.add(static_cast<std::uint32_t>(kMaxKeyBytes + 1));
  out.add(sha256(whole.view()));
  return std::move(out).take();
}

std::string self_access_review(const RequestInfo& attributes) {
  json spec;
  put_attributes(spec, attributes);
  return text_of({{"kind", "SelfSubjectAccessReview"},
                  {"apiVersion", "authorization.k8s.io/v1"},
                  {"spec", std::move(spec)}});
}

Result<Decision> parse_access_review(std::string_view reply) {
  return decision_in(reply, "SubjectAccessReview");
}

Result<Decision> parse_self_access_review(std::string_view reply) {
  return decision_in(reply, "SelfSubjectAccessReview");
}

}  // namespace weir::server::cluster
