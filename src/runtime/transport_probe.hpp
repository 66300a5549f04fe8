// runtime/transport_probe.hpp: what the cases of the transport suite work with.
#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "parley/limits.hpp"
#include "parley/testing/transport_conformance.hpp"

namespace parley::inline v0::testing {

inline constexpr std::chrono::seconds patience{20};

/// One end of a link, as an engine would hold it.
struct ProbePeer final : LinkEvents {
  std::unique_ptr<Link> link;
  LinkInfo info;
  std::vector<std::string> got;
  std::size_t got_bytes = 0;
  int closes = 0;
  int drains = 0;
  int late = 0;    // calls after closed()
  int nested = 0;  // calls from inside send() or close()
  bool inside = false;
  bool keep = true;  // what was received, not only its size
  Error why;
  std::function<void(Bytes)> on_message;

  void received(Bytes message) override {
    seen();
    got_bytes += message.size();
    if (keep) got.emplace_back(message);
    if (on_message) on_message(message);
  }
  void drained() override {
    seen();
    ++drains;
  }
  void holding() override { seen(); }
  void closed(Error error) override {
    seen();
    ++closes;
    why = std::move(error);
    link.reset();
  }
  void seen() {
    if (closes > 0) ++late;
    if (inside) ++nested;
  }
  void send(std::span<const Payload> messages) {
    if (!link) return;
    inside = true;
    link->send(messages);
    inside = false;
  }
  void send(Bytes message) {
    const Payload payload = Payload::copy_of(message);
    send(std::span(&payload, 1));
  }
  void close(CloseReason reason = CloseReason::normal) {
    if (!link) return;
    inside = true;
    link->close(reason, "the suite says so");
    inside = false;
  }
};

inline std::string numbered(std::size_t i) {
  return std::to_string(i) + '/' + std::string(1 + i * 37 % 300, static_cast<char>('a' + i % 26));
}

/// What a case works with: a driver, transports, and the peers that were opened.
class TransportProbe {
 public:
  TransportProbe(const TransportCase& running, const TransportUnderTest& under,
                 const TransportCheck& check)
      : under_(under),
        case_(running),
        check_(check),
        driver_(under.driver ? under.driver() : transport_driver()) {
    for (std::size_t i = 0; i < driver_->hosts(); ++i) {
      driver_->on_opened(i, [this, i](std::unique_ptr<Link> link, LinkInfo info) {
        return opened(i, std::move(link), std::move(info));
      });
    }
    server_ = make();
    client_ = make();
  }
  TransportProbe(const TransportProbe&) = delete;
  TransportProbe& operator=(const TransportProbe&) = delete;

  ~TransportProbe() {
    quiet_ = true;  // a check that threw has ended the run
    stop_all();
  }

  /// Closes what is left, as an engine does, waits for both transports, and checks the rules that
  /// hold whatever a case does.
  void finish() {
    stop_all();
    for (const auto& peer : peers_) {
      expect(peer->closes <= 1, "closed() came more than once");
      expect(peer->late == 0, "an event came after closed()");
      expect(peer->nested == 0, "an event came from inside send() or close()");
    }
    if (good_) check_(true, std::string(case_.name) + ": " + std::string(case_.about));
  }

  [[nodiscard]] const TransportUnderTest& under() const noexcept { return under_; }
  [[nodiscard]] TransportDriver& driver() noexcept { return *driver_; }
  [[nodiscard]] Transport& server() noexcept { return *server_; }
  [[nodiscard]] Transport& client() noexcept { return *client_; }
  [[nodiscard]] std::size_t scaled(std::size_t count) const {
    return std::max<std::size_t>(
        1, static_cast<std::size_t>(static_cast<double>(count) * under_.scale));
  }
  /// Refuse links on this host from now on.
  void refuse(std::size_t host) { refusing_ = static_cast<int>(host); }
  /// Inside opened(), before the engine answers.
  std::function<void(ProbePeer&)> on_opened;

