// pipe_transport.cpp: "pipe:name": links between the loops of one process.
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "parley/limits.hpp"
#include "plugins.hpp"

namespace {

using namespace parley;

class PipeLink;

/// Held by everything that may still call back; the last one to let go says `stopped`.
struct Life {
  std::function<void()> stopped;
  Life() = default;
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life() {
    if (stopped) stopped();
  }
};
using LifeRef = std::shared_ptr<Life>;

/// One end of a pipe, known to both links. Its host is gone when its link is.
struct End {
  std::mutex mutex;
  LinkHost* host = nullptr;            // guarded by mutex
  LifeRef life;                        // guarded by mutex
  PipeLink* link = nullptr;            // the host's thread only
  std::atomic<std::size_t> queued{0};  // bytes sent here and not yet taken over there
};
using EndRef = std::shared_ptr<End>;

/// Runs `act` with the end's link on the end's loop; false when the link is gone.
template <class Act>
bool post(const EndRef& end, Act act) {
  const std::scoped_lock lock(end->mutex);
  if (end->host == nullptr) return false;
  end->host->post([end, life = end->life, act = std::move(act)] {
    if (end->link != nullptr) act(*end->link);
  });
  return true;
}

class PipeLink final : public Link {
 public:
  PipeLink(EndRef here, EndRef there) : here_(std::move(here)), there_(std::move(there)) {
    here_->link = this;
  }
  ~PipeLink() override {
    here_->link = nullptr;
    if (!peer_knows_) tell_peer({Errc::disconnected, "the peer's link was dropped"});
    LifeRef life;  // let go without the lock: it may be the last
    const std::scoped_lock lock(here_->mutex);
    here_->host = nullptr;
    life.swap(here_->life);
  }
  PipeLink(const PipeLink&) = delete;
  PipeLink& operator=(const PipeLink&) = delete;

  void send(std::span<const Payload> messages) override {
    if (closing_) return;
    std::size_t bytes = 0;
    for (const Payload& message : messages) bytes += message.size();
    if (here_->queued.fetch_add(bytes) + bytes > limits::queue_soft) high_ = true;
    post(there_, [from = here_, batch = std::vector(messages.begin(), messages.end())](
                     PipeLink& peer) { peer.take(batch, from); });
  }
  [[nodiscard]] std::size_t queued() const noexcept override { return here_->queued; }
  void close(CloseReason reason, std::string_view text) override {
    const bool orderly = reason == CloseReason::normal || reason == CloseReason::going_away;
    end({}, orderly ? Error{} : Error{Errc::disconnected, std::string(text)});
  }
  void limit_messages(std::size_t bytes) override { limit_ = bytes; }

  void set_events(LinkEvents* events) { events_ = events; }

 private:
  /// Here: what the peer sent. events_->received() may close this link, never destroy it.
  void take(const std::vector<Payload>& messages, const EndRef& from) {
    for (const Payload& message : messages) {
      if (closing_) {
        // not wanted any more
      } else if (message.size() > limit_) {
        const Error why{Errc::too_large, "a message above the limit"};
        end(why, why);
      } else {
        events_->received(message.bytes());
      }
      constexpr std::size_t low = limits::queue_soft / 2;
      const std::size_t before = from->queued.fetch_sub(message.size());
      if (before > low && before - message.size() <= low) {
        post(from, [](PipeLink& peer) { peer.drain(); });
      }
    }
  }
  void drain() {
    if (high_ && queued() <= limits::queue_soft / 2 && !closing_) high_ = false, events_->drained();
  }
  void end(Error ours, Error theirs) {
    if (std::exchange(closing_, true)) return;
    tell_peer(std::move(theirs));
    post(here_,
         [why = std::move(ours)](PipeLink& link) { link.over(why); });  // not inside the call
  }
  void tell_peer(Error why) {
    peer_knows_ = true;
    post(there_, [why = std::move(why)](PipeLink& link) {
      link.peer_knows_ = link.closing_ = true;
      link.over(why);
    });
  }
  /// The last call of all: the engine destroys this link inside closed().
  void over(Error why) {
    if (!std::exchange(over_, true)) events_->closed(std::move(why));
  }

