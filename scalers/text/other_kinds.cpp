// One row for each name that KEDA's triggers have for a source, grouped by what serves it here.
#include "scalers/text/other_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace weir::scalers {
namespace {

enum class Use { resource, sql, exporter, schedule, redis, stream, rabbitmq, prometheus };

struct Row {
  std::string_view name;
  Use use;
  std::string_view exporter = {};  // that gives Prometheus its numbers
};

constexpr std::array kRows{
    Row{"cpu", Use::resource},
    Row{"memory", Use::resource},
    Row{"postgresql", Use::sql, "postgres_exporter or sql_exporter"},
    Row{"postgres", Use::sql, "postgres_exporter or sql_exporter"},
    Row{"mysql", Use::sql, "mysqld_exporter or sql_exporter"},
    Row{"mssql", Use::sql, "sql_exporter"},
    Row{"sql", Use::sql, "sql_exporter"},
    Row{"mongodb", Use::exporter, "mongodb_exporter"},
    Row{"kafka", Use::exporter, "kafka_exporter (kafka_consumergroup_lag)"},
    Row{"apache-kafka", Use::exporter, "kafka_exporter (kafka_consumergroup_lag)"},
    Row{"nats", Use::exporter, "prometheus-nats-exporter"},
    Row{"nats-jetstream", Use::exporter, "prometheus-nats-exporter"},
    Row{"elasticsearch", Use::exporter, "elasticsearch_exporter"},
    Row{"activemq", Use::exporter, "the JMX exporter"},
    Row{"artemis-queue", Use::exporter, "the JMX exporter"},
    Row{"pulsar", Use::exporter, "Pulsar's own metrics"},
    Row{"etcd", Use::exporter, "etcd's own metrics"},
    Row{"influxdb", Use::exporter, "an exporter"},
    Row{"graphite", Use::exporter, "graphite_exporter"},
    Row{"datadog", Use::exporter, "an exporter"},
    Row{"loki", Use::exporter, "a recording rule of Loki that writes to Prometheus"},
    Row{"aws-sqs-queue", Use::exporter, "the CloudWatch exporter"},
    Row{"aws-cloudwatch", Use::exporter, "the CloudWatch exporter"},
    Row{"azure-servicebus", Use::exporter, "an exporter of Azure's metrics"},
    Row{"azure-queue", Use::exporter, "an exporter of Azure's metrics"},
    Row{"gcp-pubsub", Use::exporter, "stackdriver_exporter"},
    Row{"metrics-api", Use::exporter, "json_exporter"},
    Row{"http", Use::exporter, "json_exporter"},
    Row{"kubernetes-workload", Use::exporter, "kube-state-metrics"},
    Row{"cron", Use::schedule},
    Row{"redis-cluster", Use::redis},
    Row{"redis-sentinel", Use::redis},
    Row{"redis-streams", Use::stream},
    Row{"redis-cluster-streams", Use::stream},
    Row{"redis-sentinel-streams", Use::stream},
    Row{"rabbit", Use::rabbitmq},
    Row{"amqp", Use::rabbitmq},
    Row{"prometheus-adapter", Use::prometheus},
    Row{"thanos", Use::prometheus},
    Row{"mimir", Use::prometheus},
    Row{"victoriametrics", Use::prometheus},
};

const Row* find_row(std::string_view name) {
  const auto found = std::ranges::find(kRows, name, &Row::name);
  return found == kRows.end() ? nullptr : &*found;
}

std::string text_of(const Row& row) {
  switch (row.use) {
    case Use::resource:
      return fmt::format(
          "the HPA reads it without Weir: add {{type: Resource, resource: {{name: {}, target: "
          "{{type: Utilization, averageUtilization: 70}}}}}} to its metrics",
          row.name);
    case Use::sql:
      return fmt::format(
          "export the result of the SQL query to Prometheus ({}), and write "
          "prometheus: with a query for it",
          row.exporter);
    case Use::exporter:
      return fmt::format("export it to Prometheus ({}), and write prometheus: with a query for it",
                         row.exporter);
    case Use::schedule:
      return "write schedule: in a metric, with timezone as timeZone, start and end as from and to "
             "of "
             "a window, and desiredReplicas as its value; the HPA has averageValue 1";
    case Use::redis:
      return "write redis:, and in its backend cluster: or sentinel: in place of the url";
    case Use::stream:
      return "write redis:, with kind: lag or pending and the group, or kind: stream for its "
             "length";
    case Use::rabbitmq: return "write rabbitmq:";
    case Use::prometheus: return "write prometheus: with the url of its query API";
  }
  return "";
}

}  // namespace

std::string other_kind_text(std::string_view key) {
  const Row* row = find_row(key);
  return row == nullptr ? std::string() : text_of(*row);
}

}  // namespace weir::scalers
