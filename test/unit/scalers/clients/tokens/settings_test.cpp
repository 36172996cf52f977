// The setting `auth`: its problems, and what the variables of a pod add.
#include "scalers/clients/tokens/settings.hpp"

#include "test/rigs/folder.hpp"
#include "test/rigs/nodes.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::scalers::clients {
namespace {

using Lines = std::vector<std::string>;

struct Read {
  AuthSettings settings;
  Lines problems;
  Lines problems_in_files;
};

Read read(std::string_view text,
          const IdentityVariables& variables = {},
          std::string_view server = "https://prometheus:9090") {
  const Node node = test::node(text);
  Read out;
  Problems problems;
  read_value(node, out.settings, problems);
  complete_auth(node, variables, std::get<Url>(parse_http_url(server)), out.settings, problems);
  out.problems = problems.lines();
  out.problems_in_files = problems.lines_in_files();
  return out;
}

struct Row {
  std::string name;
  std::string text;
  Lines problems;
};

}  // namespace

TEST_CASE("each problem of auth has its text") {
  const std::string kinds = "aws, azure, google and oauth2";
  const Row rows[] = {
      {"two kinds",
       "{aws: {region: eu-west-1}, google: {}}",
       {"t.yaml:1:28: auth has aws and google; keep one of them"}},
      {"no kind", "{}", {"t.yaml:1:1: auth needs one of " + kinds}},
      {"an unknown kind",
       "{gcp: {}}",
       {"t.yaml:1:2: unknown key \"gcp\" in auth; write one of " + kinds}},
      {"a text",
       "aws",
       {"t.yaml:1:1: expected a map with one of " + kinds +
        ", such as auth: {aws: {region: eu-west-1}}; found \"aws\""}},
      {"no region",
       "{aws: {}}",
       {"t.yaml:1:7: aws needs the region of the workspace; write region: eu-west-1, as in its "
        "url"}},
      {"a region that is a host",
       "{aws: {region: eu-west-1.evil}}",
       {"t.yaml:1:16: \"eu-west-1.evil\" is not a valid region; write it as in eu-west-1"}},
      {"half of the keys",
       "{aws: {region: eu-west-1, accessKeyId: {file: /proc/version}}}",
       {"t.yaml:1:7: accessKeyId and secretAccessKey go together; write both or neither"}},
      {"a session without keys",
       "{aws: {region: eu-west-1, sessionToken: {file: /proc/version}}}",
       {"t.yaml:1:7: sessionToken belongs to accessKeyId and secretAccessKey; write them"}},
      {"keys and a role",
       "{aws: {region: eu-west-1, accessKeyId: {file: /proc/version}, secretAccessKey: {file: "
       "/proc/version}, roleArn: r}}",
       {"t.yaml:1:7: aws has keys and a role (roleArn, webIdentityToken); keep one"}},
      {"a key that is not in a file",
       "{aws: {region: eu-west-1, accessKeyId: AKIA, secretAccessKey: s}}",
       {"t.yaml:1:40: expected {file: PATH}: secrets come from files only",
        "t.yaml:1:63: expected {file: PATH}: secrets come from files only"}},
      {"no token url",
       "{oauth2: {clientId: a, clientSecret: {file: /proc/version}}}",
       {"t.yaml:1:10: a block oauth2 of auth needs tokenUrl: url of the token endpoint"}},
      {"a token url with a query",
       "{oauth2: {tokenUrl: 'https://a/?p=1', clientId: a, clientSecret: {file: /proc/version}}}",
       {"t.yaml:1:21: the url of a login must not have a query; remove it"}},
      {"no secret",
       "{oauth2: {tokenUrl: 'https://a', clientId: a}}",
       {"t.yaml:1:10: oauth2 needs clientSecret: {file: PATH}, or assertion: {file: PATH}"}},
      {"a secret and an assertion",
       "{oauth2: {tokenUrl: 'https://a', clientId: a, clientSecret: {file: /proc/version}, "
       "assertion: {file: /proc/version}}}",
       {"t.yaml:1:10: clientSecret and assertion are mutually exclusive; keep one"}},
      {"a secret without a client",
       "{oauth2: {tokenUrl: 'https://a', clientSecret: {file: /proc/version}}}",
       {"t.yaml:1:10: clientSecret needs clientId; write both"}},
      {"an unknown place",
       "{oauth2: {tokenUrl: 'https://a', clientId: a, clientSecret: {file: /proc/version}, "
       "secretIn: url}}",
       {"t.yaml:1:94: expected one of header, body; found \"url\""}},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(read(row.text).problems == row.problems);
  }
}

