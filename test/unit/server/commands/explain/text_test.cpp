#include "server/commands/explain/text.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <utility>

namespace weir::server {
namespace {

using Catch::Contains;
using scalers::Error;
using scalers::Explanation;

std::string text_with(scalers::RefusedCredentials refused) {
  Explanation explanation{};
  explanation.backend.connections.refused_credentials = std::move(refused);
  return terminal_text(explanation, std::nullopt, false);
}

TEST_CASE("refused credentials have older ones beside them only where those are in use") {
  const Error refusal{scalers::Errc::refused, "HTTP 401", ""};

  const auto alone = text_with({refusal, ""});
  const auto beside = text_with({refusal, "", true});

  CHECK_THAT(alone, Contains("credentials  refused: HTTP 401\n"));
  CHECK_THAT(beside, Contains("refused: HTTP 401; older ones are in use\n"));
}

TEST_CASE("the proxy of a backend has a line where something names one") {
  Explanation explanation{};
  explanation.backend.proxy = "none (.svc in NO_PROXY)";

  CHECK_THAT(terminal_text(explanation, std::nullopt, false),
             Contains("\nproxy        none (.svc in NO_PROXY)\n"));
  CHECK_THAT(terminal_text({}, std::nullopt, false), !Contains("\nproxy "));
}

}  // namespace
}  // namespace weir::server
