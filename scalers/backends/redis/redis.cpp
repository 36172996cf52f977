// The redis kind: its settings, one command for each query, and a bounded SCAN for a diagnosis.
#include "scalers/backends/redis/redis.hpp"

#include "scalers/clients/clients.hpp"
#include "scalers/clients/redis/client.hpp"
#include "scalers/kind.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/settings/template.hpp"
#include "scalers/text/near_names.hpp"

#include <fmt/format.h>

#include <charconv>
#include <set>
#include <string_view>
#include <utility>

namespace weir::scalers::backends::redis {

// Declared here and in the catalog alone: a header would let other code name the kind.
ScalerKind describe_kind();

namespace {

// Redis has no default port for TLS, because its tls-port is 0 (off): both schemes take 6379.
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
                                        "file with the ACL user; requires password"),
    setting<&BackendSettings::password>("password", "", "file with the password"),
    setting<&BackendSettings::tls>("tls",
                                   "",
                                   "ca, certificate and key, each the path of a PEM file"),
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::backend>("backend", "name of an entry of backends"),
    required_setting<&MetricSettings::key>("key", "key to measure; $(label) is a parameter"),
    setting<&MetricSettings::kind>("kind",
                                   "list",
                                   "what to measure, according to the type of the key"),
    setting<&MetricSettings::group>("group",
                                    "",
                                    "consumer group, for pending and lag; $(label) is a parameter"),
    setting<&MetricSettings::missing>(
        "missing",
        "",
        "what to report when the key does not exist; off: 0 for list, sortedSet, set and hash, "
        "which Redis deletes when they are empty, and error for the other kinds"),
};

// A diagnosis visits about 10,000 keys at most, because SCAN shares the one thread of Redis with
// the commands of all its clients.
constexpr std::size_t kMaxScans = 20;
constexpr std::string_view kScanCount = "500";  // keys that one SCAN visits, about

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
        // Formatted once, because every read of the metric needs it.
        key_prefix_(fmt::format("{} {} {} ",
                                static_cast<int>(origin()),
                                static_cast<int>(kind),
                                static_cast<int>(missing))) {}

  [[nodiscard]] std::string cache_key(const Parameters& parameters) const override {
    // All callers with this key see the same cause, so a name that a caller wrote needs another
    // key. The length keeps the key apart from the group.
    const std::string key = key_.render(parameters);
    const fmt::format_int size(key.size());
    std::string out = key_prefix_;
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

  // A missing key: reported as an error, or as the 0 that Redis returns for it.
  [[nodiscard]] bool can_diagnose(const Result<Samples>& reply) const override {
    return reply ? reply->front().value == 0 : reply.error().code == Errc::unknown_object;
  }

  [[nodiscard]] awaitable<Diagnosis> diagnose(Parameters parameters,
                                              Result<Samples> reply,
                                              Deadline deadline) override;

  [[nodiscard]] awaitable<Result<Samples>> query(Parameters parameters,
                                                 Deadline deadline) override {
    const Subject subject{kind_, key_.render(parameters), group_.render(parameters)};
    // Taken before the command: a reading may be younger than its time says, never older.
    const WallTime taken_at = std::chrono::system_clock::now();
    const auto reply = co_await client_.command(command_for(subject), deadline);
    if (!reply) co_return reply.error();
    auto value = parse_reply(subject, *reply);
    if (needs_type(subject, *reply, missing_)) {
      // A second command only where the first reply is ambiguous, so that a usual read costs one.
      // The words are a named vector, because GCC before 13 miscompiles braced lists beside a
      // co_await.
      std::vector<std::string> words{"TYPE", subject.key};
      const auto type = co_await client_.command(std::move(words), deadline);
      value = with_type(subject, *reply, type);
    }
    if (!value) co_return value.error();
    if (*value) co_return Sample{**value, taken_at};
    // For a collection Redis itself returns 0, so the 0 is not from the `missing` policy.
    const bool is_policy = default_missing(kind_) == Missing::error;
    if (missing_ == Missing::zero) co_return Sample{0, taken_at, is_policy};
    co_return Error{
        Errc::unknown_object,
        fmt::format("key \"{}\" does not exist; set missing: 0 if a missing key means zero",
                    subject.key),
        ""};
  }

 private:
  // The keys that SCAN returned; it may return one of them several times.
  struct Scan {
    std::set<std::string> keys;
    bool is_complete = false;  // of the whole database
  };
  // Counts its queries in `out`, and notes there when one fails.
  [[nodiscard]] awaitable<Scan> scan_keys(Diagnosis& out, Deadline deadline);
  // The key alone decides, because only keys are searched for similar names.
  [[nodiscard]] NameOrigin origin() const {
    return key_.has_parameters() ? NameOrigin::caller : NameOrigin::configuration;
  }

  clients::RedisClient& client_;
  Kind kind_;
  TextTemplate key_;
  TextTemplate group_;
  Missing missing_;
  std::string key_prefix_;  // of every cache key of this metric
};

