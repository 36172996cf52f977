// parse_reply(): the value in a response of the query API, or its error. Pure, for exact tests.
#include "scalers/backends/prometheus/prometheus.hpp"
#include "scalers/text/html.hpp"
#include "scalers/text/redact.hpp"
#include "scalers/text/refusal.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

using Json = nlohmann::json;

// A reply may have thousands of series, of which a message needs a few to tell them apart.
constexpr std::size_t kMaxShown = 3;      // labels, and values of each, that a message names
constexpr std::size_t kMaxCompared = 50;  // series that are compared for it

Error bad_reply(std::string detail) { return {Errc::bad_reply, std::move(detail), ""}; }

// The member of an object, or a null when it has none.
const Json& member(const Json& object, const char* key) {
  static const Json kNull;
  const auto entry = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && entry != object.end() ? *entry : kNull;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

// Prometheus' own number form: a decimal, "NaN", "+Inf" or "-Inf".
Result<double> parse_value(const std::string& text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  // from_chars also reads "inf" and "nan(12)", which Prometheus does not write.
  if (text.find_first_not_of("+-.0123456789eE") != text.npos)
    return bad_reply("the value is not a number");
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc::result_out_of_range) {
    return Error{Errc::out_of_range, "the value is outside the range of a 64-bit float", ""};
  }
  if (failed != std::errc{} || end != text.data() + text.size())
    return bad_reply("the value is not a number");
  return value;
}

// A sample as [seconds, "value"].
Result<Sample> parse_sample(const Json& sample) {
  // A gap: `empty` is for what does not exist, and this series does.
  if (sample.is_null()) return Error{Errc::partial, "the value is null", ""};
  if (!sample.is_array() || sample.size() != 2 || !sample[0].is_number()) {
    return bad_reply("the sample is not a pair of time and value");
  }
  if (sample[1].is_null()) return Error{Errc::partial, "the value is null", ""};
  // Prometheus writes values as strings, because JSON has no NaN and no infinity.
  if (!sample[1].is_string()) return bad_reply("the value is not a JSON string");
  const double seconds = sample[0].get<double>();
  // The conversion of a later time would overflow: 64 bits of nanoseconds end in the year 2262.
  if (!(seconds >= 0 && seconds < 9.2e9)) return bad_reply("the sample's time is out of range");
  const auto value = parse_value(sample[1].get_ref<const std::string&>());
  if (!value) return value.error();
  const auto since_epoch =
      std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(seconds));
  return Sample{*value, WallTime(since_epoch)};
}

// "instance (\"a\", \"b\", ...), pod (...)": the labels whose values differ between the series.
std::string differing_labels(const Json& all, std::span<const std::string> redactions) {
  const std::span series(all.get_ref<const Json::array_t&>().data(),
                         std::min(all.size(), kMaxCompared));
  std::map<std::string, std::set<std::string>> values;
  for (const Json& item : series) {
    for (const auto& [name, value] : member(item, "metric").items())
      values[name].insert(text_of(value));
  }
  for (auto& [name, label_values] : values) {
    const bool is_everywhere = std::ranges::all_of(series, [&](const Json& item) {
      return member(item, "metric").contains(name);
    });
    // For PromQL a missing label and an empty one are the same.
    if (!is_everywhere) label_values.insert("");
  }
  std::string out;
  std::size_t count = 0;
  for (const auto& [name, label_values] : values) {
    if (label_values.size() < 2) continue;
    if (++count > kMaxShown) return out + ", ...";
    std::string listed;
    for (const std::string& value : label_values | std::views::take(kMaxShown)) {
      listed += fmt::format("{}\"{}\"", listed.empty() ? "" : ", ", remote_text(value, redactions));
    }
    out += fmt::format("{}{} ({}{})",
                       out.empty() ? "" : ", ",
                       remote_text(name, redactions),
                       listed,
                       label_values.size() > kMaxShown ? ", ..." : "");
  }
  return out;
}

Error too_many(const Json& series, std::span<const std::string> redactions) {
  const std::string labels = differing_labels(series, redactions);
  return {
      Errc::too_many,
      fmt::format(
          "{} series where one is expected; they differ in {}; aggregate them in the query, or set "
          "aggregate: sum, max, min or avg",
          series.size(),
          labels.empty() ? "no label" : labels),
      ""};
}

