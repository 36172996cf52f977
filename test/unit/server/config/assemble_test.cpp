// What becomes of configuration files with problems: left out, or used in their last valid version.
#include "server/config/assemble.hpp"

#include "scalers/clients/clients.hpp"
#include "server/commands/world.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

namespace weir::server {
namespace {

using scalers::Node;
using scalers::Problems;
using Texts = std::vector<std::string>;

const std::string kBackends = "backends: {prom: {prometheus: {url: 'http://prom'}}}\n";

std::string metric(const std::string& name, const std::string& more = "") {
  return "metrics: [{name: " + name + ", namespaces: [ml], prometheus: {backend: prom, query: up" +
         more + "}}]\n";
}

struct Site {
  Assembly assemble_files(std::vector<ConfigFile> files,
                          ConfigErrors policy = ConfigErrors::skip,
                          const ValidTexts& last_valid = {}) {
    return assemble(parse_files({std::move(files), {}}),
                    policy,
                    last_valid,
                    [this](const auto& documents, const auto& skipped, Problems& problems) {
                      return scalers::World::build(documents,
                                                   loop,
                                                   clients,
                                                   clock,
                                                   observer,
                                                   problems,
                                                   {},
                                                   skipped);
                    });
  }
  // The result of a read in the namespace ml.
  std::string read(Assembly& assembly, const std::string& name) {
    const auto readings = read_once(loop, clock, assembly.world->source(), {"ml", name, {}});
    return readings ? "a value" : std::string(name_of(readings.error().code));
  }