awaitable<Diagnosis> RedisScaler::diagnose(Parameters parameters,
                                           Result<Samples> reply,
                                           Deadline deadline) {
  Diagnosis out;
  const std::string key = key_.render(parameters);
  ++out.queries;
  // TYPE first: a key that exists needs no search for similar names.
  std::vector<std::string> type_of{"TYPE", key};
  const auto type = co_await client_.command(std::move(type_of), deadline);
  const bool has_type = type && type->kind == clients::RedisReply::Kind::text;
  if (!has_type) {
    // An ACL may permit the command of the metric and not TYPE. That is no cause of anything, so
    // the diagnosis has none.
    const Error why = type ? clients::redis_error(type->text) : type.error();
    out.findings.push_back("TYPE failed: " + why.message());
    co_return out;
  }
  out.findings.push_back(fmt::format("TYPE {} = {}", key, type->text));
  // The key exists: its 0 was measured, or the error already names what is wrong with it.
  if (type->text != "none") co_return out;
  const Scan scan = co_await scan_keys(out, deadline);
  out.findings.push_back(fmt::format("scanned {} key{}{}",
                                     scan.keys.size(),
                                     scan.keys.size() == 1 ? "" : "s",
                                     scan.is_complete ? ", the whole database" : ""));
  const std::vector<std::string_view> names(scan.keys.begin(), scan.keys.end());
  const std::string near = near_names(origin(), key, names, out);
  // Only a complete scan shows that the database is empty.
  if (scan.is_complete && scan.keys.empty()) {
    out.cause = "the database has no keys; is the database number right?";
  } else if (reply || !near.empty()) {  // otherwise the error already says this
    out.cause = fmt::format("there is no key \"{}\"{}", key, near);
  }
  co_return out;
}

awaitable<RedisScaler::Scan> RedisScaler::scan_keys(Diagnosis& out, Deadline deadline) {
  Scan scan;
  std::string cursor = "0";
  for (std::size_t i = 0; i < kMaxScans && !scan.is_complete; ++i) {
    ++out.queries;
    // SCAN and never KEYS, which blocks the server for the whole database. Only cursor 0 ends a
    // scan: a page before it may be empty.
    std::vector<std::string> words{"SCAN", cursor, "COUNT", std::string(kScanCount)};
    const auto reply = co_await client_.command(std::move(words), deadline);
    const auto page = reply ? parse_scan(*reply) : Result<ScanPage>(reply.error());
    if (!page) {
      out.findings.push_back("SCAN failed: " + page.error().message());
      break;
    }
    scan.keys.insert(page->keys.begin(), page->keys.end());
    cursor = page->cursor;
    scan.is_complete = cursor == "0";
  }
  co_return scan;
}

struct MetricBlock {
  MetricSettings settings;
  TextTemplate key;
  TextTemplate group;
};

MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems) {
  MetricBlock out;
  read_settings(block, kMetricTable, "redis metric", out.settings, problems);
  // One comparison finds a missing group and a group that no command would send.
  const bool needs_group = out.settings.kind == Kind::pending || out.settings.kind == Kind::lag;
  if (needs_group == out.settings.group.empty()) {
    problems.add(block.mark,
                 "kind: pending and kind: lag need a group; other kinds must not have a group");
  }
  const auto parse = [&](std::string_view key, const std::string& text) {
    const Node* node = block.find(key);
    // A missing key is reported by the table; there is no text to parse.
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
    // The default depends on the kind of value, so the table has none.
    const Missing missing = read.settings.missing.value_or(default_missing(kind));
    return std::make_unique<RedisScaler>(*client_,
                                         kind,
                                         std::move(read.key),
                                         std::move(read.group),
                                         missing);
  }
  [[nodiscard]] ConnectionCounts connections() const override { return client_->connections(); }

 private:
  std::shared_ptr<clients::RedisClient> client_;  // the only owner: Clients holds a weak_ptr
};

// An unsigned number takes no sign, and the whole segment has to be the number. Whether the server
// has that database is its own answer to SELECT.
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
    problems.add(node.mark, "the path of a redis url is the database number, such as /0");
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
  // AUTH takes a password alone, for the user `default`, but never a user alone.
  if (settings.username.is_set() && !settings.password.is_set()) {
    problems.add(block.mark, "username requires password; write both, or only password");
  }
  // Files that would not be used are an error, because their author believes that the connection is
  // encrypted.
  if (!target.stream.is_tls && block.find("tls") != nullptr) {
    problems.add(block.find("tls")->mark, "tls needs a url with rediss://");
  }
  // Backends with equal targets share one client, and a reload finds the client of before: the
  // connection survives.
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
