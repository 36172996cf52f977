#include "scalers/backends/redis/redis.hpp"

#include "scalers/clients/clients.hpp"
#include "scalers/clients/redis/client.hpp"
#include "scalers/kind.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/settings/template.hpp"
#include "scalers/text/near_names.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <utility>

namespace weir::scalers::backends::redis {

ScalerKind describe_kind();

namespace {

constexpr std::array<UrlScheme, 2> kSchemes{{{"redis", 6379}, {"rediss", 6379}}};

struct BackendSettings {
  std::string url;
  SecretFile username;
  SecretFile password;
  TlsFiles tls;
};

struct MetricSettings {
  std::string backend;
  std::string key;
  Kind kind = Kind::list;
  std::string group;
  std::optional<Missing> missing;
};

constexpr std::array kBackendTable{
    required_setting<&BackendSettings::url>("url",
                                            "redis://HOST:PORT/DATABASE, or rediss:// for TLS"),
    setting<&BackendSettings::username>("username",
                                        "",
                                        "file with the ACL user; goes with password"),
    setting<&BackendSettings::password>("password", "", "file with the password"),
    setting<&BackendSettings::tls>("tls",
                                   "",
                                   "ca, certificate and key, each the path of a PEM file"),
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::backend>("backend", "the name of an entry of backends"),
    required_setting<&MetricSettings::key>("key", "the key to measure; $(label) is a parameter"),
    setting<&MetricSettings::kind>("kind", "list", "what the key holds, and so what is counted"),
    setting<&MetricSettings::group>(
        "group",
        "",
        "the consumer group, for pending and lag; $(label) is a parameter"),
    setting<&MetricSettings::missing>(
        "missing",
        "",
        "what a missing key means; off: 0 for list, sortedSet, set and hash, which Redis "
        "deletes when they are empty, error for the others"),
};

constexpr std::size_t kMaxScans = 20;
constexpr std::string_view kScanned = "500";  // keys a SCAN looks at

class RedisScaler final : public Scaler {
 public:
  RedisScaler(clients::RedisClient& client,
              Kind kind,
              TextTemplate key,
              TextTemplate group,
              Missing missing)
      : client_(client),
        kind_(kind),
        key_(std::move(key)),
        group_(std::move(group)),
        missing_(missing),
        question_(fmt::format("{} {} {} ",
                              static_cast<int>(origin()),
                              static_cast<int>(kind),
                              static_cast<int>(missing))) {}

  [[nodiscard]] std::string cache_key(const Parameters& parameters) const override {
    // A cause is shown to all who share the question, so a caller's own key is another question.
    // Neither a key's nor a group's length can be mistaken for the other's text.
    const std::string key = key_.render(parameters);
    const fmt::format_int size(key.size());
    std::string out = question_;
    out.append(size.data(), size.size());
    out += ':';
    out += key;
    out += group_.render(parameters);
    return out;
  }

  [[nodiscard]] std::string describe_query(const Parameters& parameters) const override {
    const Subject subject{kind_, key_.render(parameters), group_.render(parameters)};
    return fmt::format("{}", fmt::join(command_for(subject), " "));
  }

  // A missing key: as an error, or as the 0 that Redis says of it.
  [[nodiscard]] bool can_diagnose(const Result<Samples>& reply) const override {
    return reply ? reply->front().value == 0 : reply.error().code == Errc::unknown_object;
  }

  [[nodiscard]] awaitable<Diagnosis> diagnose(Parameters parameters,
                                              Result<Samples> reply,
                                              Deadline deadline) override;

  [[nodiscard]] awaitable<Result<Samples>> query(Parameters parameters,
                                                 Deadline deadline) override {
    const Subject subject{kind_, key_.render(parameters), group_.render(parameters)};
    const WallTime taken_at = std::chrono::system_clock::now();
    const auto reply = co_await client_.command(command_for(subject), deadline);
    if (!reply) co_return reply.error();
    auto value = parse_reply(subject, *reply);
    if (needs_type(subject, *reply, missing_)) {
      std::vector<std::string> words{"TYPE", subject.key};
      const auto type = co_await client_.command(std::move(words), deadline);
      value = with_type(subject, *reply, type);
    }
    if (!value) co_return value.error();
    if (*value) co_return Sample{**value, taken_at};
    // Redis itself says 0 of an empty list: that is no policy's work.
    const bool is_policy = default_missing(kind_) == Missing::error;
    if (missing_ == Missing::zero) co_return Sample{0, taken_at, is_policy};
    co_return Error{
        Errc::unknown_object,
        fmt::format("key \"{}\" does not exist; set missing: 0 if that means none", subject.key),
        ""};
  }

 private:
  [[nodiscard]] NameOrigin origin() const {
    return key_.has_parameters() ? NameOrigin::caller : NameOrigin::configuration;
  }

