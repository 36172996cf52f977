// The redis kind: the settings of a metric, its commands, and a bounded SCAN for a diagnosis.
#include "scalers/backends/redis/redis.hpp"

#include "scalers/backends/redis/backend_settings.hpp"
#include "scalers/backends/redis/lag.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/clients/redis/servers.hpp"
#include "scalers/kind.hpp"
#include "scalers/settings/table.hpp"
#include "scalers/settings/template.hpp"
#include "scalers/text/near_names.hpp"

#include <fmt/format.h>

#include <array>
#include <set>
#include <span>
#include <string_view>
#include <utility>

namespace weir::scalers::backends::redis {

// Declared here and in the catalog alone: a header would let other code name the kind.
ScalerKind describe_kind();

namespace {

struct MetricSettings {
  std::string backend;
  std::string key;
  Kind kind = Kind::list;
  std::string group;
  std::optional<Missing> missing;
  std::optional<Duration> max_age;
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::backend>("backend", "name of an entry of backends"),
    required_setting<&MetricSettings::key>("key", "key to measure; $(label) is a parameter"),
    setting<&MetricSettings::kind>("kind", "what to measure, according to the type of the key"),
    setting<&MetricSettings::group>("group",
                                    "consumer group, for pending and lag; $(label) is a parameter"),
    setting<&MetricSettings::missing>(
        "missing",
        "what to report when the key does not exist; off: 0 for list, sortedSet, set and hash, "
        "which Redis deletes when they are empty, and error for the other kinds"),
    setting<&MetricSettings::max_age>(
        "maxAge",
        "maximum time for which a replica may have been without its master; longer is an error. "
        "Needs +info"),
};

// A diagnosis visits about 10,000 keys at most, because SCAN shares the one thread of Redis with
// the commands of all its clients.
constexpr std::size_t kMaxScans = 20;
using Seconds = std::chrono::duration<double>;
constexpr std::string_view kScanCount = "500";  // keys that one SCAN visits, about

class RedisScaler final : public Scaler {
 public:
  RedisScaler(clients::RedisServers& client,
              Kind kind,
              TextTemplate key,
              TextTemplate group,
              Missing missing,
              RoleCheck role,
              std::optional<Duration> max_age)
      : client_(client),
        role_(role),
        kind_(kind),
        key_(std::move(key)),
        group_(std::move(group)),
        missing_(missing),
        max_age_(max_age),
        // Formatted once, because every read of the metric needs it.
        key_prefix_(fmt::format("{} {} {} {} ",
                                static_cast<int>(origin()),
                                static_cast<int>(kind),
                                static_cast<int>(missing),
                                max_age.value_or(Duration{0}).count())) {}

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

  [[nodiscard]] awaitable<Result<Samples>> query(Parameters parameters, Deadline deadline) override;

 private:
  // Of a key that may not exist: XLEN is 0 for an empty stream and for a missing one.
  [[nodiscard]] bool is_empty(const std::optional<double>& value) const {
    return !value || (kind_ == Kind::stream && *value == 0);
  }
  // What maxAge says of the replies to query(): nullopt without maxAge.
  [[nodiscard]] Result<std::optional<DataAge>> age_of(
      std::span<const clients::RedisReply> replies) const;
  // The value again, together with the role of the server, because a replica that has never been in
  // sync has no keys. In one transaction: a sync that ends between the two would make the first
  // value look confirmed.
  [[nodiscard]] awaitable<Result<std::optional<double>>> confirm(Subject subject,
                                                                 Deadline deadline);
  // The keys that SCAN returned; it may return one of them several times.
  struct Scan {
    std::set<std::string> keys;
    bool is_complete = false;  // of the whole database, which a node of a cluster has not
  };
  // Of the node of `key`, which is the only one unless the servers are a cluster. Counts its
  // queries in `out`, and notes there when one fails.
  [[nodiscard]] awaitable<Scan> scan_keys(const std::string* key,
                                          Diagnosis& out,
                                          Deadline deadline);
  // The key alone decides, because only keys are searched for similar names.
  [[nodiscard]] NameOrigin origin() const {
    return key_.has_parameters() ? NameOrigin::caller : NameOrigin::configuration;
  }

