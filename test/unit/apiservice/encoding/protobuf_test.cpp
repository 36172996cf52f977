// The vectors are those of Kubernetes' generated marshaller.
#include "apiservice/encoding/protobuf.hpp"

#include "apiservice/meta/status.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {
namespace {

using scalers::Reading;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string list_hex(std::string_view metric, const std::vector<Reading>& readings) {
  std::string out;
  append_value_list_protobuf(out, metric, readings);
  return hex(out);
}

const WallTime kTime{std::chrono::seconds{1'795'219'200}};
const std::string kType =
    "6b3873000a3a0a1f65787465726e616c2e6d6574726963732e6b38732e696f2f7631626574613112"
    "1745787465726e616c4d657472696356616c75654c697374";

TEST_CASE("case 46: one value in protobuf, byte for byte") {
  CHECK(list_hex("queue-len", {{{{"a", "b"}}, 42, kTime}}) ==
        "6b3873000a3a0a1f65787465726e616c2e6d6574726963732e6b38732e696f2f763162657461311217457874"
        "65726e616c4d657472696356616c75654c697374122d0a060a0012001a0012230a0971756575652d6c656e12"
        "060a01611201621a080880be83d80610002a040a0234321a002200");
}

TEST_CASE("case 24: an empty list in protobuf, byte for byte") {
  CHECK(list_hex("m", {}) == kType + "12080a060a0012001a001a002200");
}

TEST_CASE("labels come sorted, a negative time as ten bytes, and bad UTF-8 replaced") {
  const std::vector<Reading> readings{{{{"b", ""}, {"a", "\xff"}}, 0, WallTime{}},
                                      {{}, 1.5, WallTime{std::chrono::seconds{-1}}}};

  CHECK(list_hex("m", readings) ==
        kType + "12460a060a0012001a00" +
            "121f0a016d12080a01611203efbfbd12050a016212001a04080010002a030a0130" +
            "121b0a016d1a0d08ffffffffffffffffff0110002a070a05313530306d" + "1a002200");
}

TEST_CASE("a length over 127 takes two bytes") {
  const std::string item = list_hex(std::string(200, 'x'), {{{}, 0, WallTime{}}});

  CHECK(item.substr(kType.size(), 38) == "12e1010a060a0012001a0012d6010ac8017878");
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
