// What can be the key or the value of a label. Apart from the selector's parser, whose rules are
// inlined where every read passes them: another caller there would make each read slower.
#include "apiservice/meta/label_selector.hpp"

#include <string>

namespace weir::apiservice {

// By the parser, which then has each rule inlined where every read passes it. What comes back has
// to be the same text: "a,b" is a selector, too, but of another key.
bool is_label_key(std::string_view key) {
  const auto requirements = parse_selector(key);
  return requirements && requirements->size() == 1 && requirements->front().key == key;
}

bool is_label_value(std::string_view value) {
  const auto requirements = parse_selector("key=" + std::string(value));
  return requirements && requirements->size() == 1 && requirements->front().values.size() == 1 &&
         requirements->front().values.front() == value;
}

}  // namespace weir::apiservice