  Loop loop;
  scalers::Clients clients{loop};
  Clock clock;
  SilentObserver observer;
};

Texts names_of(const Assembly& assembly) {
  Texts out;
  for (const auto& info : assembly.world->metrics()) out.push_back(info.name);
  return out;
}

TEST_CASE("a file with problems is skipped, and what it names is an error") {
  Site site;

  auto assembly = site.assemble_files(
      {{"a.yaml", kBackends}, {"b.yaml", metric("bad", ", qeury: x")}, {"c.yaml", metric("good")}});

  REQUIRE(assembly.world);
  CHECK(assembly.uses == FileUses{{"a.yaml", FileUse::current},
                                  {"b.yaml", FileUse::skipped},
                                  {"c.yaml", FileUse::current}});
  CHECK(assembly.problems.size() == 1);
  CHECK(names_of(assembly) == Texts{"good", "bad"});
  CHECK(site.read(assembly, "bad") == "misconfigured");
}

TEST_CASE("what a file names before the place where it is no YAML any more is an error") {
  Site site;

  auto assembly = site.assemble_files(
      {{"a.yaml", kBackends + metric("good")},
       {"b.yaml", "metrics:\n- name: first\n  namespaces: [ml]\n- name: second\n  x: 'y\n"}});

  REQUIRE(assembly.world);
  CHECK(names_of(assembly) == Texts{"good", "first", "second"});
  CHECK(site.read(assembly, "first") == "misconfigured");
}

TEST_CASE("metrics of other files whose backend is in a skipped file are errors") {
  Site site;

  auto assembly =
      site.assemble_files({{"a.yaml", kBackends + "metrics: 5\n"},
                           {"b.yaml", metric("of_a")},
                           {"c.yaml", "backends: {other: {redis: {url: 'redis://h'}}}"}});

  REQUIRE(assembly.world);
  CHECK(assembly.uses.at("b.yaml") == FileUse::current);
  CHECK(site.read(assembly, "of_a") == "misconfigured");
}

TEST_CASE("the last valid version of a file stays in use, with the changes of the others") {
  Site site;
  const ValidTexts last_valid{{"b.yaml", metric("of_b")}};

  auto assembly =
      site.assemble_files({{"a.yaml", kBackends + metric("new")}, {"b.yaml", "metrics: ["}},
                          ConfigErrors::skip,
                          last_valid);

  REQUIRE(assembly.world);
  CHECK(assembly.uses == FileUses{{"a.yaml", FileUse::current}, {"b.yaml", FileUse::last_valid}});
  CHECK(names_of(assembly) == Texts{"new", "of_b"});
}

TEST_CASE("a valid file that repeats a metric of the version before keeps that version") {
  Site site;

  // The metric moved from b to a, and b has a problem now.
  auto assembly = site.assemble_files({{"a.yaml", kBackends + metric("moved")}, {"b.yaml", "x: 1"}},
                                      ConfigErrors::skip,
                                      {{"b.yaml", metric("moved")}});

  REQUIRE(assembly.world);
  CHECK(assembly.uses.at("a.yaml") == FileUse::current);
  CHECK(assembly.uses.at("b.yaml") == FileUse::skipped);
  CHECK(names_of(assembly) == Texts{"moved"});
}

TEST_CASE("of two files that claim a name, the changed one has the problem, wherever it sorts") {
  Site site;
  const std::string of_c = kBackends + metric("c");
  const ValidTexts last_valid{{"b.yaml", metric("b")}, {"c.yaml", of_c}};
  const FileUses b_before{{"b.yaml", FileUse::last_valid}, {"c.yaml", FileUse::current}};

  auto same_metric = site.assemble_files({{"b.yaml", metric("c")}, {"c.yaml", of_c}},
                                         ConfigErrors::skip,
                                         last_valid);
  auto same_backend = site.assemble_files({{"b.yaml", kBackends}, {"c.yaml", of_c}},
                                          ConfigErrors::skip,
                                          last_valid);

  REQUIRE(same_metric.world);
  CHECK(same_metric.uses == b_before);
  CHECK(same_metric.problems.size() == 1);
  CHECK(same_metric.problems.all().front().mark.file == "b.yaml");
  CHECK(names_of(same_metric) == Texts{"c", "b"});
  REQUIRE(same_backend.world);
  CHECK(same_backend.uses == b_before);
  CHECK(names_of(same_backend) == Texts{"c", "b"});
}

TEST_CASE("without problems the metrics are in the order of the files, whichever changed") {
  Site site;
  const std::string of_c = kBackends + metric("c");

  const auto assembly = site.assemble_files({{"b.yaml", metric("new")}, {"c.yaml", of_c}},
                                            ConfigErrors::skip,
                                            {{"b.yaml", metric("b")}, {"c.yaml", of_c}});

  REQUIRE(assembly.world);
  CHECK(names_of(assembly) == Texts{"new", "c"});
}

TEST_CASE("a skipped metric is an error where no valid file serves its name") {
  Site site;

  auto assembly = site.assemble_files(
      {{"a.yaml", kBackends + metric("good")},
       {"b.yaml",
        "metrics: [{name: good, namespaces: [api]}, {name: good, namespaces: [ml]},"
        " {name: Good, namespaces: [web]}, {name: bad, namespaces: [ml]},"
        " {name: bad, namespaces: [ml]}]"}});

  REQUIRE(assembly.world);
  CHECK(names_of(assembly) == Texts{"good", "good", "bad"});
  CHECK(assembly.world->metrics().at(1).namespaces == Texts{"api"});
  CHECK(site.read(assembly, "bad") == "misconfigured");
}

TEST_CASE("with fail, or without a valid file, nothing is built and all problems are reported") {
  Site site;

  const auto failed =
      site.assemble_files({{"a.yaml", kBackends + metric("good")}, {"b.yaml", "x: 1"}},
                          ConfigErrors::fail);
  const auto none = site.assemble_files({{"a.yaml", "x: 1"}, {"b.yaml", "metrics: ["}});

  CHECK(failed.world == nullptr);
  CHECK(failed.problems.size() == 1);
  CHECK(none.world == nullptr);
  CHECK(none.problems.size() == 2);
}

TEST_CASE("texts are kept of valid files") {
  const FileUses uses{{"a", FileUse::current}, {"b", FileUse::last_valid}, {"c", FileUse::skipped}};

  CHECK(valid_texts({{"a", "new"}, {"b", "bad"}, {"c", "bad"}},
                    uses,
                    {{"a", "old"}, {"b", "old"}}) == ValidTexts{{"a", "new"}, {"b", "old"}});
  CHECK(valid_texts({{"a", "new"}}, {}, {{"a", "old"}}).empty());
}

TEST_CASE(
    "a single file that gets a problem when a second one comes keeps its last valid version") {
  Site site;
  const std::string text = kBackends + metric("own");
  auto alone = site.assemble_files({{"a.yaml", text}}, policy_for(std::nullopt, 1));

  auto both = site.assemble_files({{"a.yaml", "metrics: ["}, {"b.yaml", metric("of_b")}},
                                  policy_for(std::nullopt, 2),
                                  valid_texts({{"a.yaml", text}}, alone.uses, {}));

  REQUIRE(both.world);
  CHECK(both.uses == FileUses{{"a.yaml", FileUse::last_valid}, {"b.yaml", FileUse::current}});
  CHECK(names_of(both) == Texts{"of_b", "own"});
}

TEST_CASE("several files are skipped by default, a single one is not") {
  CHECK(policy_for(std::nullopt, 1) == ConfigErrors::fail);
  CHECK(policy_for(std::nullopt, 2) == ConfigErrors::skip);
  CHECK(policy_for(ConfigErrors::fail, 2) == ConfigErrors::fail);
  CHECK(policy_for(ConfigErrors::skip, 1) == ConfigErrors::skip);
}

}  // namespace
}  // namespace weir::server
