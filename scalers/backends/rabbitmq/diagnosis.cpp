// What a list of queues or vhosts says of one that does not exist.
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
  std::optional<std::size_t> total;  // of a page: the names on all pages together
};

// nullopt when the answer is no list.
std::optional<NameList> parse_names(long status, std::string_view body) {
  if (status != 200) return std::nullopt;
  const Json reply = Json::parse(body, nullptr, false);
  NameList out;
  out.is_page = reply.is_object() && reply.contains("items");
  const Json& items = out.is_page ? reply["items"] : reply;
  if (!items.is_array()) return std::nullopt;
  for (const Json& item : items) {
    const auto name = item.is_object() ? item.find("name") : item.end();
    if (name != item.end() && name->is_string()) out.names.push_back(name->get<std::string>());
  }
  if (out.is_page && reply.contains("total_count") && reply["total_count"].is_number_unsigned())
    out.total = reply["total_count"].get<std::size_t>();
  return out;
}

// A page of an older broker does not say what is on the others.
std::string count_of(const NameList& list) {
  if (list.total) return fmt::format("{}", *list.total);
  const bool may_go_on = list.is_page && list.names.size() >= kPageSize;
  return fmt::format("{}{}", may_go_on ? "at least " : "", list.names.size());
}

}  // namespace

void tell_names(const Absent& absent, long status, std::string_view body, Diagnosis& out) {
  const std::string_view what = absent.is_vhost ? "vhosts" : "queues";
  const auto list = parse_names(status, body);
  if (!list) {
    out.findings.push_back(fmt::format("HTTP {}{} to the question which {} there are",
                                       status,
                                       status == 200 ? " and no list" : "",
                                       what));
    return;
  }
  out.findings.push_back(
      fmt::format("{} that the login sees: {}",
                  what,
                  remote_text(fmt::format("{}", fmt::join(list->names, ", ")), {})));
  const std::vector<std::string_view> names(list->names.begin(), list->names.end());
  const std::string& wanted = absent.is_vhost ? absent.vhost : absent.queue;
  const std::string near = near_names(absent.origin, wanted, names, out);
  out.cause = fmt::format("the login sees {} {}{}{}",
                          count_of(*list),
                          what,
                          absent.is_vhost ? "" : fmt::format(" in vhost \"{}\"", absent.vhost),
                          near);
}

}  // namespace weir::scalers::backends::rabbitmq
