// Apart from the kinds, because all of them fail in the same way.
#include "scalers/read/unavailable/unavailable.hpp"

#include "scalers/catalog.hpp"

#include <algorithm>
#include <utility>

namespace weir::scalers::read {
namespace {

class UnavailableScaler final : public Scaler {
 public:
  explicit UnavailableScaler(Error why) : why_(std::move(why)) {}

  // One key for every metric of the backend, because all have the same result.
  [[nodiscard]] std::string cache_key(const Parameters& /*parameters*/) const override {
    return why_.detail;
  }
  [[nodiscard]] awaitable<Result<Samples>> query(Parameters /*parameters*/,
                                                 Deadline /*deadline*/) override {
    co_return why_;
  }
  [[nodiscard]] std::string describe_query(const Parameters& /*parameters*/) const override {
    return "none, because the configuration of the backend or of the metric cannot be used";
  }

 private:
  Error why_;
};

class UnavailableBackend final : public Backend {
 public:
  explicit UnavailableBackend(Error why) : why_(std::move(why)) {}

  [[nodiscard]] std::unique_ptr<Scaler> make_scaler(const Node& /*block*/,
                                                    ParameterNames& /*names*/,
                                                    Problems& /*problems*/) override {
    return std::make_unique<UnavailableScaler>(why_);
  }
  // None is known: the settings that have it cannot be used.
  [[nodiscard]] std::string address() const override { return ""; }
  [[nodiscard]] ConnectionCounts connections() const override { return {}; }

 private:
  Error why_;
};

std::vector<std::string> namespaces_of(const Node& metric) {
  std::vector<std::string> out;
  const Node* list = metric.find("namespaces");
  if (list != nullptr) {
    for (const Node& item : list->items) {
      if (item.kind == Node::Kind::scalar && !item.text.empty()) out.push_back(item.text);
    }
  }
  if (out.empty() || std::ranges::find(out, "*") != out.end()) return {"*"};
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::unique_ptr<Backend> make_unavailable(Error why) {
  return std::make_unique<UnavailableBackend>(std::move(why));
}

std::vector<NamedMetric> metrics_named_in(const Node& document) {
  std::vector<NamedMetric> out;
  const Node* metrics = document.find("metrics");
  if (metrics == nullptr) return out;
  for (const Node& metric : metrics->items) {
    const Node* name = metric.find("name");
    if (name == nullptr || name->kind != Node::Kind::scalar || name->text.empty()) continue;
    out.push_back({name->text, namespaces_of(metric), metric.mark});
  }
  return out;
}

std::vector<NamedBackend> backends_named_in(const Node& document) {
  std::vector<NamedBackend> out;
  const Node* backends = document.find("backends");
  if (backends == nullptr) return out;
  for (const Node::Field& field : backends->fields) {
    std::string_view kind;
    for (const Node::Field& block : field.value.fields) {
      if (const ScalerKind* found = find_kind(block.key)) kind = found->name;
    }
    out.push_back({field.key, kind});
  }
  return out;
}

}  // namespace weir::scalers::read
