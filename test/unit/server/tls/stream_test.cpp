#include "server/tls/stream.hpp"

#include "server/tls/context.hpp"
#include "test/rigs/folder.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <catch2/catch.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>

namespace weir::server {
namespace {

using boost::asio::ip::tcp;
using Step = TlsStream::Step;

// A client of OpenSSL and a stream, on the two ends of a TCP connection. Neither waits.
class Ends {
 public:
  Ends() {
    boost::asio::basic_socket_acceptor<tcp, Executor> acceptor(
        loop_.get_executor(),
        tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    client_socket_.connect(acceptor.local_endpoint());
    acceptor.accept(socket_);
    socket_.native_non_blocking(true);
    client_socket_.native_non_blocking(true);
    // A request would wait for the acknowledgement of the handshake.
    client_socket_.set_option(tcp::no_delay(true));
    SSL_set_fd(client_.get(), client_socket_.native_handle());
    SSL_set_connect_state(client_.get());
    stream_.emplace(socket_, context_.native_handle());
  }

  void shake_hands() {
    Step step = Step::wants_read;
    for (int round = 0; round < 100 && (step != Step::done || !SSL_is_init_finished(client_.get()));
         ++round) {
      (void)SSL_do_handshake(client_.get());
      step = stream_->handshake();
    }
    REQUIRE(step == Step::done);
  }
  void send(const std::string& text) {
    REQUIRE(SSL_write(client_.get(), text.data(), static_cast<int>(text.size())) > 0);
  }
  // What the client has received until now.
  std::string received() {
    std::string out;
    std::array<char, 4096> room{};
    while (true) {
      const int size = SSL_read(client_.get(), room.data(), static_cast<int>(room.size()));
      if (size <= 0) return out;
      out.append(room.data(), static_cast<std::size_t>(size));
    }
  }
  // A step of the stream, with what it has read; again while nothing has come.
  Step read(std::string& out) {
    std::array<char, 4096> room{};
    std::size_t size = 0;
    Step step = Step::wants_read;
    for (int round = 0; round < 1'000'000 && step == Step::wants_read; ++round)
      step = stream_->read(room.data(), room.size(), size);
    out.assign(room.data(), size);
    return step;
  }
  [[nodiscard]] bool has_close_notify() {
    (void)received();
    return (SSL_get_shutdown(client_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  void close_client() { client_socket_.close(); }
  void close_server() { socket_.close(); }
  TlsStream& stream() { return *stream_; }

 private:
  Loop loop_;
  test::Folder folder_;
  boost::asio::ssl::context context_ =
      make_server_context(self_signed_pair(folder_.path("pair"), "127.0.0.1"), {});
  Socket client_socket_{loop_.get_executor()};
  Socket socket_{loop_.get_executor()};
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client_context_{
      SSL_CTX_new(TLS_client_method()),
      SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> client_{SSL_new(client_context_.get()), SSL_free};
  std::optional<TlsStream> stream_;
};

TEST_CASE("a handshake, a request and its response pass a stream") {
  Ends ends;
  CHECK(ends.stream().handshake() == Step::wants_read);
  ends.shake_hands();
  std::string text;

  ends.send("request");
  CHECK(ends.read(text) == Step::done);
  CHECK(text == "request");
  CHECK(ends.stream().write("response") == Step::done);
  CHECK(ends.received() == "response");
}

TEST_CASE("an idle stream has no buffers, and reads and writes again") {
  Ends ends;
  ends.shake_hands();
  std::string text;
  std::size_t size = 0;
  std::array<char, 16> room{};
  CHECK(ends.stream().read(room.data(), room.size(), size) == Step::wants_read);
  ends.stream().free_buffers();

  ends.send("request");
  CHECK(ends.read(text) == Step::done);
  CHECK(text == "request");
  CHECK(ends.stream().write("response") == Step::done);
  CHECK(ends.received() == "response");
}

TEST_CASE("a text larger than the socket's buffer wants to be written again, and arrives whole") {
  Ends ends;
  ends.shake_hands();
  const std::string text(16 << 20, 'x');
  std::string received;

  Step step = ends.stream().write(text);
  CHECK(step == Step::wants_write);
  for (int round = 0; round < 100'000 && step == Step::wants_write; ++round) {
    received += ends.received();
    step = ends.stream().write(text);
  }
  CHECK(step == Step::done);
  // The last bytes may still be on their way. A comparison that Catch shows would print 16 MiB.
  for (int round = 0; round < 1'000'000 && received.size() < text.size(); ++round)
    received += ends.received();
  const bool is_whole = received == text;
  CHECK(is_whole);
}

TEST_CASE("a shutdown sends the close_notify and waits for none") {
  Ends ends;
  ends.shake_hands();

  CHECK(ends.stream().shut_down() == Step::done);
  CHECK(ends.has_close_notify());
}

TEST_CASE("a peer that is gone is an error of the step and no signal") {
  Ends ends;
  ends.shake_hands();
  ends.close_client();
  std::string text;

  CHECK(ends.read(text) == Step::failed);
  Step step = Step::done;
  for (int round = 0; round < 100 && step == Step::done; ++round)
    step = ends.stream().write("response");
  CHECK(step == Step::failed);
}

TEST_CASE("every step of a closed socket fails") {
  Ends ends;
  ends.shake_hands();
  ends.close_server();
  std::string text;

  CHECK(ends.read(text) == Step::failed);
  CHECK(ends.stream().write("response") == Step::failed);
}

}  // namespace
}  // namespace weir::server
