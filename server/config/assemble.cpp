// Rounds: a build names the files with problems, and the next one does without them. There are at
// most two rounds a file, and one more to find whose problem it is.
#include "server/config/assemble.hpp"

#include "server/config/local_files.hpp"
#include "server/yaml/parse.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weir::server {
namespace {

using scalers::Node;
using scalers::Problem;
using scalers::Problems;

// The documents of one assembly, and what they are.
class Documents {
 public:
  Documents(ParsedConfig parsed, const ValidTexts& last_valid)
      : last_valid_(last_valid), hashes_(std::move(parsed.hashes)) {
    for (Node& document : parsed.documents) {
      uses_.emplace(document.mark.file, FileUse::current);
      used_.push_back(std::move(document));
    }
    for (Node& document : parsed.broken) {
      const std::string path = document.mark.file;
      uses_.emplace(path, FileUse::skipped);
      if (!use_last_valid(path)) skipped_.push_back(std::move(document));
    }
  }

  [[nodiscard]] const std::vector<Node>& used() const { return used_; }
  [[nodiscard]] const std::vector<Node>& skipped() const { return skipped_; }
  [[nodiscard]] FileUses take_uses() { return std::move(uses_); }
  // Whether `file` is in use as it is.
  [[nodiscard]] bool is_current(const std::string& file) const {
    const auto use = uses_.find(file);
    return use != uses_.end() && use->second == FileUse::current;
  }

  // Files as they were in the World in use come first, so that of two files that claim a name the
  // changed one has the problem. False when they did already.
  bool put_unchanged_first() {
    const auto is_unchanged = [this](const Node& document) {
      const std::string& file = document.mark.file;
      const auto text = last_valid_.find(file);
      const auto hash = hashes_.find(file);
      return is_current(file) && text != last_valid_.end() && hash != hashes_.end() &&
             hash->second == std::hash<std::string>{}(text->second);
    };
    if (std::ranges::is_partitioned(used_, is_unchanged)) return false;
    std::vector<Node> changed;
    std::vector<Node> in_order;
    for (Node& document : used_)
      (is_unchanged(document) ? in_order : changed).push_back(std::move(document));
    std::ranges::move(changed, std::back_inserter(in_order));
    used_ = std::move(in_order);
    return true;
  }

  // Uses the last valid version of the file, or nothing of it. False when nothing of it was used.
  bool demote(const std::string& file) {
    const auto document =
        std::ranges::find_if(used_, [&](const Node& one) { return one.mark.file == file; });
    if (document == used_.end()) return false;
    Node removed = std::move(*document);
    used_.erase(document);
    FileUse& use = uses_[file];
    const bool was_current = std::exchange(use, FileUse::skipped) == FileUse::current;
    if (!was_current || !use_last_valid(file)) skipped_.push_back(std::move(removed));
    return true;
  }

 private:
  bool use_last_valid(const std::string& file) {
    const auto text = last_valid_.find(file);
    if (text == last_valid_.end()) return false;
    Problems problems;
    std::vector<Node> document;
    document.push_back(parse_yaml(text->second, file, problems));
    resolve_local_files(document);
    used_.push_back(std::move(document.front()));
    uses_[file] = FileUse::last_valid;
    return true;
  }

  const ValidTexts& last_valid_;
  std::map<std::string, std::size_t> hashes_;  // of the texts as they are, by path
  std::vector<Node> used_;
  std::vector<Node> skipped_;
  FileUses uses_;
};

}  // namespace

ConfigErrors policy_for(std::optional<ConfigErrors> flag, std::size_t file_count) {
  return flag.value_or(file_count > 1 ? ConfigErrors::skip : ConfigErrors::fail);
}

Assembly assemble(ParsedConfig parsed,
                  ConfigErrors policy,
                  const ValidTexts& last_valid,
                  const BuildWorld& build) {
  Assembly out;
  out.problems = std::move(parsed.problems);
  if (policy == ConfigErrors::fail) {
    // Also with problems of the YAML, so that all are reported.
    auto world = build(parsed.documents, {}, out.problems);
    if (!out.problems.empty()) return out;
    for (const Node& document : parsed.documents)
      out.uses.emplace(document.mark.file, FileUse::current);
    out.world = std::move(world);
    return out;
  }
  std::set<std::string> bad;
  for (const Problem& problem : out.problems.all()) bad.insert(problem.mark.file);
  Documents documents(std::move(parsed), last_valid);
  for (const std::string& file : bad) {
    if (documents.is_current(file)) documents.demote(file);
  }
  bool is_first = true;
  while (!documents.used().empty()) {
    Problems found;
    out.world = build(documents.used(), documents.skipped(), found);
    // Only now, because without problems the order of the files is that of the metrics.
    if (std::exchange(is_first, false) && !out.world && documents.put_unchanged_first()) continue;
    bad.clear();
    for (const Problem& problem : found.all()) {
      bad.insert(problem.mark.file);
      // The version before has problems of its own beside a changed file, which nobody can see.
      if (documents.is_current(problem.mark.file)) out.problems.add(problem.mark, problem.what);
    }
    if (out.world) {
      for (const Problem& problem : found.in_files())
        out.problems.add_in_file(problem.mark, problem.what);
      out.uses = documents.take_uses();
      return out;
    }
    bool is_any_demoted = false;
    for (const std::string& file : bad) is_any_demoted = documents.demote(file) || is_any_demoted;
    if (!is_any_demoted) return out;
  }
  return out;
}

ValidTexts valid_texts(std::vector<ConfigFile> files, const FileUses& uses, ValidTexts last_valid) {
  ValidTexts out;
  for (ConfigFile& file : files) {
    const auto use = uses.find(file.path);
    if (use != uses.end() && use->second == FileUse::current)
      out.insert_or_assign(file.path, std::move(file.text));
  }
  for (auto& [path, text] : last_valid) {
    const auto use = uses.find(path);
    if (use != uses.end() && use->second == FileUse::last_valid)
      out.insert_or_assign(path, std::move(text));
  }
  return out;
}

}  // namespace weir::server
