// The files that a configuration is read from.
#include "server/config/files.hpp"

#include "test/rigs/folder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {
namespace {

using scalers::Node;
using scalers::Problems;
using test::Folder;
using Texts = std::vector<std::string>;

// The value of `id` in each document that was read.
Texts ids_of(const std::vector<Node>& documents) {
  Texts out;
  std::ranges::transform(documents, std::back_inserter(out), [](const Node& document) {
    const Node* id = document.find("id");
    return id == nullptr ? std::string() : id->text;
  });
  return out;
}

struct Loaded {
  std::vector<Node> documents;
  Texts problems;
};

Loaded load(const Texts& paths) {
  Problems problems;
  auto documents = parse_config(read_config(paths), problems);
  return {std::move(documents), problems.lines()};
}

TEST_CASE("files are read in their given order, and nodes have the file's name") {
  const Folder folder;
  const std::string b = folder.write("b.yaml", "id: b\n");
  const std::string a = folder.write("a.conf", "id: a\n");

  const Loaded loaded = load({b, a});

  CHECK(loaded.problems.empty());
  CHECK(ids_of(loaded.documents) == Texts{"b", "a"});
  CHECK(loaded.documents[0].mark.file == b);
  CHECK(loaded.documents[1].mark.file == a);
}

TEST_CASE("a folder's YAML files are read in the order of their names, and nothing else") {
  const Folder folder;
  folder.write("20-b.yaml", "id: b\n");
  folder.write("10-a.yml", "id: a\n");
  folder.write("3.yaml", "id: c\n");
  folder.write(".hidden.yaml", "id: hidden\n");
  folder.write(".yaml", "id: nameless\n");
  folder.write("README.md", "[\n");
  folder.write("a.yaml~", "[\n");
  folder.write("a.yaml.bak", "[\n");
  folder.write("a.json", "[\n");
  folder.write("a.YAML", "[\n");
  folder.write("yaml", "[\n");
  folder.write("below/x.yaml", "id: below\n");
  folder.write("folder.yaml/x.yaml", "id: in a folder\n");

  const Loaded loaded = load({folder.path("")});

  CHECK(loaded.problems.empty());
  CHECK(ids_of(loaded.documents) == Texts{"a", "b", "c"});
}

TEST_CASE("a mounted ConfigMap is read once, through its links") {
  const Folder folder;
  folder.write("..2026_11_21_00_00_00.1/a.yaml", "id: a\n");
  folder.write("..2026_11_21_00_00_00.1/b.yaml", "id: b\n");
  const std::filesystem::path root(folder.path(""));
  std::filesystem::create_directory_symlink("..2026_11_21_00_00_00.1", root / "..data");
  std::filesystem::create_symlink("..data/a.yaml", root / "a.yaml");
  std::filesystem::create_symlink("..data/b.yaml", root / "b.yaml");
  std::filesystem::create_symlink("..data/gone.yaml", root / "gone.yaml");

  const Loaded loaded = load({folder.path("")});

  CHECK(loaded.problems.empty());
  CHECK(ids_of(loaded.documents) == Texts{"a", "b"});
  CHECK(loaded.documents[0].mark.file == folder.path("a.yaml"));
}

TEST_CASE("a named file must exist") {
  const Folder folder;
  const std::string good = folder.write("good.yaml", "id: good\n");
  const std::string missing = folder.path("missing.yaml");
  const std::string below_file = good + "/x.yaml";

  const Loaded loaded = load({missing, good, below_file});

  CHECK(ids_of(loaded.documents) == Texts{"good"});
  CHECK(loaded.problems == Texts{below_file + ": the file cannot be read: Not a directory",
                                 missing + ": the file cannot be read: No such file or directory"});
}

TEST_CASE("a folder without YAML is a problem, whatever else is in it") {
  const Folder folder;
  folder.write("empty/below/x.yaml", "id: x\n");
  folder.write("others/README.md", "x\n");
  folder.write("others/.hidden.yaml", "id: x\n");
  const std::string empty = folder.path("empty");
  const std::string others = folder.path("others");

  const Loaded loaded = load({empty, others});

  CHECK(loaded.documents.empty());
  CHECK(loaded.problems == Texts{empty + ": the folder has no *.yaml file",
                                 others + ": the folder has no *.yaml file"});
}

TEST_CASE("the problems of all files are reported together, and valid files are parsed") {
  const Folder folder;
  folder.write("a.yaml", "id: [\n");
  folder.write("b.yaml", "id: b\n");
  folder.write("c.yaml", "");
  folder.write("d.yaml", "id: d\n---\nid: e\n");
  const std::string at = folder.path("");

  const Loaded loaded = load({folder.path("")});

  CHECK(ids_of(loaded.documents) == Texts{"b", "d"});
  REQUIRE(loaded.problems.size() == 3);
  CHECK_THAT(loaded.problems[0], Catch::StartsWith(at + "a.yaml:2:1: not valid YAML: "));
  CHECK(loaded.problems[1] == at + "c.yaml:1:1: the file is empty; write backends: and metrics:");
  CHECK(loaded.problems[2] ==
        at + "d.yaml:1:1: a file has one document; move the part after --- to a separate file");
}

TEST_CASE("a fingerprint depends on each text and its path, and on nothing else") {
  const ConfigFiles files{{{"a.yaml", "id: a\n"}, {"b.yaml", "id: b\n"}}, {}};
  const std::string fingerprint = fingerprint_of(files);

  CHECK(fingerprint_of({{{"a.yaml", "id: a\n"}, {"b.yaml", "id: b\n"}}, {}}) == fingerprint);
  CHECK(fingerprint_of({{{"a.yaml", "id: a\n"}, {"b.yaml", "id: B\n"}}, {}}) != fingerprint);
  CHECK(fingerprint_of({{{"a.yaml", "id: b\n"}, {"b.yaml", "id: a\n"}}, {}}) != fingerprint);
  CHECK(fingerprint_of({{{"b.yaml", "id: b\n"}, {"a.yaml", "id: a\n"}}, {}}) != fingerprint);
  CHECK(fingerprint_of({{{"a.yaml", "id: a\n"}, {"c.yaml", "id: b\n"}}, {}}) != fingerprint);
  CHECK(fingerprint_of({{{"a.yaml", "id: a\n"}}, {}}) != fingerprint);
  CHECK(fingerprint.size() < 100);
}

TEST_CASE("a file may have 16 MiB and not a byte more") {
  const Folder folder;
  const std::string head = "id: big\n";
  const std::string line = std::string(1023, '#') + "\n";
  std::string text = head;
  while (text.size() + line.size() <= std::size_t{16} << 20) text += line;
  text.append((std::size_t{16} << 20) - text.size() - 1, '#');
  text += '\n';
  const std::string fits = folder.write("fits.yaml", text);
  const std::string over = folder.write("over.yaml", text + "\n");

  const Loaded loaded = load({fits, over});

  CHECK(ids_of(loaded.documents) == Texts{"big"});
  CHECK(loaded.problems == Texts{over + ": the file cannot be read: it is over 16 MiB"});
}

}  // namespace
}  // namespace weir::server
