#include "scalers/backends/rabbitmq/rabbitmq.hpp"

#include "scalers/clients/clients.hpp"
#include "scalers/settings/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir::scalers::backends::rabbitmq {

ScalerKind describe_kind();

namespace {

constexpr std::size_t kMaxNameBytes = 255;  // of an AMQP short string
constexpr std::array<UrlScheme, 4> kSchemes{
    {{"amqp", 5672}, {"amqps", 5671}, {"http", 15672}, {"https", 15671}}};

constexpr std::array kBackendTable{
    required_setting<&BackendSettings::url>(
        "url",
        "amqp:// or amqps:// asks ready messages over one connection (of classic queues: a quorum "
        "queue without a leader answers 0); http:// or https:// asks the "
        "management API, "
        "which knows all modes; the last part of the path is the vhost"),
    setting<&BackendSettings::username>("username", "", "file with the user; goes with password"),
    setting<&BackendSettings::password>(
        "password",
        "",
        "file with the password; without both, amqps shows its client certificate (SASL EXTERNAL)"),
    setting<&BackendSettings::vhost>("vhost", "", "the vhost, instead of the url's"),
    setting<&BackendSettings::tls>("tls",
                                   "",
                                   "ca, certificate and key, each the path of a PEM file"),
};

constexpr std::array kMetricTable{
    required_setting<&MetricSettings::backend>("backend", "the name of an entry of backends"),
    setting<&MetricSettings::queue>("queue", "", "the queue; $(label) is a parameter"),
    setting<&MetricSettings::queue_regex>(
        "queueRegex",
        "",
        "every queue whose whole name matches, instead of queue; management API only"),
    setting<&MetricSettings::vhost>("vhost",
                                    "",
                                    "the vhost, instead of the backend's; $(label) is a parameter"),
    setting<&MetricSettings::count>(
        "count",
        "",
        "which messages count; off: ready over AMQP, which tells no others, else total"),
    setting<&MetricSettings::aggregate>("aggregate",
                                        "sum",
                                        "what several queues come to, with queueRegex"),
    setting<&MetricSettings::mode>("mode",
                                   "QueueLength",
                                   "what is measured; all but QueueLength need the management API"),
    setting<&MetricSettings::no_consumers>(
        "noConsumers",
        "error",
        "what to report when nothing is delivered, so that a ratio or a time has no value"),
    setting<&MetricSettings::missing>(
        "missing",
        "error",
        "what to report when there is no such queue, or none that queueRegex matches; a vhost that "
        "does not exist is an error all the same"),
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

std::unique_ptr<Backend> make_backend(const Node& block, Clients& clients, Problems& problems) {
  BackendSettings settings;
  read_settings(block, kBackendTable, "rabbitmq backend", settings, problems);
  const Node* url = block.find("url");
  if (url == nullptr) return nullptr;
  auto parsed = parse_broker(settings.url, settings.vhost);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) {
    problems.add(url->mark, problem->what);
    return nullptr;
  }
  auto broker = std::get<Broker>(std::move(parsed));
  const bool is_tls = broker.url.scheme == "amqps" || broker.url.scheme == "https";
  const bool is_amqp = broker.url.scheme.starts_with("amqp");
  if (settings.username.is_set() != settings.password.is_set()) {
    problems.add(block.mark, "username and password go together; write both or neither");
  }
  if (!is_tls && block.find("tls") != nullptr) {
    problems.add(block.find("tls")->mark, "tls needs a url with amqps:// or https://");
  }
  const bool has_identity =
      settings.username.is_set() || (is_tls && !settings.tls.certificate.path.empty());
  if (is_amqp && !has_identity) {
    problems.add(block.mark,
                 "a broker wants to know who asks: write username: {file: PATH} and password: "
                 "{file: PATH}, or give "
                 "amqps a client certificate");
  }
  return is_amqp ? make_amqp_backend(settings, std::move(broker), clients)
                 : make_management_backend(settings, std::move(broker), clients);
}

}  // namespace

