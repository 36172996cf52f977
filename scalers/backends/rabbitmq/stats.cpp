// The numbers in the replies of the management API. Pure, and apart from the transport for that.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"
#include "scalers/text/redact.hpp"
#include "scalers/text/refusal.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace weir::scalers::backends::rabbitmq {
namespace {

using Json = nlohmann::json;

Error bad_reply(std::string detail) { return {Errc::bad_reply, std::move(detail), ""}; }

using Path = std::initializer_list<const char*>;

// What a path leads to in the response: the value there, or what is in place of a map on the way.
struct Found {
  const Json* value;  // null: nothing is there
  bool is_end;        // of the path
};

Found found_at(const Json& object, Path path) {
  const Json* at = &object;
  for (const char* key : path) {
    if (!at->is_object()) return {at, false};
    const auto member = at->find(key);
    if (member == at->end()) return {nullptr, false};
    at = &*member;
  }
  return {at, true};
}

bool is_number(const Found& found) { return found.is_end && found.value->is_number(); }

// Also an empty text, which is how Erlang's `undefined` may be written.
bool is_null(const Found& found) {
  return found.value != nullptr && (found.value->is_null() || *found.value == Json(""));
}

// Something else than a number or nothing. An empty list is an empty map of Erlang.
bool is_wrong_type(const Found& found) {
  return found.value != nullptr && !is_number(found) && !is_null(found) &&
         *found.value != Json::array();
}

// nullopt for an absent field, for null and for any other type: the broker omits what it has not
// collected, and an absent number is not 0.
std::optional<double> number_at(const Json& object, Path path) {
  const Found found = found_at(object, path);
  return is_number(found) ? std::optional(found.value->get<double>()) : std::nullopt;
}

std::string text_at(const Json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

// The first column that should hold a number and holds something else; empty: none.
std::string wrong_column(const Json& queue) {
  for (const char* column : {"messages", "messages_ready", "messages_unacknowledged"})
    if (is_wrong_type(found_at(queue, {column}))) return column;
  for (const char* details : {"publish_details", "deliver_get_details"})
    if (is_wrong_type(found_at(queue, {"message_stats", details, "rate"}))) return details;
  return {};
}

// The first column that should hold a text and is there without one; empty: none. Without its state
// a queue is not known to be running.
std::string unknown_column(const Json& queue) {
  for (const char* column : {"vhost", "state"}) {
    const auto member = queue.find(column);
    if (member != queue.end() && text_at(queue, column).empty()) return column;
  }
  return {};
}

// `messages` is the sum of the ready and the unacknowledged ones; the rates are per second.
QueueStats stats_of(const Json& queue) {
  return {
      .name = text_at(queue, "name"),
      .type = text_at(queue, "type"),
      .state = text_at(queue, "state"),
      .node = text_at(queue, "node"),
      .total = number_at(queue, {"messages"}),
      .ready = number_at(queue, {"messages_ready"}),
      .unacknowledged = number_at(queue, {"messages_unacknowledged"}),
      .publish_rate = number_at(queue, {"message_stats", "publish_details", "rate"}),
      .deliver_get_rate = number_at(queue, {"message_stats", "deliver_get_details", "rate"}),
      .is_delivery_unknown =
          is_null(found_at(queue, {"message_stats", "deliver_get_details", "rate"})),
      .wrong_column = wrong_column(queue),
      .unknown_column = unknown_column(queue),
  };
}

Error status_error(long status,
                   std::string_view body,
                   const std::string& vhost,
                   std::span<const std::string> redactions) {
  const std::string text = remote_text(refusal_words(body), redactions);
  // RabbitMQ returns 401 for a wrong password and for a vhost without permission alike.
  if (status == 401 || status == 403) {
    return {Errc::refused,
            fmt::format(
                "the credentials are refused, or the user has no access to vhost \"{}\" (HTTP {})",
                vhost,
                status),
            text};
  }
  if (status == 404) {
    return {
        Errc::unknown_object,
        fmt::format("vhost \"{}\" does not exist, or the url is not the url of the management API",
                    vhost),
        ""};
  }
  // Queues were deleted after the first page said how many pages there are. As Errc::partial, the
  // listing is read a second time.
  if (status == 400 && body.find("page_out_of_range") != body.npos)
    return {Errc::partial, "the broker's list of queues changed while it was read", ""};
  // Following it would send the credentials to another host.
  if (status >= 300 && status < 400)
    return bad_reply(
        fmt::format("HTTP {}: redirects are not followed; write the final url", status));
  // The same Errc as a lost connection, so that `settle` counts this as an outage, too.
  if (status >= 500)
    return {Errc::unreachable,
            fmt::format("the management API returned an error (HTTP {})", status),
            text};
  return {Errc::bad_reply, fmt::format("HTTP {} instead of a list of queues", status), text};
}

// A reverse proxy that decodes the path makes /api/queues/%2F the list of all vhosts.
Error wrong_vhost(const std::string& vhost,
                  const std::string& other,
                  const std::string& queue,
                  std::span<const std::string> redactions) {
  return bad_reply(
      fmt::format("the response has queue \"{}\" of vhost \"{}\", not of vhost \"{}\"; does a "
                  "proxy in front of "
                  "the management API decode %2F in the path?",
                  remote_text(queue, redactions),
                  remote_text(other, redactions),
                  vhost));
}

// An unknown number, which is neither an empty queue nor a missing one: no policy replaces it.
Error missing_statistic(const QueueStats& queue, std::string_view what) {
  if (!queue.wrong_column.empty()) {
    return bad_reply(fmt::format("the column {} of queue \"{}\" does not hold a number",
                                 queue.wrong_column,
                                 remote_text(queue.name, {})));
  }
  return {Errc::partial,
          fmt::format("the broker reports no {} for a queue (statistics may be disabled, or the "
                      "queue may be too new)",
                      what),
          ""};
}

using Field = std::optional<double> QueueStats::*;

double aggregated(Aggregate aggregate, std::span<const double> parts) {
  double sum = 0;
  for (const double part : parts) sum += part;
  switch (aggregate) {
    case Aggregate::sum: return sum;
    // A real average: 5 and 6 messages make 5.5.
    case Aggregate::avg: return sum / static_cast<double>(parts.size());
    case Aggregate::max: return std::ranges::max(parts);
  }
  return sum;
}

// One field of each queue. Errc::partial unless every queue has it, bad_reply if a column holds
// something else.
Result<std::vector<double>> parts_of(std::span<const QueueStats> queues,
                                     Field field,
                                     std::string_view what) {
  std::vector<double> out;
  out.reserve(queues.size());
  for (const QueueStats& queue : queues) {
    const auto& value = queue.*field;
    if (!value) return missing_statistic(queue, what);
    out.push_back(*value);
  }
  return out;
}

// One field of all queues as one number.
Result<Sample> combine(std::span<const QueueStats> queues,
                       Field field,
                       std::string_view what,
                       Aggregate aggregate) {
  auto parts = parts_of(queues, field, what);
  if (!parts) return parts.error();
  if (auto beyond = part_out_of_range(*parts, "queues")) return std::move(*beyond);
  Sample out{aggregated(aggregate, *parts), WallTime{}};
  out.negative_parts =
      negative_parts(std::move(*parts), "queues", [aggregate](const std::vector<double>& changed) {
        return aggregated(aggregate, changed);
      });
  return out;
}

// As combine(), for a number that others are divided by or added to. The broker never counts below
// zero, so a negative part is a contradiction, which no policy of the result could see.
Result<double> combine_counts(std::span<const QueueStats> queues,
                              Field field,
                              std::string_view what,
                              Aggregate aggregate) {
  const auto parts = parts_of(queues, field, what);
  if (!parts) return parts.error();
  const auto least = std::ranges::min_element(*parts);
  if (*least < 0) {
    return bad_reply(
        fmt::format("the {} of queue \"{}\" is {:g}, below zero",
                    what,
                    remote_text(queues[static_cast<std::size_t>(least - parts->begin())].name, {}),
                    *least));
  }
  return aggregated(aggregate, *parts);
}

Field field_of(Count count) {
  switch (count) {
    case Count::total: return &QueueStats::total;
    case Count::ready: return &QueueStats::ready;
    case Count::unacknowledged: return &QueueStats::unacknowledged;
  }
  return &QueueStats::total;
}

// Published per delivered, or the time until the queue is empty. Neither has a value when nothing
// is delivered.
Result<double> relate_to_delivered(std::span<const QueueStats> reported,
                                   const Measurement& measurement) {
  // RabbitMQ omits the delivery rate until the first delivery, so next to a publish rate a missing
  // delivery rate is 0.
  std::vector<QueueStats> queues(reported.begin(), reported.end());
  for (QueueStats& queue : queues) {
    const bool is_absent =
        !queue.deliver_get_rate && !queue.is_delivery_unknown && queue.wrong_column.empty();
    if (queue.publish_rate && is_absent) queue.deliver_get_rate = 0;
  }
  // Combined before they are divided: a mean of ratios would weigh an idle queue like a busy one.
  const auto published =
      combine_counts(queues, &QueueStats::publish_rate, "publish rate", measurement.aggregate);
  if (!published) return published.error();
  const auto delivered =
      combine_counts(queues, &QueueStats::deliver_get_rate, "delivery rate", measurement.aggregate);
  if (!delivered) return delivered.error();
  const auto messages =
      combine_counts(queues, &QueueStats::total, "message count", measurement.aggregate);
  if (!messages) return messages.error();
  const bool is_ratio = measurement.mode == Mode::published_to_delivered_ratio;
  // Nothing published and nothing delivered is a ratio of 0, and an empty queue takes no time to
  // consume, whether or not it has consumers.
  if (is_ratio && *published == 0 && *delivered == 0) return 0.0;
  if (!is_ratio && *messages == 0) return 0.0;
  if (*delivered == 0) {
    if (measurement.no_consumers.number) return *measurement.no_consumers.number;
    // Not no_value: the queues exist, and `empty` is for what does not.
    return Error{Errc::not_a_number,
                 "nothing is delivered from the queue, so the value would be infinite; set "
                 "noConsumers to the number to report instead",
                 ""};
  }
  // The other is KEDA's formula, so that its targets keep their meaning: what the queue grows by
  // per delivered message, and the seconds that its messages take.
  if (is_ratio) return *published / *delivered;
  return (*published - *delivered) / *delivered + *messages / *delivered;
}

}  // namespace

Result<Page> parse_page(long status,
                        std::string_view body,
                        const std::string& vhost,
                        std::span<const std::string> redactions) {
  if (status != 200) return status_error(status, body, vhost, redactions);
  // The parser takes a NUL byte for the end of the text.
  const bool has_nul = body.find('\0') != body.npos;
  const Json reply = has_nul ? Json(Json::value_t::discarded) : Json::parse(body, nullptr, false);
  // Without exceptions: text that is not JSON becomes a value that is not an object. A list without
  // pages is an array, as from an API that does not know `page`.
  if (!reply.is_object() || !reply.contains("items") || !reply["items"].is_array()) {
    return bad_reply("the response is not a page of the management API; is the url right?");
  }
  // Bounded before the conversion, which is undefined for a double beyond the integer's range.
  const auto pages = number_at(reply, {"page_count"});
  if (!pages || *pages < 0 || *pages > 1e6) return bad_reply("the response has no page_count");
  Page out;
  out.page_count = static_cast<std::size_t>(*pages);
  if (const auto count = number_at(reply, {"filtered_count"}); count && *count >= 0 && *count < 1e9)
    out.filtered_count = static_cast<std::size_t>(*count);
  // A server that ignores page_size may send any number of queues.
  if (reply["items"].size() > kPageSize) {
    return Error{Errc::too_many,
                 fmt::format("a page has {} queues; at most {} were requested",
                             reply["items"].size(),
                             kPageSize),
                 ""};
  }
  for (const Json& queue : reply["items"]) {
    // Without a name a queue cannot be matched with the query, nor found to be on two pages.
    if (!queue.is_object() || text_at(queue, "name").empty())
      return bad_reply("a queue on the page has no name");
    // A broker without the column has one vhost's queues in its response all the same.
    if (const std::string other = text_at(queue, "vhost"); !other.empty() && other != vhost)
      return wrong_vhost(vhost, other, text_at(queue, "name"), redactions);
    out.queues.push_back(stats_of(queue));
  }
  return out;
}

std::optional<Error> Listing::add(Page page) {
  Error changed{Errc::partial, "the broker's list of queues changed while it was read", ""};
  for (QueueStats& queue : std::exchange(page.queues, {})) {
    // A queue that was created meanwhile shifts the list: the last one of a page comes again on the
    // next.
    if (!names_.insert(queue.name).second) return changed;
    queues_.push_back(std::move(queue));
  }
  const bool is_other = first_ && (page.page_count != first_->page_count ||
                                   page.filtered_count != first_->filtered_count);
  if (is_other) return changed;
  first_ = std::move(page);
  return std::nullopt;
}

Result<std::vector<QueueStats>> Listing::take() {
  // A deletion shifts the list the other way: one queue is on no page, and only the count shows it.
  const std::size_t expected =
      first_ && first_->filtered_count ? *first_->filtered_count : queues_.size();
  if (expected != queues_.size()) {
    return Error{Errc::partial,
                 fmt::format("the broker lists {} of {} queues", queues_.size(), expected),
                 ""};
  }
  return std::move(queues_);
}

std::optional<std::size_t> parse_consumers(long status, std::string_view body) {
  const Json reply = Json::parse(body, nullptr, false);
  if (status != 200 || reply.is_discarded()) return std::nullopt;
  const auto count = number_at(reply, {"consumers"});
  if (!count || *count < 0) return std::nullopt;
  return static_cast<std::size_t>(*count);
}

Result<Sample> sample_of(std::span<const QueueStats> queues, const Measurement& measurement) {
  switch (measurement.mode) {
    case Mode::queue_length:
      return combine(queues, field_of(measurement.count), "message count", measurement.aggregate);
    case Mode::message_rate:
      return combine(queues, &QueueStats::publish_rate, "publish rate", measurement.aggregate);
    case Mode::deliver_get_rate:
      return combine(queues, &QueueStats::deliver_get_rate, "delivery rate", measurement.aggregate);
    case Mode::published_to_delivered_ratio:
    case Mode::expected_queue_consumption_time: break;
  }
  const auto value = relate_to_delivered(queues, measurement);
  if (!value) return value.error();
  return Sample{*value, WallTime{}};
}

}  // namespace weir::scalers::backends::rabbitmq
