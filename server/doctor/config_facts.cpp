#include "server/doctor/config_facts.hpp"

#include <algorithm>
#include <string_view>

namespace weir::server::doctor {
namespace {

using scalers::Node;

std::string text_of(const Node& block, std::string_view key) {
  const Node* found = block.find(key);
  return found == nullptr ? std::string() : found->text;
}

bool is_average(const Node& metric) {
  const Node* prometheus = metric.find("prometheus");
  if (prometheus == nullptr) return false;
  const std::string query = text_of(*prometheus, "query");
  const auto first = query.find_first_not_of(" \t\n(");
  const std::string_view outermost = std::string_view(query).substr(std::min(first, query.size()));
  return text_of(*prometheus, "aggregate") == "avg" || outermost.starts_with("avg(") ||
         outermost.starts_with("avg ") || outermost.starts_with("quantile") ||
         query.find("histogram_quantile(") != query.npos;
}

void stand_in(Node& node, const std::string& path) {
  if (node.kind == Node::Kind::scalar) node.text = path;
}

// No deeper than the parser let it be.
void stand_in_below(Node& block, bool is_tls, const std::string& path) {
  for (Node::Field& field : block.fields) {
    const bool is_path =
        field.key == "file" ||
        (is_tls && (field.key == "ca" || field.key == "certificate" || field.key == "key"));
    if (is_path) stand_in(field.value, path);
    stand_in_below(field.value, field.key == "tls", path);
  }
}

}  // namespace

std::set<std::string> averages_in(std::span<const Node> documents) {
  std::set<std::string> out;
  std::set<std::string> others;
  for (const Node& document : documents) {
    const Node* metrics = document.find("metrics");
    if (metrics == nullptr) continue;
    for (const Node& metric : metrics->items)
      (is_average(metric) ? out : others).insert(text_of(metric, "name"));
  }
  // A name that stands twice is only told by both.
  std::erase_if(out, [&](const std::string& name) { return others.contains(name); });
  return out;
}

void stand_in_for_files(std::vector<Node>& documents, const std::string& path) {
  for (Node& document : documents) {
    for (Node::Field& section : document.fields) {
      if (section.key != "backends") continue;
      // A backend's own name may be anything, "tls" too.
      for (Node::Field& backend : section.value.fields) stand_in_below(backend.value, false, path);
    }
  }
}

}  // namespace weir::server::doctor
