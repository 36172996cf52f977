// The rabbitmq kind: its settings, and the choice of the transport by the scheme of the url.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"

#include "scalers/clients/clients.hpp"
#include "scalers/settings/pattern.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace weir::scalers::backends::rabbitmq {

// Declared here and in the catalog alone: a header would let other code name the kind.
ScalerKind describe_kind();

namespace {

// A longer name cannot be sent: the length is one byte (AMQP 0-9-1 section 4.2.5.3).
constexpr std::size_t kMaxNameBytes = 255;  // of an AMQP short string
// 5672 and 5671 are registered for AMQP, 15672 and 15671 are those of RabbitMQ's management guide.
constexpr std::array<UrlScheme, 4> kSchemes{
    {{"amqp", 5672}, {"amqps", 5671}, {"http", 15672}, {"https", 15671}}};

constexpr std::array kBackendTable{
    required_setting<&BackendSettings::url>(
        "url",
        "amqp:// or amqps:// reads ready messages over one connection (use it for classic queues: "
        "a quorum queue without a leader reports 0); http:// or https:// queries the management "
        "API, which supports all modes; the last segment of the path is the vhost; from a file it "
        "may have USER:PASSWORD@"),
    setting<&BackendSettings::username>("username", "file with the user; requires password"),
    setting<&BackendSettings::password>(
        "password",
        "file with the password; without user and password, amqps authenticates with the client "
        "certificate (SASL EXTERNAL)"),
    setting<&BackendSettings::vhost>("vhost", "vhost, instead of the vhost of the url"),
    setting<&BackendSettings::tls>("tls", "ca, certificate and key, each the path of a PEM file"),
    setting<&BackendSettings::is_http2>(
        "http2",
        "use HTTP/2 if the server offers it in the TLS handshake, as ingresses do: queries share "
        "one connection; https:// only"),
    setting<&BackendSettings::proxy>("proxy", clients::kProxyDoc),
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::backend>("backend", "name of an entry of backends"),
    setting<&MetricSettings::queue>("queue", "name of the queue; $(label) is a parameter"),
    setting<&MetricSettings::queue_regex>(
        "queueRegex",
        "pattern for every queue whose full name matches, instead of queue; management API only"),
    setting<&MetricSettings::vhost>(
        "vhost",
        "vhost, instead of the vhost of the backend; $(label) is a parameter"),
    setting<&MetricSettings::count>(
        "count",
        "which messages to count; off: ready over AMQP, which reports no others, otherwise total"),
    setting<&MetricSettings::aggregate>("aggregate",
                                        "how to combine the queues of queueRegex into one number"),
    setting<&MetricSettings::mode>(
        "mode",
        "what to measure; all modes but QueueLength need the management API"),
    setting<&MetricSettings::no_consumers>("noConsumers",
                                           "what to report when no messages are delivered, because "
                                           "a ratio or a time then has no value"),
    setting<&MetricSettings::missing>(
        "missing",
        "what to report when the queue does not exist, or queueRegex matches no queue; a vhost "
        "that does not exist is always an error"),
};

// A parameter inside a pattern could change what it matches, and the broker's regex language
// differs from RE2 in what it cannot bound: only patterns that RE2 takes too are sent.
void check_pattern(const std::string& text, const Mark& mark, Problems& problems) {
  if (text.find("$(") != text.npos) {
    problems.add(mark,
                 "queueRegex takes no parameters; use queue with a parameter, or several metrics");
    return;
  }
  const auto compiled = Pattern::compile(text);
  if (const auto* invalid = std::get_if<Pattern::Invalid>(&compiled)) {
    problems.add(mark, fmt::format("the pattern is not valid RE2: {}", invalid->why));
  }
}

constexpr std::array kPorts{Port{5671, "AMQP with TLS"},
                            Port{5672, "AMQP"},
                            Port{15671, "management API with TLS"},
                            Port{15672, "management API"}};

constexpr std::string_view kExample = R"yaml(backends:
  broker:
    rabbitmq:
      url: amqp://rabbitmq.ml-inference:5672/
      username: {file: broker/username}
      password: {file: broker/password}
metrics:
  - name: inference_requests
    namespaces: [ml-inference]
    rabbitmq: {backend: broker, queue: inference_requests}
)yaml";

Measure measure_of(const Node& block) {
  const Node* node = block.find("mode");
  const std::string name = node == nullptr ? default_text(MetricSettings{}.mode) : node->text;
  const auto& modes = EnumNames<Mode>::kNames;
  const auto* mode = std::ranges::find(modes, name, [](const auto& one) { return one.first; });
  if (mode == modes.end()) return Measure::unknown;
  switch (mode->second) {
    case Mode::queue_length: return Measure::backlog;
    case Mode::message_rate:
    case Mode::deliver_get_rate: return Measure::rate;
    case Mode::published_to_delivered_ratio:
    case Mode::expected_queue_consumption_time: return Measure::ratio;
  }
  return Measure::unknown;
}

