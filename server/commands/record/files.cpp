// Writes the files of a record. Errors are exceptions, because a record without its file is
// useless.
#include "server/commands/record/files.hpp"

#include "server/commands/record/csv.hpp"
#include "server/commands/record/page.hpp"
#include "server/commands/record/wide.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace weir::server::record {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw std::runtime_error(
      fmt::format("{} cannot be written ({}): set another file with --csv, --html or --csv-wide",
                  path,
                  std::generic_category().message(errno)));
}

}  // namespace

RecordFiles::RecordFiles(std::string csv, std::string html, std::string wide)
    : csv_path_(std::move(csv)),
      html_path_(std::move(html)),
      wide_path_(std::move(wide)),
      csv_(open(csv_path_)) {
  add_lines(csv_head());
  // Tried at the start, because otherwise a record would end without its page.
  try_replacing(html_path_);
  if (!wide_path_.empty()) try_replacing(wide_path_);
}

void RecordFiles::add_lines(const std::string& lines) { write(*csv_, lines, csv_path_); }

void RecordFiles::write_page(const Timeline& timeline, Duration interval) {
  replace(html_path_, page_of(timeline));
  if (!wide_path_.empty()) replace(wide_path_, wide_csv_of(timeline, interval));
}

void RecordFiles::try_replacing(const std::string& path) {
  const std::string temporary = path + ".new";
  open(temporary).reset();
  std::remove(temporary.c_str());
}

void RecordFiles::replace(const std::string& path, const std::string& text) {
  // Renamed, so that a browser never loads a half-written page.
  const std::string temporary = path + ".new";
  write(*open(temporary), text, temporary);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail(path);
}

RecordFiles::File RecordFiles::open(const std::string& path) {
  File out(std::fopen(path.c_str(), "we"));
  if (!out) fail(path);
  return out;
}

void RecordFiles::write(std::FILE& file, const std::string& text, const std::string& path) {
  const bool is_whole = std::fwrite(text.data(), 1, text.size(), &file) == text.size();
  if (!is_whole || std::fflush(&file) != 0) fail(path);
}

}  // namespace weir::server::record
