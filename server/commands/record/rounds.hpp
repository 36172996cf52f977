// Puts the terminal lines of one round in the order in which metrics and HPAs were given, although
// reads end in any order. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace weir::server::record {

class Rounds {
 public:
  // The lines to print now that the line of track `track` (from 0) in `round` has come: those whose
  // predecessors have been printed. A line of a newer round ends the wait for the older one; a line
  // of an older round is printed at once.
  [[nodiscard]] std::vector<std::string> add(std::size_t round,
                                             std::size_t track,
                                             std::string line);
  // What still waits, in order: when the record ends, or when a read takes long.
  [[nodiscard]] std::vector<std::string> flush();

 private:
  std::size_t round_ = 0;
  std::size_t next_ = 0;  // the track whose line is printed next
  std::map<std::size_t, std::string> waiting_;
};

}  // namespace weir::server::record