std::unique_ptr<Backend> make_backend(const Node& block,
                                      const Context& context,
                                      Problems& problems) {
  Clients& clients = context.clients;
  BackendSettings settings;
  read_settings(block, kBackendTable, "rabbitmq backend", settings, problems);
  const Node* url = block.find("url");
  // The table has reported the missing url. Without a transport nothing else can be checked.
  if (url == nullptr) return nullptr;
  use_login(block,
            settings.url,
            UrlLogin::user_and_password,
            settings.username,
            settings.password,
            problems);
  // A file that cannot be read has been reported.
  if (settings.url.text.empty()) return nullptr;
  auto parsed = parse_broker(settings.url.text, settings.vhost);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) {
    add_url_problem(*url, settings.url, problem->what, problems);
    return nullptr;
  }
  auto broker = std::get<Broker>(std::move(parsed));
  const bool is_tls = broker.url.scheme == "amqps" || broker.url.scheme == "https";
  const bool is_amqp = broker.url.scheme.starts_with("amqp");
  if (settings.url.file.empty() && settings.username.is_set() != settings.password.is_set()) {
    problems.add(block.mark, "username and password go together; write both or neither");
  }
  // Files that would not be used are an error, because their author believes that the connection is
  // encrypted.
  if (!is_tls && block.find("tls") != nullptr) {
    add_scheme_problem(block, settings.url, "tls needs a url with amqps:// or https://", problems);
    if (!settings.url.file.empty()) return nullptr;
  }
  if (settings.is_http2 && broker.url.scheme != "https") {
    add_url_problem(*block.find(settings.url.file.empty() ? "http2" : "url"),
                    settings.url,
                    fmt::format("http2 needs a url with https://; this url begins with {}://",
                                broker.url.scheme),
                    problems);
  }
  if (const Node* proxy = block.find("proxy"); is_amqp && proxy != nullptr) {
    problems.add(proxy->mark,
                 "proxy needs a url with http:// or https://, because AMQP connects directly; "
                 "remove proxy");
  }
  // SASL EXTERNAL takes the user from the client certificate, which exists only over TLS.
  const bool has_identity =
      settings.username.is_set() || (is_tls && !settings.tls.certificate.path.empty());
  if (is_amqp && !has_identity && !settings.url.file.empty()) {
    add_url_problem(*url,
                    settings.url,
                    "it has no user and password; write USER:PASSWORD@",
                    problems);
    return nullptr;
  }
  if (is_amqp && !has_identity) {
    problems.add(block.mark,
                 "a rabbitmq backend needs credentials: write username: {file: PATH} and password: "
                 "{file: PATH} (amqps may use a client certificate instead)");
  }
  return is_amqp ? make_amqp_backend(settings, std::move(broker), clients)
                 : make_management_backend(settings, std::move(broker), clients);
}

// What is wrong with the path before the vhost; nullptr when nothing is. RabbitMQ answers such a
// path with a 400 that has no words.
const char* prefix_problem(std::string_view prefix) {
  const std::string lower = lower_case(prefix);
  if (lower.ends_with("/api") || lower.find("/api/queues") != lower.npos)
    return "the url must not contain /api, which Weir adds; write the address of the broker";
  if (lower.ends_with("/%2f"))
    return "the vhost is the last segment of the url; remove the slash after %2F";
  return nullptr;
}

}  // namespace

// The layout is that of KEDA's `host`, so that such a url keeps its meaning. "/" is the vhost that
// every broker has unless somebody deletes it.
std::variant<Broker, UrlProblem> parse_broker(std::string_view url, const std::string& vhost) {
  auto parsed = parse_url(url, kSchemes);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) return *problem;
  Broker out{std::get<Url>(std::move(parsed)), "/"};
  std::string path = out.url.path;
  // As KEDA reads it: an empty vhost after an empty segment was the way to write the vhost "/".
  if (path.ends_with("//")) path.pop_back();
  const auto slash = path.rfind('/');
  const std::string_view last =
      slash == path.npos ? std::string_view{} : std::string_view(path).substr(slash + 1);
  out.url.path = slash == path.npos ? "" : path.substr(0, slash);
  if (const char* wrong = prefix_problem(out.url.path)) return UrlProblem{wrong};
  // After the split, so that %2F is a slash within the name. The setting `vhost` is not a url and
  // is taken as written.
  const auto decoded = percent_decoded(last);
  if (!decoded) return UrlProblem{"the vhost of the url has an invalid % escape"};
  if (!decoded->empty()) out.vhost = *decoded;
  if (!vhost.empty()) out.vhost = vhost;
  // The queue is not known yet: each metric has its own.
  if (const auto invalid = check_names(out.vhost, "any")) return UrlProblem{invalid->detail};
  if (out.url.scheme.starts_with("amqp") && !out.url.path.empty()) {
    return UrlProblem{"the path of an amqp url is only the vhost; write a / in its name as %2F"};
  }
  return out;
}

