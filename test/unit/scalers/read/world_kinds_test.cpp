// What the blocks of redis and rabbitmq refuse when a configuration is loaded.
#include "scalers/read/world.hpp"
#include "test/rigs/folder.hpp"
#include "test/rigs/loop.hpp"
#include "test/rigs/nodes.hpp"
#include "test/rigs/reader_rig.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {
namespace {

using Lines = std::vector<std::string>;

// Each block stands on line 2, from column 1, whatever is around it.
struct Site {
  Lines problems_of(const std::string& text) {
    Problems problems;
    const std::vector<Node> documents{test::node(text)};
    const auto world = World::build(documents, loop, clients, clock, events, problems);
    CHECK((world != nullptr) == problems.empty());
    return problems.lines();
  }
  Lines backend(std::string_view kind, const std::string& block) {
    return problems_of("{backends: {b: {" + std::string(kind) + ":\n" + with_files(block) + "}}}");
  }
  // A metric with the label `queue` of a backend of that kind and url.
  Lines metric(std::string_view kind, const std::string& url, const std::string& block) {
    return problems_of("{metrics: [{name: m, namespaces: [ml], " + std::string(kind) + ":\n" +
                       block + "\n}],\nbackends: {p: {prometheus: {url: 'http://prom'}}, b: {" +
                       std::string(kind) + ":\n" +
                       with_files("{url: '" + url + "',\nusername: USER, password: WORD}") + "}}}");
  }

  std::string with_files(std::string text) const {
    for (const std::string_view name : {"USER", "WORD"}) {
      if (const auto at = text.find(name); at != text.npos)
        text.replace(at, name.size(), "{file: " + folder.write(name, "x") + "}");
    }
    return text;
  }

