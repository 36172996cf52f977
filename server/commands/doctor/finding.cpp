// Findings as text and JSON. Texts of the cluster are cut to one line, because they may be long and
// hold control bytes.
#include "server/commands/doctor/finding.hpp"

#include "scalers/text/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace weir::server::doctor {
namespace {

constexpr std::size_t kMaxLineBytes = 600;

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::ok: return "ok";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "";
}

std::size_t count_of(std::span<const Finding> findings, Severity severity) {
  return static_cast<std::size_t>(std::ranges::count(findings, severity, &Finding::severity));
}

// The worst findings first, each severity in the order of the checks.
std::vector<const Finding*> by_severity(std::span<const Finding> findings) {
  std::vector<const Finding*> out;
  for (const Severity severity : {Severity::error, Severity::warning, Severity::ok}) {
    for (const Finding& finding : findings) {
      if (finding.severity == severity) out.push_back(&finding);
    }
  }
  return out;
}

std::string verdict_of(std::span<const Finding> findings) {
  const std::string counts = fmt::format("{}, {}, {} ok",
                                         counted(count_of(findings, Severity::error), "error"),
                                         counted(count_of(findings, Severity::warning), "warning"),
                                         count_of(findings, Severity::ok));
  switch (worst_of(findings)) {
    case Severity::error: return "problems were found: " + counts;
    case Severity::warning: return "no errors, but something to look at: " + counts;
    case Severity::ok: break;
  }
  // Without a finding nothing was checked.
  return (findings.empty() ? "nothing was checked: " : "no problem was found: ") + counts;
}

}  // namespace

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Finding ok(std::string object, std::string what) {
  return {Severity::ok, std::move(object), std::move(what), ""};
}

Finding warning(std::string object, std::string what, std::string action) {
  return {Severity::warning, std::move(object), std::move(what), std::move(action)};
}

Finding error(std::string object, std::string what, std::string action) {
  return {Severity::error, std::move(object), std::move(what), std::move(action)};
}

Severity worst_of(std::span<const Finding> findings) {
  // The enumerators are in the order of severity.
  Severity out = Severity::ok;
  for (const Finding& finding : findings) out = std::max(out, finding.severity);
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    // Cut between two characters, so that the text remains valid UTF-8.
    const std::size_t length = scalers::printable_length(text, at);
    if (out.size() + length > kMaxLineBytes) return out + "...";
    if (length > 0 && text[at] != ' ') {
      out += text.substr(at, length);
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    at += std::max({length, scalers::utf8_length(text, at), std::size_t{1}});
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string text_of(std::span<const Finding> findings) {
  std::string out = verdict_of(findings) + '\n';
  for (const Finding* one : by_severity(findings)) {
    const Finding& finding = *one;
    fmt::format_to(std::back_inserter(out),
                   "{:<8} {}: {}{}{}\n",
                   name_of(finding.severity),
                   one_line(finding.object),
                   one_line(finding.what),
                   finding.action.empty() ? "" : " -> ",
                   one_line(finding.action));
  }
  return out;
}

std::string json_of(std::span<const Finding> findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"severity", name_of(finding.severity)},
                    {"object", one_line(finding.object)},
                    {"what", one_line(finding.what)},
                    {"action", one_line(finding.action)}});
  }
  // Ordered, so that the counts come first.
  const nlohmann::ordered_json out{{"errors", count_of(findings, Severity::error)},
                                   {"warnings", count_of(findings, Severity::warning)},
                                   {"findings", std::move(list)}};
  // dump() throws on invalid UTF-8, of which one_line() has left none.
  return out.dump(2) + "\n";
}

}  // namespace weir::server::doctor