std::variant<Broker, UrlProblem> parse_broker(std::string_view url, const std::string& vhost) {
  auto parsed = parse_url(url, kSchemes);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) return *problem;
  Broker out{std::get<Url>(std::move(parsed)), "/"};
  const std::string path = out.url.path;
  const auto slash = path.rfind('/');
  const std::string_view last =
      slash == path.npos ? std::string_view{} : std::string_view(path).substr(slash + 1);
  out.url.path = slash == path.npos ? "" : path.substr(0, slash);
  const auto decoded = percent_decoded(last);
  if (!decoded) return UrlProblem{"the url's vhost holds a broken % escape"};
  if (!decoded->empty()) out.vhost = *decoded;
  if (!vhost.empty()) out.vhost = vhost;
  if (const auto refused = refuse_names(out.vhost, "any")) return UrlProblem{refused->detail};
  if (out.url.scheme.starts_with("amqp") && !out.url.path.empty()) {
    return UrlProblem{"the path of an amqp url is the vhost alone; write a / in its name as %2F"};
  }
  return out;
}

std::optional<Error> refuse_names(std::string_view vhost, std::string_view queue) {
  if (queue.empty() || vhost.empty())
    return Error{Errc::bad_request, "a queue's and a vhost's name are not empty", ""};
  if (queue.size() > kMaxNameBytes || vhost.size() > kMaxNameBytes)
    return Error{Errc::bad_request, "a queue's and a vhost's name have at most 255 bytes", ""};
  if (vhost == "." || vhost == "..")
    return Error{Errc::bad_request, "a vhost named . or .. cannot stand in a url", ""};
  return std::nullopt;
}

Result<Sample> missing_queue(const ErrorOrNumber& missing, std::string what, WallTime taken_at) {
  if (missing.number) return Sample{*missing.number, taken_at, true};
  return Error{Errc::unknown_object, std::move(what), ""};
}

std::vector<SettingDoc> backend_docs() { return docs_of<BackendSettings>(kBackendTable); }
std::vector<SettingDoc> metric_docs() { return docs_of<MetricSettings>(kMetricTable); }

MetricBlock read_metric(const Node& block, ParameterNames& names, Problems& problems) {
  MetricBlock out;
  MetricSettings& settings = out.settings;
  read_settings(block, kMetricTable, "rabbitmq metric", settings, problems);
  if (block.kind != Node::Kind::map) return out;
  const Node* queue = block.find("queue");
  const Node* regex = block.find("queueRegex");
  if ((queue == nullptr) == (regex == nullptr)) {
    problems.add(block.mark, "a rabbitmq metric needs queue or queueRegex, and not both");
  }
  const auto refuse = [&](bool is_wrong, std::string_view key, const char* what) {
    const Node* node = block.find(key);
    if (is_wrong && node != nullptr) problems.add(node->mark, what);
  };
  refuse(queue != nullptr,
         "aggregate",
         "aggregate joins the queues of queueRegex; one queue needs none");
  refuse(settings.mode != Mode::queue_length, "count", "count goes with mode: QueueLength");
  const bool has_ratio = settings.mode == Mode::published_to_delivered_ratio ||
                         settings.mode == Mode::expected_queue_consumption_time;
  refuse(!has_ratio,
         "noConsumers",
         "noConsumers goes with PublishedToDeliveredRatio and ExpectedQueueConsumptionTime");
  refuse(settings.missing.number.value_or(0) < 0,
         "missing",
         "a queue that is missing holds 0 messages or more; write missing: 0");
  refuse(settings.queue.empty(), "queue", "the queue's name is empty");
  refuse(settings.vhost.empty(),
         "vhost",
         "the vhost's name is empty; leave vhost out for the backend's");
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
          "Messages in a queue, over AMQP (ready ones) or the management API (all counts and "
          "rates).",
      .backend_settings = backend_docs,
      .metric_settings = metric_docs,
      .check_metric = [](const Node& block,
                         ParameterNames& names,
                         Problems& problems) { read_metric(block, names, problems); },
      .make_backend = make_backend,
  };
}

}  // namespace weir::scalers::backends::rabbitmq