  test::Folder folder;
  test::FakeClock clock;
  test::ReadEvents events;
  Loop loop;
  Clients clients{loop};
};

struct Row {
  std::string_view name;
  std::string block;
  Lines problems;
};

void check_backend(std::string_view kind, const Row& row) {
  DYNAMIC_SECTION(row.name) {
    Site site;

    CHECK(site.backend(kind, row.block) == row.problems);
  }
}

void check_metric(std::string_view kind, const std::string& url, const Row& row) {
  DYNAMIC_SECTION(url << " " << row.name) {
    Site site;

    CHECK(site.metric(kind, url, row.block) == row.problems);
  }
}

TEST_CASE("a redis backend is an address and credentials") {
  const Row rows[] = {
      {"a host", "{url: 'redis://r'}", {}},
      {"a database", "{url: 'redis://r:6380/15'}", {}},
      {"a slash alone", "{url: 'redis://r/'}", {}},
      {"a password", "{url: 'redis://r',\npassword: WORD}", {}},
      {"a user", "{url: 'redis://r',\nusername: USER, password: WORD}", {}},
      {"TLS", "{url: 'rediss://r', tls: {ca: /etc/passwd}}", {}},
      {"Sentinels", "{sentinel: {service: s, nodes: ['a:26379', b, '[fd00::1]:1']}}", {}},
      {"Sentinels with a login",
       "{sentinel: {service: s, nodes: [a], tls: {}, username:\nUSER, password: WORD}, "
       "database: 3, tls: {}}",
       {}},
      {"a cluster", "{cluster: {nodes: ['a:6379', b]}, role: unchecked, database: 0}", {}},
  };

  for (const Row& row : rows) check_backend("redis", row);
}

TEST_CASE("what does not go together with Sentinels and clusters is an error") {
  const std::string one = "t.yaml:2:1: a redis backend needs one of url, sentinel and cluster";
  const std::string node =
      "a node is HOST:PORT, such as redis-0.redis:6379, without a scheme or a path";
  const Row rows[] = {
      {"nothing", "{}", {one}},
      {"two", "{url: 'redis://r', cluster: {nodes: [a]}}", {one}},
      {"a database beside the url",
       "{url: 'redis://r', database: 1}",
       {"t.yaml:2:30: the database of a url is its path, such as redis://HOST:PORT/1; remove "
        "database"}},
      {"a database of a cluster",
       "{cluster: {nodes: [a]}, database: 1}",
       {"t.yaml:2:35: a Redis cluster has database 0 alone; remove it"}},
      {"a database by name",
       "{sentinel: {service: s, nodes: [a]}, database: jobs}",
       {"t.yaml:2:48: the database is a number, such as 1"}},
      {"an unchecked role",
       "{sentinel: {service: s, nodes: [a]}, role: unchecked}",
       {"t.yaml:2:44: with sentinel every query asks for the ROLE; remove role: unchecked"}},
      {"no service",
       "{sentinel: {nodes: [a]}}",
       {"t.yaml:2:12: a sentinel block needs service: name of the master, as in sentinel.conf"}},
      {"no nodes",
       "{cluster: {}}",
       {"t.yaml:2:11: a cluster block needs nodes: HOST:PORT of some nodes of the cluster"}},
      {"a url as a node", "{cluster: {nodes: ['redis://a:1']}}", {"t.yaml:2:20: " + node}},
      {"a path", "{cluster: {nodes: ['a:1/2']}}", {"t.yaml:2:20: " + node}},
      {"a port of letters", "{cluster: {nodes: ['a:x']}}", {"t.yaml:2:20: " + node}},
      {"a node twice",
       "{sentinel: {service: s, nodes: [a, 'a:26379']}}",
       {"t.yaml:2:36: the node is in the list twice; remove one"}},
      {"a Sentinel's user alone",
       "{sentinel: {service: s, nodes: [a], username:\nUSER}}",
       {"t.yaml:2:12: username requires password; write both, or only password"}},
  };

  for (const Row& row : rows) check_backend("redis", row);
}

TEST_CASE("a redis backend of another form is an error") {
  const std::string path = "t.yaml:2:7: the path of a redis url is the database number, such as /0";
  const Row rows[] = {
      {"no url",
       "{password: WORD}",
       {"t.yaml:2:1: a redis backend needs one of url, sentinel and cluster"}},
      {"another scheme",
       "{url: 'http://r'}",
       {"t.yaml:2:7: the url needs the scheme redis or rediss; write redis://HOST:PORT or "
        "rediss://HOST:PORT"}},
      {"a password in the url",
       "{url: 'redis://:s3cret@r'}",
       {"t.yaml:2:7: a url must not contain a user or password; write username: {file: PATH} and "
        "password: "
        "{file: PATH}, or url: {file: PATH} for a file with the whole url"}},
      {"a database by name", "{url: 'redis://r/jobs'}", {path}},
      {"a negative database", "{url: 'redis://r/-1'}", {path}},
      {"two databases", "{url: 'redis://r/1/2'}", {path}},
      {"a slash behind the database", "{url: 'redis://r/1/'}", {path}},
      {"a database beyond 32 bits", "{url: 'redis://r/4294967296'}", {path}},
      {"a user without password",
       "{url: 'redis://r',\nusername: USER}",
       {"t.yaml:2:1: username requires password; write both, or only password"}},
      {"tls with a plain url",
       "{url: 'redis://r', tls: {ca: /etc/passwd}}",
       {"t.yaml:2:25: tls needs a url with rediss://"}},
      {"an unknown key",
       "{url: 'redis://r', user: x}",
       {"t.yaml:2:20: unknown key \"user\" in a redis backend; did you mean \"username\"? Its "
        "keys are url, sentinel, cluster, database, username, password, role, tls"}},
      {"a password in the file",
       "{url: 'redis://r', password: s3cret}",
       {"t.yaml:2:30: expected {file: PATH}: secrets come from files only"}},
      {"a list",
       "[a]",
       {"t.yaml:2:1: expected a map of settings for a redis backend; found a list"}},
  };

  for (const Row& row : rows) check_backend("redis", row);
}

TEST_CASE("a redis metric names a key, and a group where it needs one") {
  const std::string group =
      "t.yaml:2:1: kind: pending and kind: lag need a group; other kinds must not have a group";
  const Row rows[] = {
      {"a list", "{backend: b, key: jobs}", {}},
      {"a group", "{backend: b, key: jobs, kind: lag, group: g}", {}},
      {"missing is zero", "{backend: b, key: jobs, kind: counter, missing: 0}", {}},
      {"parameters",
       "{backend: b, key: 'q:$(namespace)', kind: pending, group: '$(namespace)'}",
       {}},
      {"pending without group", "{backend: b, key: jobs, kind: pending}", {group}},
      {"lag without group", "{backend: b, key: jobs, kind: lag}", {group}},
      {"a list with a group", "{backend: b, key: jobs, group: g}", {group}},
      {"a stream with a group", "{backend: b, key: jobs, kind: stream, group: g}", {group}},
      {"no key",
       "{backend: b}",
       {"t.yaml:2:1: a redis metric needs key: key to measure; $(label) is a parameter"}},
      {"an unknown kind",
       "{backend: b, key: jobs, kind: zset}",
       {"t.yaml:2:31: expected one of list, stream, pending, lag, sortedSet, set, hash, counter; "
        "found \"zset\""}},
      {"missing as another number",
       "{backend: b, key: jobs, missing: 5}",
       {"t.yaml:2:34: expected one of 0, error; found \"5\""}},
      {"an undeclared label in the key",
       "{backend: b, key: 'q:$(topic)'}",
       {"t.yaml:2:19: $(topic) is not a declared label; use one of $(namespace) (write $$( for a "
        "literal $()"}},
      {"an undeclared label in the group",
       "{backend: b, key: jobs, kind: lag, group: '$(topic)'}",
       {"t.yaml:2:43: $(topic) is not a declared label; use one of $(namespace) (write $$( for a "
        "literal $()"}},
      {"a backend of another kind",
       "{backend: p, key: jobs}",
       {"t.yaml:2:11: the backend p is of kind prometheus; a redis metric cannot use it"}},
      {"no such backend",
       "{backend: c, key: jobs}",
       {"t.yaml:2:11: there is no backend \"c\"; did you mean \"b\" or \"p\"?"}},
  };

  for (const Row& row : rows) check_metric("redis", "redis://r", row);
}

TEST_CASE("a rabbitmq backend is an address and credentials") {
  const Row rows[] = {
      {"amqp", "{url: 'amqp://mq/ml',\nusername: USER, password: WORD}", {}},
      {"http", "{url: 'http://mq/sub/ml',\nusername: USER, password: WORD}", {}},
      {"http without credentials", "{url: 'http://mq'}", {}},
      {"amqps with a client certificate",
       "{url: 'amqps://mq', tls: {certificate: /etc/passwd, key: /etc/passwd}}",
       {}},
      {"a vhost", "{url: 'http://mq', vhost: /}", {}},
  };

  for (const Row& row : rows) check_backend("rabbitmq", row);
}

TEST_CASE("a rabbitmq backend of another form is an error") {
  const std::string both = "t.yaml:2:1: username and password go together; write both or neither";
  const std::string identity =
      "t.yaml:2:1: a rabbitmq backend needs credentials: write username: {file: PATH} and "
      "password: {file: PATH} (amqps may use a client certificate instead)";
  const Row rows[] = {
      {"another scheme",
       "{url: 'redis://mq'}",
       {"t.yaml:2:7: the url needs the scheme amqp, amqps, http or https; write "
        "amqp://HOST:PORT, amqps://HOST:PORT, http://HOST:PORT or https://HOST:PORT"}},
      {"credentials in the url",
       "{url: 'amqp://guest:guest@mq'}",
       {"t.yaml:2:7: a url must not contain a user or password; write username: {file: PATH} and "
        "password: "
        "{file: PATH}, or url: {file: PATH} for a file with the whole url"}},
      {"two parts over amqp",
       "{url: 'amqp://mq/a/b'}",
       {"t.yaml:2:7: the path of an amqp url is only the vhost; write a / in its name as %2F"}},
      {"a broken escape",
       "{url: 'http://mq/%2'}",
       {"t.yaml:2:7: the vhost of the url has an invalid % escape"}},
      {"a user without password", "{url: 'http://mq',\nusername: USER}", {both}},
      {"a password without user", "{url: 'http://mq',\npassword: WORD}", {both}},
      {"amqp, a user without password", "{url: 'amqp://mq',\nusername: USER}", {both}},
      {"amqp without credentials", "{url: 'amqp://mq'}", {identity}},
      {"amqps with a CA alone", "{url: 'amqps://mq', tls: {ca: /etc/passwd}}", {identity}},
      {"tls with http",
       "{url: 'http://mq', tls: {ca: /etc/passwd}}",
       {"t.yaml:2:25: tls needs a url with amqps:// or https://"}},
      {"tls with amqp",
       "{url: 'amqp://mq', tls: {ca: /etc/passwd},\nusername: USER, password: WORD}",
       {"t.yaml:2:25: tls needs a url with amqps:// or https://"}},
      {"a list",
       "[a]",
       {"t.yaml:2:1: expected a map of settings for a rabbitmq backend; found a list"}},
  };

  for (const Row& row : rows) check_backend("rabbitmq", row);
}

TEST_CASE("a rabbitmq metric names a queue or a pattern of queues") {
  const std::string one_of =
      "t.yaml:2:1: a rabbitmq metric needs queue or queueRegex, but not both";
  const std::string no_consumers =
      "noConsumers requires mode: PublishedToDeliveredRatio or ExpectedQueueConsumptionTime";
  const Row rows[] = {
      {"a queue", "{backend: b, queue: jobs}", {}},
      {"a pattern",
       "{backend: b, queueRegex: 'jobs-.*', aggregate: avg, count: unacknowledged}",
       {}},
      {"a ratio", "{backend: b, queue: jobs, mode: PublishedToDeliveredRatio, noConsumers: 7}", {}},
      {"parameters", "{backend: b, queue: 'q-$(namespace)', vhost: '$(namespace)'}", {}},
      {"neither", "{backend: b}", {one_of}},
      {"both", "{backend: b, queue: jobs, queueRegex: jobs}", {one_of}},
      {"an aggregate of one queue",
       "{backend: b, queue: jobs, aggregate: max}",
       {"t.yaml:2:38: aggregate combines the queues of queueRegex; remove aggregate for a single "
        "queue"}},
      {"a count with a rate",
       "{backend: b, queue: jobs, mode: MessageRate, count: ready}",
       {"t.yaml:2:53: count requires mode: QueueLength"}},
      {"noConsumers with a length",
       "{backend: b, queue: jobs, noConsumers: 7}",
       {"t.yaml:2:40: " + no_consumers}},
      {"noConsumers with a rate",
       "{backend: b, queue: jobs, mode: DeliverGetRate, noConsumers: 7}",
       {"t.yaml:2:62: " + no_consumers}},
      {"a mode in other letters",
       "{backend: b, queue: jobs, mode: queueLength}",
       {"t.yaml:2:33: expected one of QueueLength, MessageRate, DeliverGetRate, "
        "PublishedToDeliveredRatio, ExpectedQueueConsumptionTime; found \"queueLength\""}},
      {"a parameter in a pattern",
       "{backend: b, queueRegex: 'q-$(namespace)'}",
       {"t.yaml:2:26: queueRegex takes no parameters; use queue with a parameter, or several "
        "metrics"}},
      {"a pattern that RE2 does not take",
       "{backend: b, queueRegex: '(?=a)'}",
       {"t.yaml:2:26: the pattern is not valid RE2: invalid perl operator: (?="}},
      {"an undeclared label in the vhost",
       "{backend: b, queue: jobs, vhost: '$(topic)'}",
       {"t.yaml:2:34: $(topic) is not a declared label; use one of $(namespace) (write $$( for a "
        "literal $()"}},
      {"a backend of another kind",
       "{backend: p, queue: jobs}",
       {"t.yaml:2:11: the backend p is of kind prometheus; a rabbitmq metric cannot use it"}},
      {"text",
       "jobs",
       {"t.yaml:2:1: expected a map of settings for a rabbitmq metric; found \"jobs\""}},
  };

  for (const Row& row : rows) check_metric("rabbitmq", "http://mq", row);
}

TEST_CASE("AMQP reports the ready messages of a queue and nothing else") {
  const std::string modes =
      "AMQP reports queue lengths only; the rate modes need a backend with an http:// or https:// "
      "url";
  const std::string counts =
      "AMQP reports ready messages only; other counts need a backend with an http:// or https:// "
      "url";
  const Row rows[] = {
      {"a queue", "{backend: b, queue: jobs}", {}},
      {"ready ones", "{backend: b, queue: jobs, count: ready}", {}},
      {"the mode that it has", "{backend: b, queue: jobs, mode: QueueLength}", {}},
      {"a pattern",
       "{backend: b, queueRegex: jobs}",
       {"t.yaml:2:26: AMQP reads a single queue; queueRegex needs a backend with an http:// or "
        "https:// "
        "url"}},
      {"publish rate", "{backend: b, queue: jobs, mode: MessageRate}", {"t.yaml:2:33: " + modes}},
      {"delivery rate",
       "{backend: b, queue: jobs, mode: DeliverGetRate}",
       {"t.yaml:2:33: " + modes}},
      {"ratio",
       "{backend: b, queue: jobs, mode: PublishedToDeliveredRatio}",
       {"t.yaml:2:33: " + modes}},
      {"time",
       "{backend: b, queue: jobs, mode: ExpectedQueueConsumptionTime}",
       {"t.yaml:2:33: " + modes}},
      {"total", "{backend: b, queue: jobs, count: total}", {"t.yaml:2:34: " + counts}},
      {"unacknowledged",
       "{backend: b, queue: jobs, count: unacknowledged}",
       {"t.yaml:2:34: " + counts}},
  };

  for (const Row& row : rows) check_metric("rabbitmq", "amqp://mq", row);
}

TEST_CASE("an invalid backend disables its metrics without further problems") {
  Site site;

  const auto lines = site.problems_of(
      "{backends: {b: {rabbitmq: {url: 'nowhere'}}},\n"
      "metrics: [{name: m, namespaces: [ml], rabbitmq: {backend: b, queue: jobs}}]}");

  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("t.yaml:1:33: the url needs the scheme amqp"));
}

}  // namespace
}  // namespace weir::scalers