TEST_CASE("a signature for another region than that of the url is a problem") {
  const auto problems = [](std::string_view server) {
    return read("{aws: {region: eu-west-1}}",
                {.aws_container_credentials_full_uri = "http://[::1]/"},
                server)
        .problems;
  };

  CHECK(problems("https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-1") ==
        Lines{"t.yaml:1:1: the url is in region us-east-1 and the signature for eu-west-1; write "
              "region: us-east-1"});
  CHECK(problems("https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1").empty());
  CHECK(problems("https://proxy.internal/workspaces/ws-1").empty());
}

TEST_CASE("a missing identity is a problem of the backend alone, and the text of its reads") {
  const auto none = read("{aws: {region: eu-west-1}}");

  CHECK(none.problems.empty());
  CHECK(none.problems_in_files == Lines{"t.yaml:1:1: " + none.settings.missing});
  CHECK(none.settings.missing.starts_with("aws has no credentials: "));
  CHECK(read("{aws: {region: eu-west-1, roleArn: r}}")
            .settings.missing.starts_with("roleArn needs a token for STS: "));
  CHECK(read("{azure: {}}", {.azure_client_id = "c"}).settings.missing ==
        "azure has no workload identity, because there is no tenantId (AZURE_TENANT_ID), assertion "
        "(AZURE_FEDERATED_TOKEN_FILE); label the pod azure.workload.identity/use: \"true\", or "
        "write the settings");
  CHECK(read("{google: {}}").settings.missing.empty());
  CHECK(read("{google: {}}", {.gce_metadata_host = "a b"})
            .settings.missing.starts_with("the variable GCE_METADATA_HOST is not a valid url: "));
}

TEST_CASE("settings for STS need a role, also where the pod has another identity") {
  const test::Folder folder;
  const std::string token = "webIdentityToken: {file: " + folder.write("jwt", "e30.e30.x") + "}";
  const IdentityVariables agent{.aws_container_credentials_full_uri = "http://[::1]/"};
  const std::string needs = " needs a role: write roleArn, or let the pod have AWS_ROLE_ARN";
  const auto problems = [](const std::string& settings, const IdentityVariables& variables) {
    const auto found = read("{aws: {region: eu-west-1, " + settings + "}}", variables);
    CHECK(found.problems.empty());
    return found.problems_in_files;
  };

  CHECK(problems(token, {}) == Lines{"t.yaml:1:1: webIdentityToken" + needs});
  CHECK(problems(token, agent) == Lines{"t.yaml:1:1: webIdentityToken" + needs});
  CHECK(problems("stsUrl: 'https://a'", agent) == Lines{"t.yaml:1:1: stsUrl" + needs});
  CHECK(problems(token, {.aws_role_arn = "r"}).empty());
  CHECK(problems(token + ", roleArn: r", agent).empty());
}