// The aggregate of several series. One infinite series makes the result infinite; NaN among numbers
// is an error even with a `nan` policy, because `nan: 0` means "no observations", not "one worker
// is idle".
Result<double> combine(Aggregate aggregate, std::span<const double> samples) {
  double sum = 0;
  double least = samples.front();
  double most = samples.front();
  std::size_t unknown = 0;
  for (const double value : samples) {
    if (std::isinf(value)) return value;
    unknown += std::isnan(value) ? 1 : 0;
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  // The sum is NaN then, for the policy `nan` to judge.
  if (unknown == samples.size()) return sum;
  if (unknown > 0) {
    return Error{
        Errc::partial,
        fmt::format("{} of {} series are NaN; filter NaN out in the query, as in (QUERY) >= 0",
                    unknown,
                    samples.size()),
        ""};
  }
  switch (aggregate) {
    case Aggregate::none:
    case Aggregate::sum: return sum;
    case Aggregate::max: return most;
    case Aggregate::min: return least;
    case Aggregate::avg: return sum / static_cast<double>(samples.size());
  }
  return sum;
}

// A series of another selection, which a proxy made of the query or has cached. A label that is not
// there says nothing: Thanos removes those of replicas.
std::optional<Error> foreign_series(const Json& series,
                                    std::span<const promql::Matcher> matchers,
                                    std::span<const std::string> redactions) {
  for (const promql::Matcher& matcher : matchers) {
    const Json& value = member(member(series, "metric"), matcher.label.c_str());
    if (value.is_null() || value == matcher.value) continue;
    return bad_reply(
        fmt::format("the response has a series with {}=\"{}\", and the query selects {}; does a "
                    "proxy change the query, or answer from its cache?",
                    matcher.label,
                    remote_text(text_of(value), redactions),
                    matcher.text));
  }
  return std::nullopt;
}

Result<Sample> parse_vector(const Json& series,
                            Aggregate aggregate,
                            std::span<const promql::Matcher> matchers,
                            std::span<const std::string> redactions) {
  // A server without series sends an empty list.
  if (series.is_null()) return Error{Errc::partial, "the result is null", ""};
  if (!series.is_array()) return bad_reply("the vector is not a list");
  if (series.empty()) {
    return Error{Errc::no_value,
                 "the query matches no series; is the target scraped and are the label values "
                 "right? set empty: 0 if no series means zero",
                 ""};
  }
  // Never the first of many, because the server promises no order; and an HPA would add them all
  // up.
  if (aggregate == Aggregate::none && series.size() > 1) return too_many(series, redactions);
  std::vector<Sample> samples;
  std::set<std::string> labels;
  for (const Json& item : series) {
    // An instant vector has no label set twice: a proxy has joined two responses.
    if (series.size() > 1 && !labels.insert(member(item, "metric").dump()).second)
      return bad_reply("two series have the same labels");
    if (auto foreign = foreign_series(item, matchers, redactions)) return std::move(*foreign);
    // A native histogram has `histogram` in place of `value`.
    if (item.is_object() && item.contains("histogram")) {
      return bad_reply(
          "the series is a native histogram; apply histogram_quantile, histogram_count or "
          "histogram_sum to it");
    }
    auto sample = parse_sample(member(item, "value"));
    if (!sample) return sample.error();
    samples.push_back(*sample);
  }
  std::vector<double> values;
  values.reserve(samples.size());
  for (const Sample& sample : samples) values.push_back(sample.value);
  const auto value = combine(aggregate, values);
  if (!value) return value.error();
  if (auto beyond = part_out_of_range(values, "series")) return std::move(*beyond);
  // All samples of an instant query have the time of its evaluation.
  Sample out{*value, samples.front().taken_at};
  out.negative_parts = negative_parts(std::move(values), "series", [&](const auto& parts) {
    const auto changed = combine(aggregate, parts);
    return changed ? *changed : *value;
  });
  return out;
}

Result<Sample> parse_data(const Json& data,
                          Aggregate aggregate,
                          std::span<const promql::Matcher> matchers,
                          std::span<const std::string> redactions) {
  const std::string type = text_of(member(data, "resultType"));
  const Json& result = member(data, "result");
  if (type == "vector") return parse_vector(result, aggregate, matchers, redactions);
  if (type == "scalar") return parse_sample(result);
  if (type == "matrix")
    return bad_reply(
        "the query returns a range vector; write an instant query, such as rate(x[5m])");
  if (type == "string") return bad_reply("the query returns a string; query a number");
  return bad_reply("the response has no result of the Prometheus query API");
}

// The error of a query that the server itself reports as failed.
Error query_error(const std::string& type, const std::string& text) {
  // The author's fault, so the caller gets a 400: repeating the query cannot help. VictoriaMetrics
  // writes the HTTP status in place of a type.
  if (type == "bad_data" || type == "400" || type == "422")
    return {Errc::bad_request, "the query is not valid", text};
  if (type == "unavailable" || type == "503")
    return {Errc::unreachable, "the server is unavailable", text};
  if (type == "timeout") return {Errc::timed_out, "the query timed out on the server", text};
  return {Errc::bad_reply,
          fmt::format("the query failed ({})", type.empty() ? "no errorType" : type),
          text};
}

// The error for an HTTP status whose body is not Prometheus' own error.
Error status_error(long status, const std::string& text) {
  if (status == 401 || status == 403) {
    return {Errc::refused, fmt::format("the credentials are refused (HTTP {})", status), text};
  }
  if (status == 404)
    return {Errc::bad_reply, "HTTP 404: no query API at this url; is the path right?", text};
  if (status == 405) {
    return {Errc::bad_reply,
            "HTTP 405: the server refuses the HTTP method; set method: GET or method: POST on the "
            "backend",
            text};
  }
  // 431: to some servers the url is a part of the head.
  if (status == 414 || status == 431) {
    return {Errc::bad_reply,
            fmt::format("HTTP {}: the query is too long for a url; set method: POST on the backend",
                        status),
            text};
  }
  if (status == 429)
    return {Errc::overloaded, "the server is rate limiting queries (HTTP 429)", text};
  // Following it would send the credentials to another host.
  if (status >= 300 && status < 400) {
    return {Errc::bad_reply,
            fmt::format("HTTP {}: redirects are not followed; write the final url", status),
            ""};
  }
  // The same Errc as a lost connection, so that `settle` counts this as an outage, too.
  if (status >= 500)
    return {Errc::unreachable, fmt::format("the server returned an error (HTTP {})", status), text};
  return {Errc::bad_reply, fmt::format("HTTP {} without a query result", status), text};
}

// A remark on the query, not on its completeness: Prometheus 2.47 to 2.53, and Thanos, send those
// of later releases' `infos` as warnings.
bool is_notice(const std::string& warning) { return warning.starts_with("PromQL info:"); }

// The error of a response that says of itself that it is incomplete.
std::optional<Error> incompleteness(const Json& reply,
                                    long status,
                                    std::span<const std::string> redactions) {
  // VictoriaMetrics' cluster, and FiloDB, which also sends 206: a storage node did not respond.
  const auto is_set = [&](const char* key) {
    const Json& flag = member(reply, key);
    return !flag.is_null() && flag != Json(false);
  };
  if (status == 206 || is_set("isPartial") || is_set("partial")) {
    return Error{Errc::partial,
                 "the response is partial: a part of the server did not respond; set warnings: "
                 "allow to accept such responses",
                 remote_text(text_of(member(reply, "message")), redactions)};
  }
  // A store or a remote storage that did not respond is a warning beside a success with the data of
  // the others. A warning that is not a text is not known to be a notice.
  for (const Json& warning : member(reply, "warnings")) {
    if (is_notice(text_of(warning))) continue;
    return Error{Errc::partial,
                 "the response has a warning and may be incomplete; set warnings: allow to accept "
                 "such responses",
                 remote_text(text_of(warning), redactions)};
  }
  return std::nullopt;
}

// The first remark on the query, for explain; null when there is none.
std::shared_ptr<const std::string> notice_in(const Json& reply,
                                             std::span<const std::string> redactions) {
  for (const char* key : {"infos", "warnings"}) {
    for (const Json& remark : member(reply, key)) {
      const std::string text = remote_text(text_of(remark), redactions);
      if (!text.empty()) return std::make_shared<const std::string>(text);
    }
  }
  return nullptr;
}

}  // namespace

