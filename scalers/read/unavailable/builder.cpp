// The parts of the Builder for what cannot be used, apart from the entries that can.
#include "scalers/read/config.hpp"
#include "scalers/read/unavailable/unavailable.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weir::scalers::read {
namespace {

// An unavailable backend responds at once, so that none of its reads waits.
constexpr std::uint32_t kMaxUnavailable = 1'000'000;

}  // namespace

void Builder::make_backend(const ScalerKind& kind, const Node& block, ConfiguredBackend& out) {
  const std::size_t problems_before = problems_.all().size();
  const std::size_t in_files_before = problems_.in_files().size();
  const std::size_t files_before = problems_.files().size();
  out.backend = kind.make_backend(block, context_, problems_);
  std::vector<LocalFile> files(
      problems_.files().begin() + static_cast<std::ptrdiff_t>(files_before),
      problems_.files().end());
  // Nothing is wrong but a file, which may be fixed later: a backend without an address yet.
  const bool is_unavailable = out.backend == nullptr && problems_.all().size() == problems_before &&
                              problems_.in_files().size() > in_files_before;
  if (is_unavailable) {
    const auto url = std::ranges::find(files, LocalFile::Kind::url, &LocalFile::kind);
    if (url != files.end()) url->problem = problems_.in_files().back().what;
    out.is_unavailable = true;
    out.backend = make_unavailable(
        {Errc::refused,
         fmt::format("the file of its url is missing or not valid{}", kFileIsInLog),
         ""});
  }
  out.files = std::make_shared<const std::vector<LocalFile>>(std::move(files));
}

void Builder::add_skipped(const Node& document) {
  const Error why{Errc::misconfigured,
                  "its configuration file has problems and is not in use; run weir check, or see "
                  "the log of Weir",
                  ""};
  const auto add = [&](std::string name, std::string_view kind) {
    auto backend = std::make_unique<ConfiguredBackend>();
    backend->name = std::move(name);
    backend->kind = kind;
    backend->is_unavailable = true;
    backend->limiter =
        std::make_shared<ConcurrencyLimiter>(context_.loop, kMaxUnavailable, kMaxUnavailable);
    backend->backend = make_unavailable(why);
    backends_.push_back(std::move(backend));
    return backends_.back().get();
  };
  for (const NamedBackend& named : backends_named_in(document)) {
    const bool is_known =
        std::ranges::any_of(backends_, [&](const auto& one) { return one->name == named.name; });
    if (!is_known) add(named.name, named.kind);
  }
  ParameterNames no_names({});
  for (NamedMetric& named : metrics_named_in(document)) {
    if (nameless_ == nullptr) nameless_ = add("", "");
    Metric metric;
    metric.name = std::move(named.name);
    metric.namespaces = std::move(named.namespaces);
    metric.mark = named.mark;
    // Whatever labels it declares, no selector is refused.
    metric.selector_mode = SelectorMode::filter;
    metric.backend = nameless_;
    metric.scaler = nameless_->backend->make_scaler(document, no_names, problems_);
    skipped_.push_back(std::move(metric));
  }
}

void Builder::add_skipped_metrics() {
  // By name, as in check_names().
  std::unordered_map<std::string, std::vector<std::size_t>> seen;
  for (std::size_t at = 0; at < metrics_.size() && !skipped_.empty(); ++at)
    seen[lower_case(metrics_[at].name)].push_back(at);
  for (Metric& metric : skipped_) {
    auto& namesakes = seen[lower_case(metric.name)];
    // What a valid file says of the name counts.
    const bool is_served = std::ranges::any_of(namesakes, [&](std::size_t at) {
      const Metric& other = metrics_[at];
      return other.name != metric.name || overlap(other, metric);
    });
    if (is_served) continue;
    namesakes.push_back(metrics_.size());
    metrics_.push_back(std::move(metric));
  }
  skipped_.clear();
}

}  // namespace weir::scalers::read
