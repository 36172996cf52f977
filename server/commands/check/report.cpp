// The fields of the documents are stable: pipelines read them.
#include "server/commands/check/report.hpp"

#include "apiservice/encoding/quantity.hpp"
#include "server/yaml/from_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::server {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const LiveRead& read) {
  Json values = Json::array();
  for (const scalers::Reading& reading : read.readings)
    values.push_back(
        {{"labels", Json(reading.labels)}, {"value", apiservice::quantity(reading.value)}});
  Json out{{"namespace", read.name_space},
           {"metric", read.metric},
           {"status", read.status},
           {"backend", read.backend},
           {"address", read.address},
           {"values", std::move(values)}};
  if (!read.message.empty()) out["message"] = read.message;
  return out;
}

std::string report_text(const Json& report, Output output) {
  if (output == Output::yaml) return yaml_text(report);
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string text_of(const CheckReport& report) {
  std::string out = fmt::format("{} metric{}: the configuration is valid\n",
                                report.metrics,
                                report.metrics == 1 ? "" : "s");
  for (const std::string& remark : report.remarks) out += remark + '\n';
  return out;
}

std::string report_of(const CheckReport& report, Output output) {
  Json out{{"valid", true}, {"metrics", report.metrics}, {"remarks", Json(report.remarks)}};
  if (report.reads.empty()) return report_text(out, output);
  Json reads = Json::array();
  for (const LiveRead& read : report.reads) reads.push_back(json_of(read));
  out["reads"] = std::move(reads);
  return report_text(out, output);
}

std::string report_of(const scalers::Problems& problems, Output output) {
  Json list = Json::array();
  for (const scalers::Problem& problem : problems.sorted()) {
    Json one{{"file", problem.mark.file}};
    // A problem of a whole file has no place in it.
    if (problem.mark.line > 0) {
      one["line"] = problem.mark.line;
      one["column"] = problem.mark.column;
    }
    one["what"] = problem.what;
    list.push_back(std::move(one));
  }
  return report_text({{"valid", false}, {"problems", std::move(list)}}, output);
}

}  // namespace weir::server
