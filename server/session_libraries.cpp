// The function bodies of Asio's TLS part and of Beast, compiled once here instead of in every
// source that uses them.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
