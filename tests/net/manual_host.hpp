// tests/net/manual_host.hpp: a shard whose clock the test moves, with real sockets; and raw peers
// for it.
#pragma once
#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/os_socket.hpp"
#include "catch.hpp"
#include "parley/transport.hpp"
#include "runtime/loop.hpp"
#include "transport/url.hpp"

namespace parley::testing_net {

using std::chrono::milliseconds;

/// What an engine sees of a link.
struct Ear final : LinkEvents {
  std::unique_ptr<Link> link;
  LinkInfo info;
  std::vector<std::string> got;
  bool closed_seen = false;
  int holds = 0;
  Error why;
  void received(Bytes message) override { got.emplace_back(message); }
  void drained() override {}
  void holding() override { ++holds; }
  void closed(Error error) override {
    closed_seen = true;
    why = std::move(error);
    link.reset();
  }
};

/// Time stands still but for advance(). Descriptors and posts are a real loop's.
class ManualHost final : public LinkHost {
 public:
  ManualHost() : loop_(runtime::Loop::create().value()) {}

  LinkEvents* opened(std::unique_ptr<Link> link, LinkInfo info) override {
    ears.push_back(std::make_unique<Ear>());
    ears.back()->link = std::move(link);
    ears.back()->info = std::move(info);
    return ears.back().get();
  }
  void post(Callback callback) override { loop_->post(std::move(callback)); }
  [[nodiscard]] Clock::time_point now() const noexcept override { return now_; }
  Timer start_timer(milliseconds delay, Callback callback) override {
    const auto id = static_cast<Timer>(++next_timer_);
    timers_[{now_ + delay, id}] = std::move(callback);
    return id;
  }
  void cancel_timer(Timer timer) noexcept override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }
  [[nodiscard]] bool can_watch() const noexcept override { return true; }
  Watch watch(int descriptor, Ready interest, std::function<void(Ready)> callback) override {
    return loop_->watch(descriptor, interest, std::move(callback));
  }
  void rewatch(Watch watch, Ready interest) override { loop_->rewatch(watch, interest); }
  void unwatch(Watch watch) noexcept override { loop_->unwatch(watch); }
  std::span<char> scratch() noexcept override { return loop_->scratch(); }

  /// All that sockets and posts have to say.
  void turn() {
    loop_->wait(std::chrono::microseconds{0});
    while (loop_->poll(milliseconds{1})) {}
  }
  void advance(milliseconds by) {
    const auto end = now_ + by;
    turn();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = timers_.begin()->first.first;
      const Callback callback = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      callback();
      turn();
    }
    now_ = end;
  }
  [[nodiscard]] std::size_t timers() const noexcept { return timers_.size(); }
  [[nodiscard]] std::size_t watches() const noexcept { return loop_->watches(); }

  std::deque<std::unique_ptr<Ear>> ears;

 private:
  std::unique_ptr<runtime::Loop> loop_;
  Clock::time_point now_ = Clock::now();
  std::map<std::pair<Clock::time_point, Timer>, Callback> timers_;
  std::uint64_t next_timer_ = 0;
};

/// A transport that listens on a manual host.
struct Server {
  ManualHost host;
  std::unique_ptr<Transport> transport;
  std::string bound;

  Server(std::unique_ptr<Transport> made, std::string_view url) : transport(std::move(made)) {
    LinkHost* hosts[] = {&host};
    bound = transport->listen(url, hosts).value();
    host.turn();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    bool stopped = false;
    for (const auto& ear : host.ears) ear->link.reset();
    transport->close([&] { stopped = true; });
    for (int i = 0; i < 1'000'000 && !stopped; ++i) host.turn();
    CHECK(stopped);
    CHECK(host.timers() == 0);
    CHECK(host.watches() == 0);
  }
};

/// A peer that writes what the test says.
class RawPeer {
 public:
  explicit RawPeer(Server& server) : server_(server) {
    const auto url = transport::parse_url(server.bound).value();
    socket_ = base::connect_stream(base::socket_address(url.host, *url.port).value()).value();
    server_.host.turn();
  }
  /// From another address of the loopback network.
  RawPeer(Server& server, std::string_view from) : server_(server) {
    const auto url = transport::parse_url(server.bound).value();
    const auto there = base::socket_address(url.host, *url.port).value();
    const auto here = base::socket_address(from, 0).value();
    socket_ = base::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto raw = [](const base::SocketAddress& address) {
      return reinterpret_cast<const sockaddr*>(address.bytes.data());
    };
    REQUIRE(::bind(socket_.get(), raw(here), here.size) == 0);
    REQUIRE(::connect(socket_.get(), raw(there), there.size) == 0);
    REQUIRE(::fcntl(socket_.get(), F_SETFL, O_NONBLOCK) == 0);
    server_.host.turn();
  }
  /// False when the connection is broken.
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const Bytes piece = bytes;
      const auto sent = base::send_gathered(socket_.get(), std::span(&piece, 1));
      if (sent.status == base::IoStatus::failed) return false;
      bytes.remove_prefix(sent.bytes);
      server_.host.turn();
      if (sent.bytes == 0) read();
      if (ended_) return false;
    }
    return true;
  }
  /// Writes what the socket takes and says how much; reads nothing, not even when it is full.
  std::size_t write_only(std::string_view bytes) {
    const Bytes piece = bytes;
    const auto sent = base::send_gathered(socket_.get(), std::span(&piece, 1));
    server_.host.turn();
    return sent.bytes;
  }
  /// Takes what has come; false when the server has ended it.
  bool read() {
    server_.host.turn();
    std::string buffer(65536, '\0');
    while (!ended_) {
      const auto got = base::receive(socket_.get(), buffer);
      if (got.status == base::IoStatus::would_block) break;
      ended_ = got.status != base::IoStatus::ok;
      received_.append(buffer, 0, got.bytes);
    }
    return !ended_;
  }
  /// Everything up to the end, which must come without the clock being moved.
  const std::string& read_all() {
    for (int i = 0; i < 100'000 && read(); ++i) {}
    CHECK(ended_);
    return received_;
  }
  /// Waits for a text to come.
  bool saw(std::string_view text) {
    for (int i = 0; i < 100'000; ++i) {
      const bool open = read();
      if (received_.find(text) != std::string::npos) return true;
      if (!open) return false;
    }
    return false;
  }
  void shut() {
    base::shutdown_send(socket_.get());
    server_.host.turn();
  }
  void leave() { socket_.reset(); }
  [[nodiscard]] const std::string& received() const noexcept { return received_; }
  void forget() { received_.clear(); }

 private:
  Server& server_;
  base::Descriptor socket_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace parley::testing_net
