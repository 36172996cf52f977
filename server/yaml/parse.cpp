// Builds the nodes of one YAML document in one pass over yaml-cpp's events, within limits on their
// number and depth.
#include "server/yaml/parse.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace weir::server {
namespace {

using scalers::Mark;
using scalers::Node;
using scalers::Problems;

// Each anchor and each alias counts too, because its node is copied: nested aliases could multiply
// without a limit.
constexpr std::size_t kMaxNodes = 300'000;
// Bounds the recursion over the nodes as well, here and in every user of the nodes.
constexpr std::size_t kMaxDepth = 64;

// Builds the nodes from events, because yaml-cpp's own nodes need several times as much memory. One
// object for each document.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& file) : file_(file) {}

  // Null for no document or an empty one.
  [[nodiscard]] Node take_root() { return std::move(root_); }
  // What there is of a document whose end was not reached.
  [[nodiscard]] Node take_part() {
    while (!open_.empty() && !limit_exceeded_at_) end();
    return std::move(root_);
  }
  [[nodiscard]] const Problems& problems() const { return problems_; }
  // Where a limit was exceeded. The nodes built until then must not be used.
  [[nodiscard]] const std::optional<Mark>& limit_exceeded_at() const { return limit_exceeded_at_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override {
    Node node;
    node.mark = mark_of(at);
    if (is_admitted(node.mark)) add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    if (target == anchors_.end()) return refuse(mark_of(at));  // the alias is inside its own anchor
    if (is_key()) return add_key(target->second);
    if (is_admitted(target->second, open_.size())) add(target->second, 0);
  }

  void OnScalar(const YAML::Mark& at,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.text = value;
    node.is_quoted = tag == "!";  // yaml-cpp gives a quoted scalar the tag "!", a plain one "?"
    node.mark = mark_of(at);
    if (!is_admitted(node.mark)) return;
    check_tag(tag, node.mark);
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& at,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(Node::Kind::list, at, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& at,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(Node::Kind::map, at, tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  // A list or a map that is not complete yet.
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Node> key = {};  // of a map: its value comes next
  };

  void begin(Node::Kind kind, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor) {
    Node node;
    node.kind = kind;
    node.mark = mark_of(at);
    if (!is_admitted(node.mark)) return;
    check_tag(tag, node.mark);
    open_.push_back({std::move(node), anchor});
  }

  void end() {
    // yaml-cpp still sends the rest of the document; begin() no longer opens anything.
    if (limit_exceeded_at_) return;
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  // Only the text of a key is used, so nothing below an alias is copied for it.
  void add_key(const Node& named) {
    Node key;
    key.kind = named.kind;
    key.text = named.text;
    key.mark = named.mark;
    add(std::move(key), 0);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0 && is_admitted(node, open_.size())) anchors_.insert_or_assign(anchor, node);
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      parent.key = std::move(node);
    } else {
      Node key = *std::exchange(parent.key, std::nullopt);
      if (key.kind == Node::Kind::scalar) {
        parent.node.fields.push_back({std::move(key.text), std::move(key.mark), std::move(node)});
      } else {
        problems_.add(key.mark, "a key must be a string, not a list or a map");
      }
    }
  }

  // Whether the next node is a key of a map.
  [[nodiscard]] bool is_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().key;
  }

  // Counts the next node; false once a limit is exceeded.
  bool is_admitted(const Mark& mark) {
    return is_key() ? !limit_exceeded_at_ : count(mark, open_.size());
  }

  // The same for a copy of `node` and all below it.
  bool is_admitted(const Node& node, std::size_t depth) {
    if (!count(node.mark, depth)) return false;
    for (const Node& item : node.items) {
      if (!is_admitted(item, depth + 1)) return false;
    }
    for (const Node::Field& field : node.fields) {
      if (!is_admitted(field.value, depth + 1)) return false;
    }
    return true;
  }

  bool count(const Mark& mark, std::size_t depth) {
    if (depth > kMaxDepth || ++nodes_ > kMaxNodes) refuse(mark);
    return !limit_exceeded_at_;
  }

  void refuse(const Mark& mark) {
    if (!limit_exceeded_at_) limit_exceeded_at_ = mark;
  }

  // "?" and "!" come from yaml-cpp, see OnScalar(); any other tag is in the text.
  void check_tag(const std::string& tag, const Mark& mark) {
    if (is_key() || tag.empty() || tag == "?" || tag == "!") return;
    problems_.add(mark,
                  "tags such as !!str are not supported; write the value without a tag, in quotes "
                  "if it is a string");
  }

  [[nodiscard]] Mark mark_of(const YAML::Mark& mark) const {
    return mark.is_null() ? Mark{file_, 1, 1} : Mark{file_, mark.line + 1, mark.column + 1};
  }

  const std::string& file_;
  Node root_;
  std::vector<Open> open_;                  // from the root down
  std::map<YAML::anchor_t, Node> anchors_;  // complete nodes only
  std::size_t nodes_ = 0;
  std::optional<Mark> limit_exceeded_at_;
  Problems problems_;
};

// Ignores everything: for a document after the first.
class IgnoreEvents final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&,
                const std::string&,
                YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&,
                       const std::string&,
                       YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&,
                  const std::string&,
                  YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

}  // namespace

Node parse_yaml(std::string_view text,
                const std::string& file,
                Problems& problems,
                Node* readable) {
  Node empty;
  empty.mark = {file, 1, 1};
  Builder builder(file);
  try {
    // With the end marker yaml-cpp rejects a quote that is not closed.
    std::istringstream input(std::string(text) + (text.ends_with('\n') ? "...\n" : "\n...\n"));
    YAML::Parser parser(input);
    IgnoreEvents ignore_events;
    // Two documents at most, because yaml-cpp loops forever at a token that does not start a node,
    // such as a leading comma.
    if (parser.HandleNextDocument(builder) && parser.HandleNextDocument(ignore_events)) {
      problems.add(empty.mark,
                   "a file has one document; move the part after --- to a separate file");
    }
    // Before the limit is checked, so that the problems before it are reported too.
    problems.add_all(builder.problems());
    if (builder.limit_exceeded_at()) {
      problems.add(*builder.limit_exceeded_at(),
                   "the configuration is too large or nested too deeply");
      return empty;
    }
    Node out = builder.take_root();
    if (out.kind != Node::Kind::null) return out;
    problems.add(empty.mark, "the file is empty; write backends: and metrics:");
    return empty;
  } catch (const YAML::Exception& failure) {
    const Mark mark = failure.mark.is_null()
                          ? empty.mark
                          : Mark{file, failure.mark.line + 1, failure.mark.column + 1};
    problems.add(mark, fmt::format("not valid YAML: {}", failure.msg));
    if (readable != nullptr) *readable = builder.take_part();
    return empty;
  }
}

}  // namespace weir::server
