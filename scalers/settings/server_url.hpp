// The url of a backend: a text in the configuration, or {file: PATH}, a file with the whole url as
// clusters keep it in a Secret. In a file alone it may have a user and a password.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/secret.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::scalers {

struct ServerUrl {
  std::string text;  // without user and password; empty when the file cannot be used
  std::string file;  // its path; empty: the configuration has the url
  // Parts of the file, read again at each use; not set when the url has no such part. An error once
  // the file has the url of another server, which must get this login, and this server not.
  SecretFile username;
  SecretFile password;
};

void read_value(const Node& node, ServerUrl& out, Problems& problems);

// Adds a problem of the url at `node`. One of a file is that of its backend alone.
void add_url_problem(const Node& node,
                     const ServerUrl& url,
                     std::string_view what,
                     Problems& problems);

// The same at the `tls` of `block` when the configuration has the url, because the scheme does not
// fit it.
void add_scheme_problem(const Node& block,
                        const ServerUrl& url,
                        std::string_view what,
                        Problems& problems);

// What the login of a url needs to be whole.
enum class UrlLogin { user_and_password, password };

// Sets the user and the password to those of the url's file. A problem when `block` has others, or
// when a part is missing.
void use_login(const Node& block,
               const ServerUrl& url,
               UrlLogin needs,
               SecretFile& username,
               SecretFile& password,
               Problems& problems);

// shape_of() the url in the file at `path`; 0 when the file cannot be used.
[[nodiscard]] std::size_t url_shape(const std::string& path);

}  // namespace weir::scalers
