// Apart from the urls themselves, because these read files.
#include "scalers/settings/server_url.hpp"

#include "scalers/settings/url.hpp"

#include <fmt/format.h>

#include <optional>

namespace weir::scalers {
namespace {

std::optional<LoginUrl> read_url(const std::string& path) {
  const auto content = SecretFile(path).read();
  return content ? split_login(content->reveal()) : std::nullopt;
}

}  // namespace

std::size_t url_shape(const std::string& path) {
  const auto url = read_url(path);
  return url ? shape_of(*url) : 0;
}

void read_value(const Node& node, ServerUrl& out, Problems& problems) {
  if (node.kind == Node::Kind::scalar && !node.text.empty()) {
    out.text = node.text;
    return;
  }
  const Node* file =
      node.kind == Node::Kind::map && node.fields.size() == 1 ? node.find("file") : nullptr;
  if (file == nullptr || file->kind != Node::Kind::scalar || file->text.empty()) {
    return problems.add(node.mark,
                        fmt::format("expected a url, or {{file: PATH}} for a file with the whole "
                                    "url; found {}",
                                    name_of(node.kind)));
  }
  out.file = file->text;
  LocalFile local{LocalFile::Kind::url, out.file, {}, {}};
  if (auto problem = SecretFile(out.file).problem(); !problem.empty()) {
    problems.add_in_file(file->mark, std::move(problem));
  } else if (const auto url = read_url(out.file)) {
    local.shape = shape_of(*url);
    out.text = url->url;
    if (!url->user.empty())
      out.username = SecretFile(out.file, SecretFile::Part::url_user, local.shape);
    if (!url->password.empty())
      out.password = SecretFile(out.file, SecretFile::Part::url_password, local.shape);
  } else {
    add_url_problem(node, out, kInvalidLogin, problems);
  }
  problems.add_file(std::move(local));
}

void add_url_problem(const Node& node,
                     const ServerUrl& url,
                     std::string_view what,
                     Problems& problems) {
  // No message repeats the url, because it may contain a password.
  if (url.file.empty()) return problems.add(node.mark, std::string(what));
  problems.add_in_file(node.find("file")->mark, fmt::format("the url in {}: {}", url.file, what));
}

void add_scheme_problem(const Node& block,
                        const ServerUrl& url,
                        std::string_view what,
                        Problems& problems) {
  add_url_problem(*block.find(url.file.empty() ? "tls" : "url"), url, what, problems);
}

void use_login(const Node& block,
               const ServerUrl& url,
               UrlLogin needs,
               SecretFile& username,
               SecretFile& password,
               Problems& problems) {
  if (url.file.empty()) return;
  for (const std::string_view key : {"username", "password"}) {
    if (const Node* setting = block.find(key)) {
      problems.add(setting->mark,
                   fmt::format("url: {{file: PATH}} has the user and the password in the url; "
                               "remove {}",
                               key));
    }
  }
  const bool is_user_alone = url.username.is_set() && !url.password.is_set();
  const bool is_password_alone = !url.username.is_set() && url.password.is_set();
  if (is_user_alone || (is_password_alone && needs == UrlLogin::user_and_password)) {
    add_url_problem(*block.find("url"),
                    url,
                    is_user_alone ? "it has a user without a password; write USER:PASSWORD@"
                                  : "it has a password without a user; write USER:PASSWORD@",
                    problems);
  }
  username = url.username;
  password = url.password;
}

}  // namespace weir::scalers