std::optional<Error> check_names(std::string_view vhost, std::string_view queue) {
  if (queue.empty() || vhost.empty())
    return Error{Errc::bad_request, "queue and vhost names must not be empty", ""};
  if (queue.size() > kMaxNameBytes || vhost.size() > kMaxNameBytes)
    return Error{Errc::bad_request, "queue and vhost names must not exceed 255 bytes", ""};
  // Dot segments are removed from a path before it is used (RFC 3986 section 5.2.4), and no
  // encoding protects them: the request would be for another page.
  if (vhost == "." || vhost == "..")
    return Error{Errc::bad_request, "a vhost named . or .. cannot be part of a url", ""};
  return std::nullopt;
}

Result<Sample> missing_queue(const ErrorOrNumber& missing, std::string what, WallTime taken_at) {
  // Marked as missing, so that telemetry and explain tell it from a measured number.
  if (missing.number) return Sample{*missing.number, taken_at, true};
  return Error{Errc::unknown_object, std::move(what), ""};
}

std::vector<SettingDoc> backend_docs() { return docs_of<BackendSettings>(kBackendTable); }
std::vector<SettingDoc> metric_docs() { return docs_of<MetricSettings>(kMetricTable); }

MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems) {
  MetricBlock out;
  MetricSettings& settings = out.settings;
  read_settings(block, kMetricTable, "rabbitmq metric", settings, problems);
  // read_settings() has reported the block.
  if (block.kind != Node::Kind::map) return out;
  const Node* queue = block.find("queue");
  const Node* regex = block.find("queueRegex");
  if ((queue == nullptr) == (regex == nullptr)) {
    problems.add(block.mark, "a rabbitmq metric needs queue or queueRegex, but not both");
  }
  // Only a key that the author wrote is reported, at its own position.
  const auto reject = [&](bool is_wrong, std::string_view key, const char* what) {
    const Node* node = block.find(key);
    if (is_wrong && node != nullptr) problems.add(node->mark, what);
  };
  reject(queue != nullptr,
         "aggregate",
         "aggregate combines the queues of queueRegex; remove aggregate for a single queue");
  reject(settings.mode != Mode::queue_length, "count", "count requires mode: QueueLength");
  const bool has_ratio = settings.mode == Mode::published_to_delivered_ratio ||
                         settings.mode == Mode::expected_queue_consumption_time;
  reject(!has_ratio,
         "noConsumers",
         "noConsumers requires mode: PublishedToDeliveredRatio or ExpectedQueueConsumptionTime");
  // A count is never below zero, and an HPA would scale to maxReplicas on such a number.
  reject(settings.missing.number.value_or(0) < 0,
         "missing",
         "missing must be 0 or more; write missing: 0");
  // An absent key is not reported again: reject() looks for the key.
  reject(settings.queue.empty(), "queue", "the queue's name is empty");
  reject(settings.vhost.empty(),
         "vhost",
         "the vhost's name is empty; remove vhost to use the vhost of the backend");
  if (queue != nullptr)
    out.queue = TextTemplate::parse(settings.queue, queue->mark, names, problems);
  if (regex != nullptr) check_pattern(settings.queue_regex, regex->mark, problems);
  if (const Node* vhost = block.find("vhost")) {
    out.vhost = TextTemplate::parse(settings.vhost, vhost->mark, names, problems);
  }
  return out;
}

ScalerKind describe_kind() {
  return {
      .name = "rabbitmq",
      .summary =
          "Messages in a queue, over AMQP (ready messages) or the management API (all counts and "
          "rates).",
      .empty_covers = "",
      .diagnosis = "of a missing queue or vhost: similar names (management API)",
      .ports = kPorts,
      .example = kExample,
      .backend_settings = backend_docs,
      .metric_settings = metric_docs,
      .measure = measure_of,
      .check_metric = [](const Node& block,
                         ParameterNames& names,
                         Problems& problems) { read_metric(block, names, problems); },
      .make_backend = make_backend,
  };
}

}  // namespace weir::scalers::backends::rabbitmq
