// Headers and query parameters: which are refused, how their values are read, rendered and sent.
// Apart from the other settings, because they alone differ from read to read.
#include "scalers/backends/prometheus/request_settings.hpp"

#include "scalers/settings/url.hpp"
#include "scalers/settings/value_readers.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace weir::scalers::backends::prometheus {
namespace {

// A token of RFC 9110 section 5.6.2.
bool is_header_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// By the name, because a value does not show that it is a secret. `lower` is in lower case.
bool is_secret_name(std::string_view lower) {
  return lower == "authorization" || lower == "proxy-authorization" || lower == "cookie" ||
         lower.ends_with("token") || lower.ends_with("key") || lower.ends_with("secret");
}

// Refused by every server (RFC 9110 section 5.5).
bool is_control(char c) {
  return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
}

// The problem of a header with that name; empty when the header is valid.
std::string header_problem(std::string_view name, bool is_text) {
  // A second value of one of these could make a proxy see other bounds of the request than Weir.
  const std::string lower = lower_case(name);
  for (const std::string_view reserved :
       {"host", "content-length", "transfer-encoding", "connection", "expect"}) {
    if (lower == reserved) return fmt::format("the header {} is set by Weir; remove it", name);
  }
  // A text would be in the configuration, which more people may read than a Secret.
  if (is_secret_name(lower) && is_text)
    return fmt::format("the header {} holds a secret; write {{file: PATH}}", name);
  return {};
}

void check_header(const Node::Field& field, const Headers& previous, Problems& problems) {
  if (!is_header_name(field.key)) {
    problems.add(field.mark, fmt::format("\"{}\" is not a valid header name", field.key));
  }
  const bool is_text = field.value.kind != Node::Kind::map;
  if (auto why = header_problem(field.key, is_text); !why.empty())
    problems.add(field.mark, std::move(why));
  // Names of headers ignore case (RFC 9110 section 5.1).
  const bool is_repeated = std::ranges::any_of(previous, [&](const auto& header) {
    return lower_case(header.first) == lower_case(field.key);
  });
  if (is_repeated)
    problems.add(field.mark, fmt::format("duplicate header {}; keep one", field.key));
  if (is_text && std::ranges::any_of(field.value.text, is_control)) {
    problems.add(field.value.mark,
                 fmt::format("the header {} contains a line end or another control character; "
                             "write it on one line",
                             field.key));
  }
}

// The problem of a query parameter with that name; empty when the parameter is valid.
std::string parameter_problem(std::string_view name) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
  };
  if (name.empty()) return "the name of a query parameter is empty";
  // A second value could make a proxy see another query than the server.
  if (is_one_of({"query", "timeout", "state"}))
    return fmt::format("the parameter {} is set by Weir; remove it", name);
  if (name == "step") {
    return "the parameter step is for range queries; remove it (lookback_delta of Prometheus, "
           "max_lookback of VictoriaMetrics: how old a sample may be)";
  }
  if (is_one_of({"time", "start", "end"})) {
    return fmt::format("the parameter {} would fix the time of each query; remove it", name);
  }
  if (is_one_of({"limit", "match[]"})) {
    return fmt::format(
        "the parameter {} would leave out series, and an aggregate of the others is wrong; remove "
        "it",
        name);
  }
  // A url is in the access log of each proxy, and explanations show it.
  const std::string lower = lower_case(name);
  if (is_secret_name(lower) || lower.ends_with("password")) {
    return fmt::format(
        "the parameter {} holds a secret, and logs contain urls; send it as a header: write "
        "headers: {{NAME: {{file: PATH}}}}",
        name);
  }
  return {};
}

}  // namespace

void read_value(const Node& node, Headers& out, Problems& problems) {
  if (node.kind != Node::Kind::map) {
    return problems.add(node.mark,
                        "expected a map from a header's name to its text or {file: PATH}");
  }
  for (const Node::Field& field : node.fields) {
    check_header(field, out, problems);
    HeaderValue value;
    if (field.value.kind == Node::Kind::map) {
      scalers::read_value(field.value, value.file, problems);
    } else {
      scalers::read_value(field.value, value.text, problems);
      value.mark = field.value.mark;
    }
    out.emplace_back(field.key, std::move(value));
  }
}

