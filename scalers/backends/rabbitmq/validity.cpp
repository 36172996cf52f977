// Whether the numbers of the listed queues are those of their messages. Pure, and apart from the
// numbers themselves: it is what policies cannot replace.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"
#include "scalers/text/redact.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace weir::scalers::backends::rabbitmq {
namespace {

// flow: publishers are slowed down, and the counts are right. live: statistics are off, and the
// counts are absent. Empty: an old broker.
bool is_running(const std::string& state) {
  return state.empty() || state == "running" || state == "idle" || state == "flow" ||
         state == "live";
}

// A kind of message that there are more of than in all, or fewer than none. Not the sum: messages
// on their way to a dead letter exchange are neither ready nor unacknowledged. Where all are below
// zero, too, the policy `negative` judges.
bool is_contradictory(const QueueStats& queue) {
  if (!queue.total) return false;
  const auto is_odd = [&](const std::optional<double>& count) {
    if (!count) return false;
    return *queue.total < 0 ? *count > 0 : *count < 0 || *count > *queue.total;
  };
  return is_odd(queue.ready) || is_odd(queue.unacknowledged);
}

}  // namespace

std::optional<Error> validity_problem(std::span<const QueueStats> queues) {
  for (const QueueStats& queue : queues) {
    const std::string name = remote_text(queue.name, {});
    if (!queue.unknown_column.empty()) {
      return Error{
          Errc::partial,
          fmt::format("the broker lists queue \"{}\" without its {}", name, queue.unknown_column),
          ""};
    }
    if (!is_running(queue.state)) {
      return Error{Errc::partial,
                   fmt::format("queue \"{}\" is {}{}{}, so its messages are not counted",
                               name,
                               remote_text(queue.state, {}),
                               queue.node.empty() ? "" : " on node ",
                               remote_text(queue.node, {})),
                   ""};
    }
    if (is_contradictory(queue)) {
      return Error{
          Errc::bad_reply,
          fmt::format(
              "the counts of queue \"{}\" contradict each other: {:g} messages, {:g} ready, "
              "{:g} unacknowledged",
              name,
              *queue.total,
              queue.ready.value_or(0),
              queue.unacknowledged.value_or(0)),
          ""};
    }
  }
  return std::nullopt;
}

std::optional<Error> other_queue_problem(std::span<const QueueStats> queues,
                                         const std::string& name) {
  const auto is_queue = [&](const QueueStats& queue) { return queue.name == name; };
  const auto other = std::ranges::find_if_not(queues, [&](const QueueStats& queue) {
    return compare_ignoring_case(queue.name, name) == 0;
  });
  if (other == queues.end() || std::ranges::any_of(queues, is_queue)) return std::nullopt;
  return Error{
      Errc::bad_reply,
      fmt::format("the response has queue \"{}\", not \"{}\"; does a proxy in front of the "
                  "management API drop the query of the url, or answer from a cache?",
                  remote_text(other->name, {}),
                  name),
      ""};
}

std::optional<Error> gap_problem(std::span<const QueueStats> queues,
                                 const std::set<std::string>& counted) {
  const auto gap = std::ranges::find_if(queues, [&](const QueueStats& queue) {
    return !counted.contains(queue.name);
  });
  if (gap == queues.end()) return std::nullopt;
  return Error{Errc::partial,
               fmt::format("the broker lists queue \"{}\" without its messages; has its process "
                           "crashed? a restart of its node brings them back",
                           remote_text(gap->name, {})),
               ""};
}

}  // namespace weir::scalers::backends::rabbitmq