TEST_CASE("only the addresses of agents get the token of Pod Identity") {
  const auto missing = [](std::string_view url) {
    return read("{aws: {region: eu-west-1}}",
                {.aws_container_credentials_full_uri = std::string(url)})
        .settings.missing;
  };

  CHECK(missing("http://169.254.170.23/v1/credentials").empty());
  CHECK(missing("http://[fd00:ec2::23]/v1/credentials").empty());
  CHECK(missing("http://169.254.170.2/v2/credentials").empty());
  CHECK(missing("http://localhost:1338/").empty());
  CHECK(missing("http://127.9.9.9/").empty());
  CHECK(missing("https://anywhere/").empty());
  CHECK_FALSE(missing("http://169.254.169.254/").empty());
  CHECK_FALSE(missing("http://127.0.0.1.evil/").empty());
  CHECK_FALSE(missing("http://127.evil/").empty());
  CHECK_FALSE(missing("http://agent/").empty());
  CHECK_FALSE(missing("ftp://localhost/").empty());
}

TEST_CASE("settings come before the variables of the pod") {
  const test::Folder folder;
  const std::string file = folder.write("jwt", "e30.e30.x");
  const std::string block =
      "{azure: {clientId: mine, assertion: {file: " + file + "}, authority: 'https://a/'}}";

  const auto found =
      read(block,
           {.azure_client_id = "c", .azure_tenant_id = "t", .azure_authority_host = "https://b/"});

  const auto& azure = std::get<AzureAuth>(found.settings.kind);
  CHECK(found.problems_in_files.empty());
  CHECK(azure.client_id == "mine");
  CHECK(azure.tenant_id == "t");
  CHECK(azure.authority.text() == "https://a:443");
  CHECK(azure.scope == "https://prometheus.monitor.azure.com/.default");
}

TEST_CASE("a file that a variable names is checked as one of a setting") {
  const auto found = read("{aws: {region: eu-west-1}}",
                          {.aws_role_arn = "r", .aws_web_identity_token_file = "/no/token"});

  CHECK(found.problems_in_files == Lines{"t.yaml:1:1: the credential file /no/token cannot be "
                                         "read: No such file or directory"});
  CHECK(found.settings.missing.empty());  // it may appear
}

TEST_CASE("equal settings have equal keys, and other settings others") {
  const auto key = [](std::string_view text, const IdentityVariables& variables = {}) {
    return key_of(read(text, variables).settings);
  };
  const std::string google = key("{google: {}}");

  CHECK(key("{google: {}}") == google);
  CHECK(key("{google: {scope: s}}") != google);
  CHECK(key("{google: {}}", {.gce_metadata_host = "m"}) != google);
  CHECK(key("{azure: {}}") != google);
}

TEST_CASE("a login that is sent without TLS to another machine is a remark") {
  const auto remarks = [](const std::string& text, const IdentityVariables& variables = {}) {
    return remarks_on(read(text, variables).settings);
  };
  const auto oauth2 = [&](const std::string& url) {
    return remarks("{oauth2: {tokenUrl: '" + url + "', clientId: a, clientSecret: {file: /s}}}");
  };
  const IdentityVariables azure{.azure_client_id = "c",
                                .azure_tenant_id = "t",
                                .azure_federated_token_file = "/t"};

  CHECK(oauth2("http://idp/token") ==
        Lines{"auth.oauth2.tokenUrl is http://, so the client's secret and the token are sent "
              "without TLS; write https://"});
  CHECK(oauth2("https://idp/token").empty());
  CHECK(oauth2("http://127.0.0.1:8080/token").empty());
  CHECK(oauth2("http://localhost/token").empty());
  CHECK(oauth2("http://[::1]/token").empty());
  CHECK(oauth2("http://127.0.0.1.example.com/token").size() == 1);
  CHECK(remarks("{azure: {authority: 'http://entra'}}", azure) ==
        Lines{"auth.azure.authority is http://, so the assertion and the token are sent without "
              "TLS; write https://"});
  CHECK(remarks("{azure: {}}", azure).empty());
  CHECK(remarks("{aws: {region: eu-west-1, stsUrl: 'http://sts', roleArn: r, webIdentityToken: "
                "{file: /t}}}") ==
        Lines{"auth.aws.stsUrl is http://, so the web identity token and the keys are sent without "
              "TLS; write https://"});
  CHECK(remarks("{google: {}}").empty());
}

}  // namespace weir::scalers::clients
