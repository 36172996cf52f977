// What the hot paths are run with: the read of an HPA as the kube-apiserver passes it on.
#pragma once

#include "apiservice/auth/identity.hpp"
#include "apiservice/request/request_info.hpp"

#include <span>
#include <string>
#include <string_view>

namespace weir::bench {

inline constexpr std::string_view kNamespace = "ml-inference";
inline constexpr std::string_view kMetric = "queue_depth";
inline constexpr std::string_view kSelector = "queue=requests";
inline constexpr std::string_view kConfig = R"(
backends:
  cache: {{redis: {{url: "redis://127.0.0.1:{port}"}}}}
metrics:
  - name: queue_depth
    namespaces: [ml-inference]
    freshness: 1h
    deadline: 30s
    redis: {{backend: cache, key: $(queue)}}
    labels: {{queue: '[a-z]+'}}
)";

inline constexpr std::string_view kHead =
    "GET /apis/external.metrics.k8s.io/v1beta1/namespaces/ml-inference/queue_depth"
    "?labelSelector=queue%3Drequests HTTP/1.1\r\n"
    "Host: 10.96.114.7:443\r\n"
    "User-Agent: kube-controller-manager/v1.31.0 (linux/amd64) kubernetes/9edcffc/"
    "system:serviceaccount:kube-system:horizontal-pod-autoscaler\r\n"
    "Accept: application/json, */*\r\n"
    "Accept-Encoding: gzip\r\n"
    "Audit-Id: 0f9b4a3e-6c1d-4c52-9f0a-6f3f1f0c8a11\r\n"
    "X-Forwarded-For: 10.244.0.1\r\n"
    "X-Forwarded-Host: 172.18.0.2:6443\r\n"
    "X-Forwarded-Proto: https\r\n"
    "X-Forwarded-Uri: /apis/external.metrics.k8s.io/v1beta1/namespaces/ml-inference/queue_depth\r\n"
    "X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id: "
    "JTI=6a1f2c1e-7a55-4a0f-8f7c-3b6a3f6f2d10\r\n"
    "X-Remote-Group: system:serviceaccounts\r\n"
    "X-Remote-Group: system:serviceaccounts:kube-system\r\n"
    "X-Remote-Group: system:authenticated\r\n"
    "X-Remote-Uid: 7c3f0c3e-2f53-41f5-9d5c-0e1f54a4c6d2\r\n"
    "X-Remote-User: system:serviceaccount:kube-system:horizontal-pod-autoscaler\r\n"
    "\r\n";

// As a cluster's ConfigMap has them.
[[nodiscard]] apiservice::FrontProxyRules front_proxy_rules();
// Of the connection that kHead comes over.
[[nodiscard]] apiservice::PeerCertificate front_proxy();
// kHead, parsed, with the connection's certificate.
[[nodiscard]] apiservice::Request sample_request();
// The group version that kHead asks.
[[nodiscard]] std::span<const apiservice::GroupVersion> served();

}  // namespace weir::bench
