// Reads metrics and HPAs for `weir record`. The loop in record.cpp does not know which source it
// has.
#include "server/commands/record/record_source.hpp"

#include "apiservice/groups/external_values.hpp"
#include "apiservice/meta/label_selector.hpp"
#include "scalers/settings/url.hpp"
#include "server/commands/record/replies.hpp"

#include <fmt/format.h>

#include <utility>

namespace weir::server::record {

using scalers::percent_encoded;
using scalers::Reading;
using scalers::Result;

// The first question mark ends the metric: a metric whose name has one cannot be recorded.
Target target_of(const std::string& text) {
  const auto mark = text.find('?');
  const std::string path = text.substr(0, mark);
  const auto slash = path.find('/');
  return {path.substr(0, slash),
          path.substr(slash + 1),
          mark == text.npos ? std::string() : text.substr(mark + 1)};
}

awaitable<Result<std::vector<Reading>>> RecordSource::read_metric(Target target,
                                                                  Deadline deadline) {
  if (source_ != nullptr) {
    auto labels = apiservice::parse_selector(target.selector);
    if (!labels) co_return labels.error();
    auto readings =
        co_await source_->read({target.name_space, target.metric, std::move(*labels)}, deadline);
    co_return readings;
  }
  const std::string path = fmt::format("/apis/{}/{}/namespaces/{}/{}",
                                       apiservice::kExternalGroup,
                                       apiservice::kExternalVersion,
                                       percent_encoded(target.name_space),
                                       percent_encoded(target.metric));
  // Without a selector there is no parameter, as in a read of the HPA controller.
  const std::string query =
      target.selector.empty() ? "" : "labelSelector=" + percent_encoded(target.selector);
  // Not null here: the flags require --kubeconfig when there is no --config.
  const auto reply = co_await kube_->get(path, query, deadline);
  if (!reply) co_return reply.error().within("the kube-apiserver");
  co_return parse_values(reply->status, reply->body);
}

awaitable<Result<HpaState>> RecordSource::read_hpa(std::string name, Deadline deadline) {
  const auto slash = name.find('/');
  const std::string path =
      fmt::format("/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers/{}",
                  percent_encoded(name.substr(0, slash)),
                  percent_encoded(name.substr(slash + 1)));
  const auto reply = co_await kube_->get(path, "", deadline);
  if (!reply) co_return reply.error().within("the kube-apiserver");
  co_return parse_hpa(reply->status, reply->body);
}

}  // namespace weir::server::record