void read_value(const Node& node, UrlParameters& out, Problems& problems) {
  if (node.kind != Node::Kind::map) {
    return problems.add(node.mark,
                        fmt::format("expected a map from a query parameter's name to its text or "
                                    "list of texts, such as {{namespace: team-a}}; {}",
                                    found_text(node)));
  }
  for (const Node::Field& field : node.fields) {
    if (auto why = parameter_problem(field.key); !why.empty())
      problems.add(field.mark, std::move(why));
    // The first of equal keys; the others are reported.
    const auto first = std::ranges::find(node.fields, field.key, &Node::Field::key);
    if (&*first != &field) add_duplicate(*first, field, problems);
    std::vector<std::string> values;
    if (field.value.kind == Node::Kind::list) {
      scalers::read_value(field.value, values, problems);
    } else {
      scalers::read_value(field.value, values.emplace_back(), problems);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool is_list = field.value.kind == Node::Kind::list;
      const Mark& mark = is_list ? field.value.items[i].mark : field.value.mark;
      out.all.push_back({field.key, std::move(values[i]), mark});
    }
  }
}

bool UrlParameters::has_parameter(std::string_view name) const {
  return std::ranges::any_of(all, [&](const UrlParameter& one) {
    return one.value.has_parameter(name);
  });
}

void parse_values(Headers& headers, ParameterNames& names, Problems& problems) {
  for (auto& [name, header] : headers)
    header.value = TextTemplate::parse(header.text, header.mark, names, problems);
}

void parse_values(UrlParameters& parameters, ParameterNames& names, Problems& problems) {
  for (UrlParameter& one : parameters.all)
    one.value = TextTemplate::parse(one.text, one.mark, names, problems);
}

void check_not_repeated(const UrlParameters& of_backend,
                        const UrlParameters& of_metric,
                        Problems& problems) {
  for (const UrlParameter& one : of_metric.all) {
    const auto first = std::ranges::find(of_backend.all, one.name, &UrlParameter::name);
    // Once for a name with several values.
    const bool is_first = &*std::ranges::find(of_metric.all, one.name, &UrlParameter::name) == &one;
    if (first == of_backend.all.end() || !is_first) continue;
    problems.add(one.mark,
                 fmt::format("the backend has the parameter {} already ({}:{}); keep one of them",
                             one.name,
                             first->mark.file,
                             first->mark.line));
  }
}

void render(const UrlParameters& parameters, const Parameters& values, UrlPairs& out) {
  for (const UrlParameter& one : parameters.all)
    out.emplace_back(one.name, one.value.render(values));
}

std::string encoded(const UrlPairs& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    out += fmt::format("{}{}={}",
                       out.empty() ? "" : "&",
                       percent_encoded(name),
                       percent_encoded(value));
  }
  return out;
}

std::string text_of(const UrlPairs& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs)
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, value);
  return out;
}

void add_redactions(const std::string& value,
                    const std::string& name_space,
                    std::vector<std::string>& out) {
  constexpr std::size_t kMinBytes = 4;
  if (value.size() < kMinBytes || value == name_space || value == "true" || value == "false")
    return;
  out.push_back(value);
  if (auto quoted = percent_encoded(value); quoted != value) out.push_back(std::move(quoted));
}

RequestForm make_form(std::optional<Method> method,
                      std::size_t base_bytes,
                      std::string parameters,
                      std::string form) {
  // Two bytes: the ? and the & between both.
  const bool is_long = base_bytes + form.size() + parameters.size() + 2 > kMaxGetUrlBytes;
  const Method chosen = method.value_or(is_long ? Method::post : Method::get);
  if (chosen == Method::post) return {chosen, std::move(parameters), std::move(form)};
  if (!form.empty() && !parameters.empty()) form += '&';
  return {chosen, form + parameters, ""};
}

}  // namespace weir::scalers::backends::prometheus
