// Finds a text in a message that repeats it in another encoding. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers {

// What a message has of a text from one place on.
struct Echo {
  std::size_t end = 0;  // where the longest echo of the whole text ends; 0: there is none
  std::size_t cut = 0;  // how many bytes of the text were found when the message ended within it
};

// The echo of `text`, which is not empty, in `message` at `at`. Each character may be written as it
// is, percent-encoded, with a backslash (also \n, \x41 and \u0041) or as an entity of HTML. A blank
// of `text` is found as one or more blanks, line ends and the + of a form.
[[nodiscard]] Echo echo_at(std::string_view message, std::size_t at, std::string_view text);

// A message, or one in which escapes are resolved.
struct Decoding {
  std::string text;
  std::vector<std::size_t> places;  // in the message, of each byte of the text, and of its end
};

// The message as it is, and what is left of it once its escapes are resolved: those of one
// encoding, those of all, and those of all twice. An echo in one of them was encoded more than
// once, such as JSON in a text of JSON.
[[nodiscard]] std::vector<Decoding> decodings_of(std::string_view message);

}  // namespace weir::scalers
