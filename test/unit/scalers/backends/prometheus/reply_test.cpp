#include "scalers/backends/prometheus/prometheus.hpp"
#include "test/rigs/shown.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace weir::scalers::backends::prometheus {
namespace {

using test::shown;
using namespace std::string_literals;

// A successful response with that resultType.
std::string success(std::string_view type, std::string_view result) {
  return fmt::format(R"({{"status":"success","data":{{"resultType":"{}","result":{}}}}})",
                     type,
                     result);
}
std::string scalar(std::string_view result) { return success("scalar", result); }
std::string vector(std::string_view result) { return success("vector", result); }
std::string one(std::string_view value) {
  return vector(fmt::format(R"([{{"metric":{{}},"value":[1,{}]}}])", value));
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

Result<Sample> parse(const std::string& body, Aggregate aggregate = Aggregate::none) {
  return parse_reply(200, body, aggregate, Warnings::error, {});
}

struct Good {
  std::string_view name;
  std::string body;
  double value;
};

struct Bad {
  std::string_view name;
  std::string body;
  std::string message;
};

void check(const Bad& row) {
  DYNAMIC_SECTION(row.name) {
    const auto sample = parse(row.body);

    CHECK(shown(sample) == row.message);
  }
}

TEST_CASE("a single value is read as Prometheus writes it") {
  const double infinity = std::numeric_limits<double>::infinity();
  const Good rows[] = {
      {"scalar", scalar(R"([1435781451.781,"1.5"])"), 1.5},
      {"vector", one(R"("1.5")"), 1.5},
      {"zero", one(R"("0")"), 0},
      {"negative", one(R"("-3")"), -3},
      {"an exponent", one(R"("1.5e+06")"), 1.5e6},
      {"the largest double", one(R"("1.7976931348623157e+308")"), 1.7976931348623157e308},
      {"the smallest double", one(R"("5e-324")"), 5e-324},
      {"infinity, for the policies", one(R"("+Inf")"), infinity},
      {"minus infinity, for the policies", one(R"("-Inf")"), -infinity},
      {"infos are no warnings",
       R"({"status":"success","infos":["x"],"data":{"resultType":"scalar","result":[1,"2"]}})",
       2},
      {"no warnings in the list",
       R"({"status":"success","warnings":[],"data":{"resultType":"scalar","result":[1,"2"]}})",
       2},
      {"unknown members",
       R"({"x":{"y":[1]},"status":"success","data":{"stats":{},"resultType":"scalar","result":[1,"2"]}})",
       2},
  };

  for (const Good& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const auto sample = parse(row.body);

      REQUIRE(shown(sample) == "a value");
      CHECK(sample->value == row.value);
    }
  }
}

TEST_CASE("NaN is handed to the policies") {
  const auto sample = parse(one(R"("NaN")"));

  REQUIRE(sample.has_value());
  CHECK(std::isnan(sample->value));
}

TEST_CASE("a reading's time is the evaluation time") {
  const auto sample = parse(scalar(R"([1435781451.5,"1"])"));

  REQUIRE(sample.has_value());
  CHECK(sample->taken_at == WallTime{} + std::chrono::milliseconds{1'435'781'451'500});
}

// Only no series is no_value: the policy `empty` must not make a number of a gap.
TEST_CASE("absent is an error, never zero") {
  const std::string no_series =
      "no_value: the query matches no series; is the target scraped and are the label values "
      "right? set empty: 0 if no series means zero";
  const Bad rows[] = {
      {"no series", vector("[]"), no_series},
      {"null result of a vector", vector("null"), "partial: the result is null"},
      {"null result of a scalar", scalar("null"), "partial: the value is null"},
      {"a result that is absent",
       R"({"status":"success","data":{"resultType":"vector"}})",
       "partial: the result is null"},
      {"null sample", vector(R"([{"metric":{},"value":null}])"), "partial: the value is null"},
      {"no sample", vector(R"([{"metric":{}}])"), "partial: the value is null"},
      {"null value", one("null"), "partial: the value is null"},
      {"a series that is null", vector("[null]"), "partial: the value is null"},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("a value that is not a number is an error") {
  const std::string no_number = "bad_reply: the value is not a number";
  const std::string no_string = "bad_reply: the value is not a JSON string";
  const std::string no_pair = "bad_reply: the sample is not a pair of time and value";
  const std::string too_big = "out_of_range: the value is outside the range of a 64-bit float";
  const std::string no_time = "bad_reply: the sample's time is out of range";
  const Bad rows[] = {
      {"1e400", one(R"("1e400")"), too_big},
      {"-1e400", one(R"("-1e400")"), too_big},
      {"1e400 as a number", one("1e400"), "bad_reply: the response is not JSON, or is truncated"},
      {"a number instead of a string", one("5"), no_string},
      {"a bool", one("true"), no_string},
      {"a list", one("[]"), no_string},
      {"a map", one("{}"), no_string},
      {"empty", one(R"("")"), no_number},
      {"blanks around", one(R"(" 5 ")"), no_number},
      {"text after", one(R"("5x")"), no_number},
      {"hexadecimal", one(R"("0x10")"), no_number},
      {"a comma", one(R"("1,5")"), no_number},
      {"a NUL byte", one("\"5\\u0000\""), no_number},
      {"one element", scalar("[1]"), no_pair},
      {"three elements", scalar(R"([1,"2","3"])"), no_pair},
      {"a text as sample", scalar(R"("12")"), no_pair},
      {"a map as sample", scalar(R"({"0":1,"1":"2"})"), no_pair},
      {"the time as text", scalar(R"(["1","2"])"), no_pair},
      {"a time after what 64 bits hold", scalar(R"([9223372037,"2"])"), no_time},
      {"a negative time", scalar(R"([-1,"2"])"), no_time},
      {"a time in milliseconds", scalar(R"([1435781451781,"2"])"), no_time},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("a response of another form is an error") {
  const std::string no_result = "bad_reply: the response has no result of the Prometheus query API";
  const std::string no_json = "bad_reply: the response is not JSON, or is truncated";
  const Bad rows[] = {
      {"native histogram",
       vector(R"([{"metric":{},"histogram":[1,{"count":"5","sum":"2"}]}])"),
       "bad_reply: the series is a native histogram; apply histogram_quantile, histogram_count or "
       "histogram_sum to it"},
      {"matrix",
       success("matrix", R"([{"metric":{},"values":[[1,"2"]]}])"),
       "bad_reply: the query returns a range vector; write an instant query, such as rate(x[5m])"},
      {"string",
       success("string", R"([1,"x"])"),
       "bad_reply: the query returns a string; query a number"},
      {"an unknown type", success("streams", "[]"), no_result},
      {"a vector that is a map", vector("{}"), "bad_reply: the vector is not a list"},
      {"no data", R"({"status":"success"})", no_result},
      {"null data", R"({"status":"success","data":null})", no_result},
      {"data that is a list", R"({"status":"success","data":[]})", no_result},
      {"no status", R"({"data":{"resultType":"scalar","result":[1,"2"]}})", no_result},
      {"a status that is a number", R"({"status":200})", no_result},
      {"an unknown status", R"({"status":"ok"})", no_result},
      {"a list", "[]", no_result},
      {"a number", "5", no_result},
      {"null", "null", no_result},
      {"empty", "", no_json},
      {"an HTML page",
       "<html><body>Welcome</body></html>",
       "bad_reply: the response is a page for browsers; is there a login page or another server at "
       "this url? <Welcome>"},
      {"truncated", one(R"("5")").substr(0, 60), no_json},
      {"text after the end", one(R"("5")") + "x", no_json},
      {"invalid UTF-8", scalar("[1,\"\xff\xfe\"]"), no_json},
      {"100,000 open lists", repeated("[", 100'000), no_json},
      {"100,000 nested lists",
       scalar(repeated("[", 100'000) + repeated("]", 100'000)),
       "bad_reply: the sample is not a pair of time and value"},
      {"100,000 nested maps",
       repeated(R"({"a":)", 100'000) + "1" + repeated("}", 100'000),
       no_result},
  };

  for (const Bad& row : rows) check(row);
}

TEST_CASE("the last of duplicate keys is used") {
  const auto error_last = parse(
      R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]},"status":"error","error":"x"})");
  const auto value_last = parse(
      R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"],"result":[1,"3"]}})");

  CHECK(shown(error_last) == "bad_reply: the query failed (no errorType) <x>");
  CHECK(value_last->value == 3);
}

TEST_CASE("several series are an error with the labels that differ") {
  const std::string tail = "; aggregate them in the query, or set aggregate: sum, max, min or avg";
  const std::string two = "too_many: 2 series where one is expected; they differ in ";
  const auto series = [](std::string_view one_of, std::string_view other) {
    return vector(
        fmt::format(R"([{{"metric":{},"value":[1,"1"]}},{{"metric":{},"value":[1,"2"]}}])",
                    one_of,
                    other));
  };
  const Bad rows[] = {
      {"one label",
       series(R"({"job":"x","pod":"a"})", R"({"job":"x","pod":"b"})"),
       two + R"(pod ("a", "b"))" + tail},
      {"a label that one series lacks",
       series(R"({"pod":"a"})", R"({"pod":"a","zone":"z"})"),
       two + R"(zone ("", "z"))" + tail},
      {"more labels than are named",
       series(R"({"a":"1","b":"1","c":"1","d":"1"})", R"({"a":"2","b":"2","c":"2","d":"2"})"),
       two + R"(a ("1", "2"), b ("1", "2"), c ("1", "2"), ...)" + tail},
      {"an address as value",
       series(R"({"instance":"10.0.0.1:9090"})", R"({"instance":"db.ml.svc:5432"})"),
       two + R"(instance ("[hidden]", "[hidden]"))" + tail},
      {"a control byte in a value",
       series(R"({"pod":"a\nb"})", R"({"pod":"c"})"),
       two + R"(pod ("a b", "c"))" + tail},
      {"10,000 series",
       [] {
         std::string all;
         for (int i = 0; i < 10'000; ++i)
           all += fmt::format(R"({}{{"metric":{{"pod":"p{}"}},"value":[1,"1"]}})", i ? "," : "", i);
         return vector("[" + all + "]");
       }(),
       "too_many: 10000 series where one is expected; they differ in pod (\"p0\", \"p1\", \"p10\", "
       "...)" +
           tail},
  };

  for (const Bad& row : rows) check(row);
}

struct Joined {
  std::string_view name;
  Aggregate aggregate;
  std::vector<std::string> values;
  double value;  // NaN: any NaN
};

TEST_CASE("an aggregate joins the series, and one infinity makes it infinite") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const Joined rows[] = {
      {"sum", Aggregate::sum, {"1", "2", "6"}, 9},
      {"max", Aggregate::max, {"1", "6", "2"}, 6},
      {"min", Aggregate::min, {"2", "1", "6"}, 1},
      {"avg", Aggregate::avg, {"1", "2", "6"}, 3},
      {"max of negatives", Aggregate::max, {"-5", "-2"}, -2},
      {"min of negatives", Aggregate::min, {"-2", "-5"}, -5},
      {"sum of one", Aggregate::sum, {"4"}, 4},
      {"all NaN", Aggregate::sum, {"NaN", "NaN"}, nan},
      {"sum with infinity", Aggregate::sum, {"1", "+Inf"}, infinity},
      {"max with minus infinity", Aggregate::max, {"1", "-Inf"}, -infinity},
      {"min with infinity", Aggregate::min, {"+Inf", "3"}, infinity},
      {"sum of both infinities", Aggregate::sum, {"+Inf", "-Inf"}, infinity},
      {"infinity and NaN", Aggregate::avg, {"NaN", "+Inf"}, infinity},
  };

  for (const Joined& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::string series;
      for (const auto& value : row.values)
        series += fmt::format(R"({}{{"metric":{{"pod":"p{}"}},"value":[1,"{}"]}})",
                              series.empty() ? "" : ",",
                              series.size(),
                              value);

      const auto sample = parse(vector("[" + series + "]"), row.aggregate);

      REQUIRE(shown(sample) == "a value");
      CHECK((std::isnan(row.value) ? std::isnan(sample->value) : sample->value == row.value));
    }
  }
}

TEST_CASE("a NaN among numbers is an error, whatever the nan policy is") {
  struct Row {
    std::string_view name;
    Aggregate aggregate;
    std::string_view series;
    std::string_view count;
  };
  const Row rows[] = {
      {"sum, last", Aggregate::sum, R"(["1","NaN"])", "1 of 2"},
      {"max, first", Aggregate::max, R"(["NaN","1"])", "1 of 2"},
      {"min, between", Aggregate::min, R"(["1","NaN","2"])", "1 of 3"},
      {"avg, most of them", Aggregate::avg, R"(["NaN","1","NaN"])", "2 of 3"},
  };

  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      std::string series;
      for (const auto& value : nlohmann::json::parse(row.series)) {
        series += fmt::format(R"({}{{"metric":{{"pod":"p{}"}},"value":[1,{}]}})",
                              series.empty() ? "" : ",",
                              series.size(),
                              value.dump());
      }

      const auto sample = parse(vector("[" + series + "]"), row.aggregate);

      CHECK(shown(sample) ==
            fmt::format("partial: {} series are NaN; filter NaN out in the query, as in "
                        "(QUERY) >= 0",
                        row.count));
    }
  }
}

TEST_CASE("series that no server has together are an error") {
  const auto two = [](std::string_view labels, std::string_view value) {
    return parse(vector(fmt::format(
                     R"([{{"metric":{},"value":[1,"{}"]}},{{"metric":{{}},"value":[1,"0"]}}])",
                     labels,
                     value)),
                 Aggregate::avg);
  };

  CHECK(shown(two(R"({"pod":"a"})", "2")) == "a value");
  CHECK(shown(two("{}", "2")) == "bad_reply: two series have the same labels");
  CHECK(shown(two(R"({"pod":"a"})", "1e16")) ==
        "out_of_range: one of 2 series is 1e+16, beyond 9.2e15, the most an HPA can read; use a "
        "larger unit");
}

TEST_CASE("what follows the response, or contradicts it, is an error") {
  const std::string good = one(R"("40")");
  const std::string both =
      R"({"status":"success","error":"it failed","data":{"resultType":"vector","result":[]}})";

  CHECK(shown(parse(good)) == "a value");
  CHECK(shown(parse(good + std::string("\0 garbage", 9))) ==
        "bad_reply: the response is not JSON, or is truncated");
  CHECK(shown(parse(both)) == "bad_reply: the response has a result and an error");
  const std::string object = R"({"status":"success","error":{"message":"it failed"},"data":{}})";
  CHECK(shown(parse(object)) == "bad_reply: the response has a result and an error");
  const std::string none =
      R"({"status":"success","error":"","data":{"resultType":"scalar","result":[1,"2"]}})";
  CHECK(shown(parse(none)) == "a value");
}

// Field report 2: a sum must not hide a part that no policy would accept.
TEST_CASE("negative series of an aggregate are told to the policies") {
  const auto sample =
      parse(vector(R"([{"metric":{"pod":"a"},"value":[1,"-4"]},)"
                   R"({"metric":{"pod":"b"},"value":[1,"9"]},{"metric":{},"value":[1,"-1"]}])"),
            Aggregate::sum);

  REQUIRE(sample.has_value());
  REQUIRE(sample->negative_parts != nullptr);
  CHECK(sample->value == 4);
  CHECK(sample->negative_parts->least == -4);
  CHECK(sample->negative_parts->with_zeros == 9);
  CHECK(sample->negative_parts->negative == 2);
  CHECK(sample->negative_parts->all == 3);
  CHECK(parse(one(R"("-4")"), Aggregate::sum)->negative_parts == nullptr);
}

TEST_CASE("an aggregate of nothing, or with a bad series, is an error") {
  const auto nothing = parse(vector("[]"), Aggregate::sum);
  const auto missing =
      parse(vector(R"([{"metric":{},"value":[1,"1"]},{"metric":{"pod":"b"},"value":null}])"),
            Aggregate::sum);
  const auto histogram =
      parse(vector(R"([{"metric":{},"value":[1,"1"]},{"metric":{"pod":"b"},"histogram":[1,{}]}])"),
            Aggregate::max);

  CHECK(nothing.error().code == Errc::no_value);
  CHECK(shown(missing) == "partial: the value is null");
  CHECK(histogram.error().code == Errc::bad_reply);
}

}  // namespace
}  // namespace weir::scalers::backends::prometheus
