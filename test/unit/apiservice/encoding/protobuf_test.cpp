// The vectors are those of Kubernetes' generated marshaller.
#include "apiservice/encoding/protobuf.hpp"

#include "apiservice/meta/status.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

TEST_CASE("a Status in protobuf, byte for byte") {
  struct Row {
    std::string_view name;
    Status status;
    std::string_view bytes;  // hexadecimal
  };
  const Row rows[] = {
      {"no details",
       {401, "Unauthorized", "no", std::nullopt},
       "6b3873000a0c0a027631120653746174757312260a060a0012001a0012074661696c75"
       "72651a026e6f220c556e617574686f72697a65643091031a002200"},
      {"empty details",
       {404, "NotFound", "m", StatusDetails{}},
       "6b3873000a0c0a0276311206537461747573122d0a060a0012001a0012074661696c75"
       "72651a016d22084e6f74466f756e642a0a0a0012001a00280032003094031a002200"},
      {"no reason, group and kind",
       {403, "", "m", StatusDetails{"g", "k"}},
       "6b3873000a0c0a027631120653746174757312270a060a0012001a0012074661696c75"
       "72651a016d22002a0c0a001201671a016b280032003093031a002200"},
      {"a cause",
       {422, "Invalid", "m", StatusDetails{"g", "k", {{"r", "w", "f"}}}},
       "6b3873000a0c0a027631120653746174757312390a060a0012001a0012074661696c75"
       "72651a016d2207496e76616c69642a170a001201671a016b22090a01721201771a01662800320030a6031a00220"
       "0"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(hex(protobuf_of_status(render(row.status).body)) == row.bytes);
    }
  }
}

}  // namespace
}  // namespace weir::apiservice