  clients::RedisServers& client_;
  RoleCheck role_;
  Kind kind_;
  TextTemplate key_;
  TextTemplate group_;
  Missing missing_;
  std::optional<Duration> max_age_;
  LagCheck lags_;
  std::string key_prefix_;  // of every cache key of this metric
};

awaitable<Result<Samples>> RedisScaler::query(Parameters parameters, Deadline deadline) {
  const Subject subject{kind_, key_.render(parameters), group_.render(parameters)};
  // Taken before the command: a reading may be younger than its time says, never older.
  const WallTime taken_at = std::chrono::system_clock::now();
  // The words are named vectors, because GCC before 13 miscompiles braced lists beside a co_await.
  std::vector<clients::RedisWords> commands{command_for(subject)};
  if (kind_ == Kind::lag) commands.push_back({"XINFO", "STREAM", subject.key});
  if (max_age_) commands.push_back({"INFO", "replication"});
  const auto replies = co_await client_.commands(subject.key, std::move(commands), deadline);
  if (!replies) co_return replies.error();
  const clients::RedisReply& reply = replies->front();
  const auto data_age = age_of(*replies);
  if (!data_age) co_return data_age.error();
  auto value = parse_reply(subject, reply);
  if (kind_ == Kind::lag) value = lags_.check(subject, std::move(value), reply, (*replies)[1]);
  if (needs_type(subject, reply, missing_)) {
    // A second command only where the first reply is ambiguous, so that a usual read costs one.
    std::vector<std::string> words{"TYPE", subject.key};
    const auto type = co_await client_.command(subject.key, std::move(words), deadline);
    value = with_type(subject, reply, type);
  }
  if (!value) co_return value.error();
  if (missing_ == Missing::zero && role_ == RoleCheck::checked && is_empty(*value)) {
    value = co_await confirm(subject, deadline);
    if (!value) co_return value.error();
  }
  if (*value) co_return Sample{**value, taken_at, false, *data_age};
  // For a collection Redis itself returns 0, so the 0 is not from the `missing` policy.
  const bool is_policy = default_missing(kind_) == Missing::error;
  if (missing_ == Missing::zero) co_return Sample{0, taken_at, is_policy, *data_age};
  co_return Error{
      Errc::unknown_object,
      fmt::format("key \"{}\" does not exist; set missing: 0 if a missing key means zero",
                  subject.key),
      ""};
}

Result<std::optional<DataAge>> RedisScaler::age_of(
    std::span<const clients::RedisReply> replies) const {
  if (!max_age_) return std::optional<DataAge>();
  const auto age = replica_age(replies.back());
  if (!age) return age.error();
  const DataAge out{age->value_or(Duration{0}), *max_age_};
  if (out.age >= out.limit) {
    return Error{
        Errc::stale,
        fmt::format("the server is a replica that lost its master {:g} s ago, and maxAge is {:g} s",
                    Seconds(out.age).count(),
                    Seconds(out.limit).count()),
        ""};
  }
  return std::optional(out);
}

awaitable<Diagnosis> RedisScaler::diagnose(Parameters parameters,
                                           Result<Samples> reply,
                                           Deadline deadline) {
  Diagnosis out;
  const std::string key = key_.render(parameters);
  ++out.queries;
  // TYPE first: a key that exists needs no search for similar names.
  std::vector<std::string> type_of{"TYPE", key};
  const auto type = co_await client_.command(key, std::move(type_of), deadline);
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
  const Scan scan = co_await scan_keys(&key, out, deadline);
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

awaitable<Result<std::optional<double>>> RedisScaler::confirm(Subject subject, Deadline deadline) {
  std::vector<clients::RedisWords> words{{"MULTI"}, {"ROLE"}, command_for(subject)};
  if (kind_ == Kind::lag) words.push_back({"XINFO", "STREAM", subject.key});
  words.push_back({"EXEC"});
  const std::size_t results_due = words.size() - 2;
  const auto replies = co_await client_.commands(subject.key, std::move(words), deadline);
  if (!replies) co_return replies.error();
  // A command that is not permitted is an error before EXEC, which then says less.
  for (const clients::RedisReply& reply : *replies) {
    if (reply.kind == clients::RedisReply::Kind::error) co_return *role_problem(reply);
  }
  const clients::RedisReply& results = replies->back();
  if (results.items.size() != results_due)
    co_return Error{Errc::bad_reply, "the response to EXEC has an unexpected type", ""};
  if (auto problem = role_problem(results.items[0])) co_return std::move(*problem);
  const clients::RedisReply& again = results.items[1];
  // Without the stream there is no group: TYPE has shown before that the key does not exist.
  const bool is_missing =
      again.kind == clients::RedisReply::Kind::error &&
      (again.text.starts_with("NOGROUP") || again.text.starts_with("ERR no such key"));
  if (is_missing) co_return std::optional<double>();
  auto value = parse_reply(subject, again);
  if (kind_ == Kind::lag) value = lags_.check(subject, std::move(value), again, results.items[2]);
  co_return value;
}

awaitable<RedisScaler::Scan> RedisScaler::scan_keys(const std::string* key,
                                                    Diagnosis& out,
                                                    Deadline deadline) {
  Scan scan;
  std::string cursor = "0";
  bool is_done = false;
  for (std::size_t i = 0; i < kMaxScans && !is_done; ++i) {
    ++out.queries;
    // SCAN and never KEYS, which blocks the server for the whole database. Only cursor 0 ends a
    // scan: a page before it may be empty.
    std::vector<std::string> words{"SCAN", cursor, "COUNT", std::string(kScanCount)};
    const auto reply = co_await client_.command(*key, std::move(words), deadline);
    const auto page = reply ? parse_scan(*reply) : Result<ScanPage>(reply.error());
    if (!page) {
      out.findings.push_back("SCAN failed: " + page.error().message());
      break;
    }
    scan.keys.insert(page->keys.begin(), page->keys.end());
    cursor = page->cursor;
    is_done = cursor == "0";
  }
  scan.is_complete = is_done && client_.is_one_keyspace();
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
  RedisBackend(std::shared_ptr<clients::RedisServers> client, std::string address, RoleCheck role)
      : client_(std::move(client)), address_(std::move(address)), role_(role) {}

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
                                         missing,
                                         role_,
                                         read.settings.max_age);
  }
  [[nodiscard]] std::string address() const override { return address_; }
  [[nodiscard]] ConnectionCounts connections() const override { return client_->connections(); }

