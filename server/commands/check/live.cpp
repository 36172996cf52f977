// Pure: the command explains each metric, which does not change what an HPA gets, and judges here.
#include "server/commands/check/live.hpp"

#include "apiservice/encoding/quantity.hpp"
#include "scalers/text/labels.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace weir::server {
namespace {

using scalers::Explanation;
using scalers::MetricInfo;

// Of the labels without a default, which the selector has to set.
std::string selector_example(const MetricInfo& metric) {
  std::string out;
  for (const auto& label : metric.labels) {
    if (!label.has_default) out += fmt::format("{}{}=VALUE", out.empty() ? "" : ",", label.name);
  }
  return out;
}

LiveRead start(std::string status, const MetricInfo& metric, const Addresses& addresses) {
  LiveRead out{.status = std::move(status),
               .name_space = namespace_of(metric),
               .metric = metric.name,
               .backend = metric.backend,
               .address = {},
               .readings = {},
               .message = {}};
  const auto address = addresses.find(metric.backend);
  if (address != addresses.end()) out.address = address->second;
  return out;
}

LiveRead failed(const MetricInfo& metric, const scalers::Error& error, const Addresses& addresses) {
  LiveRead out = start(std::string(name_of(error.code)), metric, addresses);
  out.message = error.message();
  return out;
}

std::string values_text(const std::vector<scalers::Reading>& readings) {
  if (readings.size() == 1) return apiservice::decimal(readings.front().value);
  std::string out;
  for (const scalers::Reading& reading : readings) {
    out += fmt::format("{}{} {}",
                       out.empty() ? "" : ", ",
                       scalers::labels_text(reading.labels),
                       apiservice::decimal(reading.value));
  }
  return out;
}

}  // namespace

Addresses addresses_of(std::span<const scalers::BackendState> backends) {
  Addresses out;
  for (const scalers::BackendState& backend : backends) out.emplace(backend.name, backend.address);
  return out;
}

std::vector<scalers::LabelRequirement> requirements_for(
    const MetricInfo& metric,
    std::span<const scalers::LabelRequirement> selector) {
  std::vector<scalers::LabelRequirement> out;
  for (const scalers::LabelRequirement& requirement : selector) {
    if (std::ranges::find(metric.labels, requirement.key, &MetricInfo::Label::name) !=
        metric.labels.end())
      out.push_back(requirement);
  }
  return out;
}

std::string namespace_of(const MetricInfo& metric) {
  const std::string& first = metric.namespaces.front();
  // Any namespace will do for a metric of every namespace, and every cluster has this one.
  return first == "*" ? "default" : first;
}

LiveRead live_read(const MetricInfo& metric,
                   const scalers::Result<Explanation>& explanation,
                   const Addresses& addresses) {
  if (!explanation) return failed(metric, explanation.error(), addresses);
  LiveRead out = start("ok", metric, addresses);
  for (const Explanation::BackendQuery& query : explanation->queries) {
    // The first error of a read is that of all of it, as for an HPA.
    if (!query.result) return failed(metric, query.result.error(), addresses);
    out.readings.insert(out.readings.end(), query.result->begin(), query.result->end());
    // A number with a cause is that of an object which does not exist.
    if (query.diagnosis && !query.diagnosis->cause.empty()) {
      out.status = "warning";
      out.message = query.diagnosis->cause;
    }
  }
  return out;
}

LiveRead skipped(const MetricInfo& metric, const Addresses& addresses) {
  LiveRead out = start("skipped", metric, addresses);
  out.message = fmt::format("it needs label values: add -l {}", selector_example(metric));
  return out;
}

std::string text_of(const LiveRead& read) {
  const std::string object = fmt::format("{}/{}", read.name_space, read.metric);
  std::string out;
  if (read.status == "ok" || read.status == "warning") {
    out = fmt::format("{:<10} {} = {}", read.status, object, values_text(read.readings));
    if (!read.message.empty()) out += fmt::format(", but {}", read.message);
  } else if (read.status == "skipped") {
    return fmt::format("{:<10} {}: {}", read.status, object, read.message);
  } else {
    // The text of the error names the metric and the backend.
    out = fmt::format("{:<10} {}", read.status, read.message);
  }
  if (read.status != "ok" && !read.address.empty())
    out += fmt::format(" ({} is {})", read.backend, read.address);
  // Texts are of backends, and a terminal takes commands from control bytes.
  return scalers::printable(out);
}

}  // namespace weir::server
