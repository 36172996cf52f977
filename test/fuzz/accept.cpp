// parse_accept and negotiate: clauses are sorted, print and parse to themselves, and no form is
// chosen that was not offered.
#include "apiservice/negotiation/accept.hpp"

#include "apiservice/negotiation/media_type.hpp"
#include "test/fuzz/property.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace weir::fuzz {
namespace {

using apiservice::AcceptClause;
using apiservice::MediaType;

std::string printed(const AcceptClause& clause) {
  std::string out = clause.type + "/" + clause.subtype;
  for (const auto& [name, value] : clause.parameters) out += ";" + name + "=" + value;
  return out + fmt::format(";q={}", clause.quality);
}

bool is_same(const AcceptClause& left, const AcceptClause& right) {
  return left.type == right.type && left.subtype == right.subtype &&
         left.parameters == right.parameters && left.quality == right.quality;
}

void check_forms(std::string_view header) {
  apiservice::Request request;
  request.headers = {{"accept", std::string(header)}};
  for (unsigned bits = 0; bits < 8; ++bits) {
    const apiservice::SupportedMediaTypes offer{(bits & 1U) != 0,
                                                (bits & 2U) != 0,
                                                (bits & 4U) != 0};
    const auto form = apiservice::negotiate(request, offer);
    if (!form) continue;
    const bool is_table = form->conversion == MediaType::Conversion::table_v1 ||
                          form->conversion == MediaType::Conversion::table_v1beta1;
    require(offer.has_protobuf || form->media != MediaType::Media::protobuf,
            "protobuf is on offer");
    require(offer.has_table || !is_table, "a table is on offer");
    require(offer.has_group_discovery || form->conversion != MediaType::Conversion::group_discovery,
            "aggregated discovery is on offer");
    require(!form->is_pretty || form->media == MediaType::Media::json, "only JSON is indented");
  }
  static_cast<void>(apiservice::status_media_type(request));
}

}  // namespace

void run(std::string_view input) {
  const auto clauses = apiservice::parse_accept(input);
  require(clauses.size() <= 1 + static_cast<std::size_t>(std::ranges::count(input, ',')),
          "a clause is what stands between two commas");
  require(std::ranges::is_sorted(clauses, std::ranges::greater{}, &AcceptClause::quality),
          "the best clause comes first");

  std::string text;
  for (const AcceptClause& clause : clauses) text += (text.empty() ? "" : ",") + printed(clause);
  if (!clauses.empty()) {
    const auto again = apiservice::parse_accept(text);
    require(std::ranges::equal(clauses, again, is_same), "clauses print and parse to themselves");
  }
  check_forms(input);
}

}  // namespace weir::fuzz