  clients::RedisClient& client_;
  Kind kind_;
  TextTemplate key_;
  TextTemplate group_;
  Missing missing_;
  std::string question_;  // what all of this metric begin with
};

awaitable<Diagnosis> RedisScaler::diagnose(Parameters parameters,
                                           Result<Samples> reply,
                                           Deadline deadline) {
  Diagnosis out;
  const std::string key = key_.render(parameters);
  ++out.queries;
  std::vector<std::string> type_of{"TYPE", key};
  const auto type = co_await client_.command(std::move(type_of), deadline);
  const bool has_type = type && type->kind == clients::RedisReply::Kind::text;
  if (!has_type) {
    const Error why = type ? clients::redis_error(type->text) : type.error();
    out.findings.push_back("TYPE failed: " + why.message());
    co_return out;
  }
  out.findings.push_back(fmt::format("TYPE {} = {}", key, type->text));
  if (type->text != "none") co_return out;
  std::vector<std::string> keys;
  std::string cursor = "0";
  for (std::size_t turn = 0; turn < kMaxScans; ++turn) {
    ++out.queries;
    std::vector<std::string> scan{"SCAN", cursor, "COUNT", std::string(kScanned)};
    const auto scanned = co_await client_.command(std::move(scan), deadline);
    const auto page = scanned ? parse_scan(*scanned) : Result<ScanPage>(scanned.error());
    if (!page) {
      out.findings.push_back("SCAN failed: " + page.error().message());
      break;
    }
    keys.insert(keys.end(), page->keys.begin(), page->keys.end());
    cursor = page->cursor;
    if (cursor == "0") break;
  }
  out.findings.push_back(
      fmt::format("{} keys looked at{}", keys.size(), cursor == "0" ? ", which is all" : ""));
  const std::vector<std::string_view> names(keys.begin(), keys.end());
  const std::string near = near_names(origin(), key, names, out);
  if (cursor == "0" && keys.empty()) {
    out.cause = "there is no key at all in this database; is its number right?";
  } else if (reply || !near.empty()) {  // else the error says as much already
    out.cause = fmt::format("there is no key \"{}\"{}", key, near);
  }
  co_return out;
}

struct MetricBlock {
  MetricSettings settings;
  TextTemplate key;
  TextTemplate group;
};

MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems) {
  MetricBlock out;
  read_settings(block, kMetricTable, "redis metric", out.settings, problems);
  const bool wants_group = out.settings.kind == Kind::pending || out.settings.kind == Kind::lag;
  if (wants_group == out.settings.group.empty()) {
    problems.add(block.mark, "kind: pending and kind: lag need a group, the others have none");
  }
  const auto parse = [&](std::string_view key, const std::string& text) {
    const Node* node = block.find(key);
    return node == nullptr ? TextTemplate()
                           : TextTemplate::parse(text, node->mark, names, problems);
  };
  out.key = parse("key", out.settings.key);
  out.group = parse("group", out.settings.group);
  return out;
}

class RedisBackend final : public Backend {
 public:
  explicit RedisBackend(std::shared_ptr<clients::RedisClient> client)
      : client_(std::move(client)) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& block,
                                                    ParameterNames& names,
                                                    Problems& problems) override {
    MetricBlock read = read_metric(block, names, problems);
    const Kind kind = read.settings.kind;
    const Missing missing = read.settings.missing.value_or(default_missing(kind));
    return std::make_unique<RedisScaler>(*client_,
                                         kind,
                                         std::move(read.key),
                                         std::move(read.group),
                                         missing);
  }
  [[nodiscard]] ConnectionCounts connections() const override { return client_->connections(); }

 private:
  std::shared_ptr<clients::RedisClient> client_;  // shared with nobody: the clients only watch it
};

std::optional<std::uint32_t> parse_database(std::string_view path) {
  if (path.empty() || path == "/") return 0;
  path.remove_prefix(1);
  std::uint32_t out = 0;
  const auto [end, failed] = std::from_chars(path.data(), path.data() + path.size(), out);
  if (failed != std::errc{} || end != path.data() + path.size()) return std::nullopt;
  return out;
}

void read_url(const Node& node,
              const std::string& text,
              clients::RedisTarget& out,
              Problems& problems) {
  auto parsed = parse_url(text, kSchemes);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed))
    return problems.add(node.mark, problem->what);
  const Url& url = std::get<Url>(parsed);
  const auto database = parse_database(url.path);
  if (!database)
    problems.add(node.mark, "the path of a redis url is the database's number, such as /0");
  out.stream.host = url.host;
  out.stream.port = url.port;
  out.stream.is_tls = url.scheme == "rediss";
  out.database = database.value_or(0);
}

std::unique_ptr<Backend> make_backend(const Node& block, Clients& clients, Problems& problems) {
  BackendSettings settings;
  read_settings(block, kBackendTable, "redis backend", settings, problems);
  clients::RedisTarget target{{}, settings.username, settings.password, 0};
  target.stream.tls = settings.tls;
  if (const Node* url = block.find("url")) read_url(*url, settings.url, target, problems);
  if (settings.username.is_set() && !settings.password.is_set()) {
    problems.add(block.mark, "username goes with password; write both, or the password alone");
  }
  if (!target.stream.is_tls && block.find("tls") != nullptr) {
    problems.add(block.find("tls")->mark, "tls needs a url with rediss://");
  }
  return std::make_unique<RedisBackend>(clients.make_redis(target));
}

}  // namespace

ScalerKind describe_kind() {
  return {
      .name = "redis",
      .summary =
          "The length of a list, a stream, a set, a sorted set or a hash, a group's pending "
          "entries or lag, or a counter.",
      .backend_settings = [] { return docs_of<BackendSettings>(kBackendTable); },
      .metric_settings = [] { return docs_of<MetricSettings>(kMetricTable); },
      .check_metric = [](const Node& block,
                         ParameterNames& names,
                         Problems& problems) { read_metric(block, names, problems); },
      .make_backend = make_backend,
  };
}

}  // namespace weir::scalers::backends::redis