  EndRef here_, there_;
  LinkEvents* events_ = nullptr;
  std::size_t limit_ = ~std::size_t{0};
  bool high_ = false, closing_ = false, peer_knows_ = false, over_ = false;
};

/// Makes a link on its loop and hands it over.
bool open(const EndRef& here, const EndRef& there, LinkHost& host, Encoding encoding) {
  auto link = std::make_unique<PipeLink>(here, there);
  LinkEvents* events = host.opened(std::move(link), {.transport = "pipe", .encoding = encoding});
  if (events == nullptr) return false;  // and the link is gone, which tells the peer
  here->link->set_events(events);
  return true;
}

/// Who listens where, in this process.
class Names {
 public:
  struct Found {
    LinkHost* host = nullptr;
    LifeRef life;
  };
  static Names& of_process() {
    static Names names;
    return names;
  }
  bool add(const std::string& name, std::span<LinkHost* const> hosts, LifeRef life) {
    const std::scoped_lock lock(mutex_);
    return names_.try_emplace(name, Listener{{hosts.begin(), hosts.end()}, std::move(life)}).second;
  }
  Found find(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    const auto at = names_.find(name);
    if (at == names_.end()) return {};
    Listener& listener = at->second;
    return {listener.hosts[listener.turn++ % listener.hosts.size()], listener.life};
  }
  void remove(const LifeRef& life) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(names_, [&](const auto& entry) { return entry.second.life == life; });
  }

 private:
  struct Listener {
    std::vector<LinkHost*> hosts;
    LifeRef life;
    std::size_t turn = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Listener> names_;
};

class PipeTransport final : public Transport {
 public:
  ~PipeTransport() override { Names::of_process().remove(life_); }
  [[nodiscard]] TransportCapabilities capabilities() const noexcept override {
    return {.listens = true, .dials = true};
  }
  Result<std::string> listen(std::string_view url, std::span<LinkHost* const> shards) override {
    auto name = name_of(url);
    if (!name) return name;
    if (shards.empty()) return Error{Errc::invalid_argument, "shards: expected at least one"};
    if (!life_) return closed();
    if (!Names::of_process().add(*name, shards, life_)) {
      return Error{Errc::address_in_use, "somebody listens there already"};
    }
    return std::string(url);
  }
  void dial(std::string_view url, Encoding encoding, LinkHost& shard,
            std::function<void(Result<void>)> done) override {
    auto name = life_ ? name_of(url) : Result<std::string>(closed());
    shard.post([name = std::move(name), encoding, &shard, life = life_, done = std::move(done)] {
      done(name ? connect(*name, encoding, shard, life) : Result<void>(name.error()));
    });
  }
  void close(std::function<void()> stopped) override {
    if (!life_) return;
    life_->stopped = std::move(stopped);
    Names::of_process().remove(life_);
    life_.reset();  // `stopped` runs here, or when the last link is gone
  }

 private:
  static Error closed() { return {Errc::engine_closed, "the transport is closed"}; }
  static Result<std::string> name_of(std::string_view url) {
    constexpr std::string_view scheme = "pipe:";
    if (!url.starts_with(scheme) || url.size() == scheme.size()) {
      return Error{Errc::invalid_argument, "url: expected pipe:name"};
    }
    return std::string(url.substr(scheme.size()));
  }
  static Result<void> connect(const std::string& name, Encoding encoding, LinkHost& shard,
                              const LifeRef& life) {
    auto found = Names::of_process().find(name);
    if (found.host == nullptr) return Error{Errc::unreachable, "nobody listens there"};
    const auto near = std::make_shared<End>();
    const auto far = std::make_shared<End>();
    near->host = &shard, near->life = life;
    far->host = found.host, far->life = found.life;
    // Before anything that the near end sends.
    found.host->post([near, far, life = found.life, host = found.host, encoding] {
      open(far, near, *host, encoding);
    });
    if (!open(near, far, shard, encoding)) return Error{Errc::limit_reached, "refused"};
    return {};
  }

  LifeRef life_ = std::make_shared<Life>();  // null: closed
};

}  // namespace

std::unique_ptr<Transport> pipe_transport() { return std::make_unique<PipeTransport>(); }