Result<Sample> parse_reply(long status,
                           std::string_view body,
                           Aggregate aggregate,
                           Warnings warnings,
                           std::span<const std::string> redactions,
                           std::span<const promql::Matcher> matchers) {
  // Without exceptions: text that is not JSON becomes a discarded value, which has no members.
  // The parser takes a NUL byte for the end of the text.
  const bool has_nul = body.find('\0') != body.npos;
  const Json reply = has_nul ? Json(Json::value_t::discarded) : Json::parse(body, nullptr, false);
  const std::string outcome = text_of(member(reply, "status"));
  // Proxies and hosted services refuse in Prometheus' format, with error types of their own.
  const bool is_refusal = status == 401 || status == 403 || status == 429;
  if (outcome == "error" && !is_refusal) {
    // The type is a word of the protocol, but still untrusted text.
    return query_error(remote_text(text_of(member(reply, "errorType")), redactions),
                       remote_text(refusal_words(body), redactions));
  }
  if (status != 200 && status != 206)
    return status_error(status, remote_text(refusal_words(body), redactions));
  if (reply.is_discarded()) {
    // A proxy in front answers 200 with its page for a login, too.
    if (const auto page = page_words(body)) {
      return Error{Errc::bad_reply,
                   "the response is a page for browsers; is there a login page or another server "
                   "at this url?",
                   remote_text(*page, redactions)};
    }
    return bad_reply("the response is not JSON, or is truncated");
  }
  if (outcome != "success")
    return bad_reply("the response has no result of the Prometheus query API");
  // An empty text is what some servers write for no error.
  const Json& error = member(reply, "error");
  if (!error.is_null() && error != "") return bad_reply("the response has a result and an error");
  const Json& warning_list = member(reply, "warnings");
  if (!warning_list.is_null() && !warning_list.is_array())
    return bad_reply("the warnings are not a list");
  auto gap = incompleteness(reply, status, redactions);
  if (gap && warnings == Warnings::error) return std::move(*gap);
  auto sample = parse_data(member(reply, "data"), aggregate, matchers, redactions);
  // What is missing may be in the part that did not respond: not known to be nothing.
  if (gap && !sample && sample.error().code == Errc::no_value) {
    return Error{
        Errc::partial,
        "the response is partial and has no series, so it is not known that there are none",
        gap->remote};
  }
  if (sample) sample->notice = notice_in(reply, redactions);
  return sample;
}

}  // namespace weir::scalers::backends::prometheus