 private:
  std::shared_ptr<clients::RedisServers> client_;  // the only owner: Clients holds a weak_ptr
  std::string address_;
  RoleCheck role_;
};

constexpr std::array kPorts{Port{6379, "Redis"}, Port{6380, "Redis with TLS"}};

constexpr std::string_view kExample = R"yaml(backends:
  cache: {redis: {url: "redis://redis.default:6379/0", password: {file: cache/password}}}
metrics:
  - name: jobs_waiting
    namespaces: [ml-inference]
    redis: {backend: cache, key: jobs}
)yaml";

// A counter may count anything.
Measure measure_of(const Node& block) {
  const Node* kind = block.find("kind");
  return kind != nullptr && kind->text == "counter" ? Measure::unknown : Measure::backlog;
}

std::unique_ptr<Backend> make_backend(const Node& block,
                                      const Context& context,
                                      Problems& problems) {
  const BackendSettings settings = read_backend(block, problems);
  const auto* single = std::get_if<clients::RedisTarget>(&settings.target);
  // A url that cannot be used has been reported.
  if (single != nullptr && single->stream.host.empty()) return nullptr;
  // Backends with equal targets share one client, and a reload finds the client of before: the
  // connection survives.
  return std::make_unique<RedisBackend>(
      std::visit([&](const auto& target) { return context.clients.make_redis(target); },
                 settings.target),
      address_of(settings),
      settings.role);
}

}  // namespace

ScalerKind describe_kind() {
  return {
      .name = "redis",
      .summary =
          "The length of a list, a stream, a set, a sorted set or a hash, a group's pending "
          "entries or lag, or a counter.",
      .empty_covers = "",
      .diagnosis = "of a missing key, or a 0: similar names among about 10,000 keys (SCAN)",
      .ports = kPorts,
      .example = kExample,
      .backend_settings = backend_docs,
      .metric_settings = [] { return docs_of<MetricSettings>(kMetricTable); },
      .measure = measure_of,
      .check_metric = [](const Node& block,
                         ParameterNames& names,
                         Problems& problems) { read_metric(block, names, problems); },
      .make_backend = make_backend,
  };
}

}  // namespace weir::scalers::backends::redis
