// Turns the broker's list of queues or vhosts into the diagnosis of a missing one. Apart from the
// transport, because it is pure.
#include "scalers/backends/rabbitmq/rabbitmq.hpp"
#include "scalers/text/near_names.hpp"
#include "scalers/text/redact.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace weir::scalers::backends::rabbitmq {
namespace {

using Json = nlohmann::json;

struct NameList {
  std::vector<std::string> names;
  bool is_page = false;
  bool has_others = false;           // queues of another vhost, which are not in `names`
  std::optional<std::size_t> total;  // of a page: the names on all pages together
};

// The names of vhosts, or of queues in `vhost`. nullopt when the response is not a list.
std::optional<NameList> parse_names(long status, std::string_view body, const std::string& vhost) {
  if (status != 200) return std::nullopt;
  const Json reply = Json::parse(body, nullptr, false);
  NameList out;
  // Queues come as a page, an object; vhosts as a plain list.
  out.is_page = reply.is_object() && reply.contains("items");
  const Json& items = out.is_page ? reply["items"] : reply;
  if (!items.is_array()) return std::nullopt;
  for (const Json& item : items) {
    if (!item.is_object()) continue;
    const auto name = item.find("name");
    // Behind a proxy that decodes the path the broker lists the queues of all vhosts.
    const auto of = item.find("vhost");
    const bool is_other = of != item.end() && *of != Json(vhost);
    out.has_others = out.has_others || is_other;
    if (!is_other && name != item.end() && name->is_string())
      out.names.push_back(name->get<std::string>());
  }
  if (out.is_page && reply.contains("total_count") && reply["total_count"].is_number_unsigned())
    out.total = reply["total_count"].get<std::size_t>();
  return out;
}

// "1 queue", "at least 500 queues": a page of an older broker has no total, so a full page may have
// successors.
std::string count_of(const NameList& list, std::string_view noun) {
  const bool may_have_more = !list.total && list.is_page && list.names.size() >= kPageSize;
  const std::size_t count = list.total.value_or(list.names.size());
  return fmt::format("{}{} {}{}",
                     may_have_more ? "at least " : "",
                     count,
                     noun,
                     count == 1 ? "" : "s");
}

}  // namespace

void add_similar_names(const MissingName& missing,
                       long status,
                       std::string_view body,
                       Diagnosis& out) {
  const std::string_view noun = missing.is_vhost ? "vhost" : "queue";
  const auto list = parse_names(status, body, missing.vhost);
  if (!list) {
    out.findings.push_back(fmt::format("listing {}s failed: HTTP {}{}",
                                       noun,
                                       status,
                                       status == 200 ? ", but the response is not a list" : ""));
    return;
  }
  if (list->has_others) {
    out.cause = fmt::format(
        "the response has queues of other vhosts than \"{}\"; does a proxy in front of the "
        "management "
        "API decode %2F in the path?",
        missing.vhost);
    return;
  }
  out.findings.push_back(
      // The names go to the findings, which explain alone shows; the cause may reach every caller.
      fmt::format("{}s visible to the user: {}",
                  noun,
                  remote_text(fmt::format("{}", fmt::join(list->names, ", ")), {})));
  const std::vector<std::string_view> names(list->names.begin(), list->names.end());
  const std::string& name = missing.is_vhost ? missing.vhost : missing.queue;
  const std::string near = near_names(missing.origin, name, names, out);
  out.cause = fmt::format("the user sees {}{}{}",
                          count_of(*list, noun),
                          missing.is_vhost ? "" : fmt::format(" in vhost \"{}\"", missing.vhost),
                          near);
}

}  // namespace weir::scalers::backends::rabbitmq
