// parse_reply(): the value in a response of the query API, or its error. Pure, for exact tests.
#include "scalers/backends/prometheus/prometheus.hpp"
#include "scalers/text/redact.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
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
  if (sample.is_null()) return Error{Errc::no_value, "the value is null", ""};
  if (!sample.is_array() || sample.size() != 2 || !sample[0].is_number()) {
    return bad_reply("the sample is not a pair of time and value");
  }
  if (sample[1].is_null()) return Error{Errc::no_value, "the value is null", ""};
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
Result<double> combine(Aggregate aggregate, std::span<const Sample> samples) {
  double sum = 0;
  double least = samples.front().value;
  double most = samples.front().value;
  std::size_t unknown = 0;
  for (const Sample& sample : samples) {
    if (std::isinf(sample.value)) return sample.value;
    unknown += std::isnan(sample.value) ? 1 : 0;
    sum += sample.value;
    least = std::min(least, sample.value);
    most = std::max(most, sample.value);
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

Result<Sample> parse_vector(const Json& series,
                            Aggregate aggregate,
                            std::span<const std::string> redactions) {
  if (series.is_null()) return Error{Errc::no_value, "the result is null", ""};
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
  for (const Json& item : series) {
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
  const auto value = combine(aggregate, samples);
  if (!value) return value.error();
  // All samples of an instant query have the evaluation time.
  return Sample{*value, samples.front().taken_at};
}

Result<Sample> parse_data(const Json& data,
                          Aggregate aggregate,
                          std::span<const std::string> redactions) {
  const std::string type = text_of(member(data, "resultType"));
  const Json& result = member(data, "result");
  if (type == "vector") return parse_vector(result, aggregate, redactions);
  if (type == "scalar") return parse_sample(result);
  if (type == "matrix")
    return bad_reply(
        "the query returns a range vector; write an instant query, such as rate(x[5m])");
  if (type == "string") return bad_reply("the query returns a string; query a number");
  return bad_reply("the response has no result of the Prometheus query API");
}

// The error of a query that Prometheus itself reports as failed.
Error query_error(const std::string& type, const std::string& text) {
  // The author's fault, so the caller gets a 400: repeating the query cannot help.
  if (type == "bad_data") return {Errc::bad_request, "the query is not valid", text};
  if (type == "unavailable") return {Errc::unreachable, "the server is unavailable", text};
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
  // The body is not shown, because it is mostly a page for browsers.
  if (status == 404)
    return {Errc::bad_reply, "HTTP 404: no query API at this url; is the path right?", ""};
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
  return bad_reply(fmt::format("HTTP {} without a query result", status));
}

}  // namespace

Result<Sample> parse_reply(long status,
                           std::string_view body,
                           Aggregate aggregate,
                           Warnings warnings,
                           std::span<const std::string> redactions) {
  // Without exceptions: text that is not JSON becomes a discarded value, which has no members.
  const Json reply = Json::parse(body, nullptr, false);
  const std::string outcome = text_of(member(reply, "status"));
  // Proxies and hosted services refuse in Prometheus' format, with error types of their own.
  const bool is_refusal = status == 401 || status == 403 || status == 429;
  if (is_refusal) {
    const std::string text =
        reply.is_discarded() ? std::string(body) : text_of(member(reply, "error"));
    return status_error(status, remote_text(text, redactions));
  }
  if (outcome == "error") {
    // The type is a word of the protocol, but still untrusted text.
    return query_error(remote_text(text_of(member(reply, "errorType")), redactions),
                       remote_text(text_of(member(reply, "error")), redactions));
  }
  // Text in place of JSON is a proxy's own message.
  if (status != 200)
    return status_error(status, reply.is_discarded() ? remote_text(body, redactions) : "");
  if (reply.is_discarded()) return bad_reply("the response is not JSON, or is truncated");
  if (outcome != "success")
    return bad_reply("the response has no result of the Prometheus query API");
  // A store or a remote storage that did not respond is a warning beside a success with the data of
  // the others.
  const Json& warning_list = member(reply, "warnings");
  if (!warning_list.is_null() && !warning_list.is_array())
    return bad_reply("the warnings are not a list");
  if (warnings == Warnings::error && warning_list.is_array() && !warning_list.empty()) {
    return Error{Errc::partial,
                 "the response has a warning and may be incomplete; set warnings: allow to accept "
                 "such responses",
                 remote_text(text_of(warning_list.front()), redactions)};
  }
  return parse_data(member(reply, "data"), aggregate, redactions);
}

}  // namespace weir::scalers::backends::prometheus