  bool expect(bool holds, std::string_view what) {
    if (!holds) {
      good_ = false;
      if (!quiet_) check_(false, std::string(case_.name) + ": " + std::string(what));
    }
    return holds;
  }
  template <class F>
  bool until(F&& done, std::string_view what) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end)
        return expect(false, "nothing came: " + std::string(what));
      driver_->turn();
    }
    return true;
  }
  void turns(int count) {
    for (int i = 0; i < count; ++i) driver_->turn();
  }

  /// Listens on every host; "" when it failed.
  std::string listen() {
    std::vector<LinkHost*> hosts;
    for (std::size_t i = 0; i < driver_->hosts(); ++i) hosts.push_back(&driver_->host(i));
    return listen_on(hosts);
  }
  std::string listen_on(const std::vector<LinkHost*>& hosts) {
    auto bound = server_->listen(under_.url, hosts);
    if (!expect(bound.ok(), "listen: " + (bound ? std::string() : bound.error().message)))
      return {};
    return *bound;
  }

  struct Dial {
    int calls = 0;
    std::size_t links_then = 0;  // handed over when `done` ran
    Error why;
  };
  /// Dials from host 0; the result is filled in later turns.
  std::shared_ptr<Dial> dial(std::string_view url) {
    auto result = std::make_shared<Dial>();
    client_->dial(url, under_.encoding, driver_->host(0), [this, result](Result<void> done) {
      ++result->calls;
      result->links_then = dialled_.size();
      if (!done) result->why = std::move(done).error();
    });
    return result;
  }

  struct Pair {
    ProbePeer* near = nullptr;  // dialled
    ProbePeer* far = nullptr;   // accepted
    explicit operator bool() const noexcept { return near != nullptr && far != nullptr; }
  };
  /// Listens on the last host alone and connects to it from host 0, so that it is known who is who.
  Pair connect() {
    bound_ = listen_on({&driver_->host(driver_->hosts() - 1)});
    return bound_.empty() ? Pair{} : connect_again();
  }
  Pair connect_again() {
    const std::size_t before = accepted_.size();
    const std::size_t dialled = dialled_.size();
    const auto result = dial(bound_);
    const bool came = until([&] { return result->calls > 0 && accepted_.size() > before; },
                            "a link at both ends");
    if (!came || !expect(!result->why, "dial: " + result->why.message)) return {};
    return {dialled_[dialled], accepted_[before]};
  }
  [[nodiscard]] const std::string& bound() const noexcept { return bound_; }
  [[nodiscard]] const std::vector<std::unique_ptr<ProbePeer>>& peers() const noexcept {
    return peers_;
  }
  [[nodiscard]] std::vector<ProbePeer*> on_host(std::size_t index) const { return by_host_[index]; }
  [[nodiscard]] const std::vector<ProbePeer*>& accepted() const noexcept { return accepted_; }

  /// Closes a transport and waits for `stopped`.
  void stop(Transport& transport) {
    stopped_.insert(&transport);
    auto stopped = std::make_shared<bool>(false);
    transport.close([stopped] { *stopped = true; });
    until([&] { return *stopped; }, "stopped");
  }
  /// The case closes this one itself.
  void stopped_by_case(Transport& transport) { stopped_.insert(&transport); }
  std::unique_ptr<Transport> make() { return under_.make(); }

 private:
  void stop_all() {
    on_opened = nullptr;
    for (const auto& peer : peers_) peer->close(CloseReason::going_away);
    for (auto* transport : {&server_, &client_}) {
      if (*transport && !stopped_.contains(transport->get())) stop(**transport);
      transport->reset();
    }
  }

  LinkEvents* opened(std::size_t host, std::unique_ptr<Link> link, LinkInfo info) {
    if (refusing_ == static_cast<int>(host)) return nullptr;
    peers_.push_back(std::make_unique<ProbePeer>());
    ProbePeer& peer = *peers_.back();
    peer.link = std::move(link);
    peer.info = std::move(info);
    by_host_[host].push_back(&peer);
    (host == driver_->hosts() - 1 ? accepted_ : dialled_).push_back(&peer);
    if (on_opened) on_opened(peer);
    return &peer;
  }

  const TransportUnderTest& under_;
  const TransportCase& case_;
  const TransportCheck& check_;
  std::unique_ptr<TransportDriver> driver_;
  std::unique_ptr<Transport> server_;
  std::unique_ptr<Transport> client_;
  std::vector<std::unique_ptr<ProbePeer>> peers_;
  std::array<std::vector<ProbePeer*>, 16> by_host_;
  std::vector<ProbePeer*> accepted_;
  std::vector<ProbePeer*> dialled_;
  std::string bound_;
  std::set<Transport*> stopped_;
  int refusing_ = -1;
  bool good_ = true;
  bool quiet_ = false;
};

}  // namespace parley::inline v0::testing
