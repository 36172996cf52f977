// parse_yaml and World::build: a configuration is refused with places and words, or is built.
#include "scalers/read/world.hpp"
#include "server/commands/world.hpp"
#include "server/yaml/parse.hpp"
#include "test/fuzz/property.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace weir::fuzz {
namespace {

using scalers::Node;
using scalers::Problems;

const std::string kFile = "fuzz.yaml";
constexpr int kMaxDepth = 64;

// What outlives a world. The clients keep threads, so there is one for all runs, and it is never
// destroyed.
struct Site {
  Loop loop;
  scalers::Clients clients{loop};
  Clock clock;
  server::SilentObserver observer;
};

Site& site() {
  static auto* const kept = new Site;
  return *kept;
}

void check_node(const Node& node, int depth) {
  require(depth <= kMaxDepth + 1, "the depth of nodes is bounded");
  require(node.mark.file == kFile && node.mark.line > 0 && node.mark.column > 0,
          "a node knows its place");
  require(node.kind == Node::Kind::list || node.items.empty(), "only a list has items");
  require(node.kind == Node::Kind::map || node.fields.empty(), "only a map has fields");
  require(node.kind == Node::Kind::scalar || node.text.empty(), "only a scalar has a text");
  for (const Node& item : node.items) check_node(item, depth + 1);
  for (const Node::Field& field : node.fields) check_node(field.value, depth + 1);
}

void check_problems(const Problems& problems) {
  const auto lines = problems.all_lines();
  require(lines.size() == problems.size(), "each problem has a line");
  require(std::ranges::all_of(lines,
                              [](const std::string& line) {
                                return line.starts_with(kFile + ":") &&
                                       line.size() > kFile.size() + 6;
                              }),
          "a problem says where and what");
}

// A file with problems is skipped, whatever can be read of it.
void check_skipped(const Node& document) {
  Problems problems;
  const auto world = scalers::World::build({},
                                           site().loop,
                                           site().clients,
                                           site().clock,
                                           site().observer,
                                           problems,
                                           {},
                                           std::span(&document, 1));
  require(world != nullptr && problems.size() == 0, "a skipped document is no problem");
}

}  // namespace

void run(std::string_view input) {
  Problems problems;
  const Node document = server::parse_yaml(input, kFile, problems);
  check_node(document, 0);
  check_problems(problems);

  Problems again_problems;
  Node readable;
  const Node again = server::parse_yaml(input, kFile, again_problems, &readable);
  require(again == document && again_problems.lines() == problems.lines(),
          "the same text gives the same document");
  if (document.kind == Node::Kind::null) {
    require(!problems.empty(), "no document comes with a reason");
    if (readable.kind != Node::Kind::null) check_node(readable, 0);
    check_skipped(readable);
    return;
  }
  check_skipped(document);

  Problems world_problems;
  const std::vector<Node> documents{document};
  const auto world = scalers::World::build(documents,
                                           site().loop,
                                           site().clients,
                                           site().clock,
                                           site().observer,
                                           world_problems);
  check_problems(world_problems);
  require((world != nullptr) == world_problems.empty(), "a world is built, or there is a problem");
}

}  // namespace weir::fuzz
