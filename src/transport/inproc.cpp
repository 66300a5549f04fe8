// inproc.cpp: pipes between two loops.
#include "transport/inproc.hpp"

#include <array>
#include <atomic>
#include <utility>

#include "parley/limits.hpp"
#include "transport/url.hpp"

namespace parley::transport {
namespace {

class InprocLink;

/// Both ends. `host` is where an end lives; it is null from when the end is gone, because its loop
/// may go then.
struct Pipe : std::enable_shared_from_this<Pipe> {
  struct End {
    LinkHost* host = nullptr;            // guarded by mutex
    LifeRef life;                        // guarded by mutex
    InprocLink* link = nullptr;          // the end's own thread only
    std::atomic<std::size_t> queued{0};  // bytes that it sent and the other end did not take
  };

  /// Runs `act(pipe)` on the loop of an end; false when that end is gone.
  template <class F>
  bool post(std::size_t to, F act) {
    const std::scoped_lock lock(mutex);
    End& end = ends[to];
    if (end.host == nullptr) return false;
    end.host->post(
        [pipe = shared_from_this(), life = end.life, act = std::move(act)] { act(*pipe); });
    return true;
  }
  void gone(std::size_t which) {
    LifeRef life;  // outlives the lock: it may destroy a transport
    const std::scoped_lock lock(mutex);
    ends[which].host = nullptr;
    life = std::move(ends[which].life);
  }
  void deliver(std::size_t to, std::span<const Payload> messages);

  std::mutex mutex;
  std::array<End, 2> ends;
};

class InprocLink final : public Link {
 public:
  InprocLink(std::shared_ptr<Pipe> pipe, std::size_t which)
      : pipe_(std::move(pipe)), which_(which) {
    self().link = this;
  }
  ~InprocLink() override {
    self().link = nullptr;
    if (!said_) tell_peer({Errc::disconnected, "the peer's link was dropped"});
    pipe_->gone(which_);
  }
  InprocLink(const InprocLink&) = delete;
  InprocLink& operator=(const InprocLink&) = delete;

  void send(std::span<const Payload> messages) override {
    if (closing_) return;
    std::size_t bytes = 0;
    for (const Payload& message : messages) bytes += message.size();
    const std::size_t queued = self().queued.fetch_add(bytes) + bytes;
    if (queued > limits::queue_soft) high_ = true;
    const bool sent = pipe_->post(
        1 - which_, [to = 1 - which_, batch = std::vector(messages.begin(), messages.end())](
                        Pipe& pipe) { pipe.deliver(to, batch); });
    if (!sent) self().queued.fetch_sub(bytes);  // the peer's goodbye is on its way
  }
  [[nodiscard]] std::size_t queued() const noexcept override {
    return pipe_->ends[which_].queued.load();
  }
  void close(CloseReason reason, std::string_view text) override {
    const bool orderly = reason == CloseReason::normal || reason == CloseReason::going_away;
    close_with(
        orderly ? Error{} : Error{Errc::disconnected, "the peer closed: " + std::string(text)}, {});
  }
  void limit_messages(std::size_t bytes) override { limit_ = bytes; }

  void set_events(LinkEvents* events) noexcept { events_ = events; }
  /// False: nothing more is to be received.
  bool receive(const Payload& message) {
    if (closing_) return false;
    if (message.size() > limit_) {
      const Error why{Errc::too_large, "the peer sent a message above the limit"};
      close_with(why, why);
      return false;
    }
    events_->received(message.bytes());
    return true;
  }
  void check_drained() {
    if (!high_ || queued() > limits::queue_soft / 2) return;
    high_ = false;
    if (!closing_) events_->drained();
  }
  /// The last call: the engine destroys this inside.
  void end(Error why) {
    if (!std::exchange(ended_, true)) events_->closed(std::move(why));
  }
  void peer_closed(Error why) {
    said_ = true;
    end(std::move(why));
  }

 private:
  [[nodiscard]] Pipe::End& self() noexcept { return pipe_->ends[which_]; }
  void close_with(Error theirs, Error ours) {
    if (std::exchange(closing_, true)) return;
    tell_peer(std::move(theirs));
    pipe_->post(which_, [which = which_, ours = std::move(ours)](Pipe& pipe) {
      if (InprocLink* link = pipe.ends[which].link) link->end(ours);
    });
  }
  void tell_peer(Error why) {
    said_ = true;
    pipe_->post(1 - which_, [to = 1 - which_, why = std::move(why)](Pipe& pipe) {
      if (InprocLink* link = pipe.ends[to].link) link->peer_closed(why);
    });
  }

  std::shared_ptr<Pipe> pipe_;
  LinkEvents* events_ = nullptr;
  std::size_t limit_ = ~std::size_t{0};
  const std::size_t which_;
  bool high_ = false;
  bool closing_ = false;
  bool said_ = false;  // the peer knows
  bool ended_ = false;
};

void Pipe::deliver(std::size_t to, std::span<const Payload> messages) {
  constexpr std::size_t low = limits::queue_soft / 2;
  std::atomic<std::size_t>& queued = ends[1 - to].queued;
  for (const Payload& message : messages) {
    if (InprocLink* link = ends[to].link) link->receive(message);
    const std::size_t before = queued.fetch_sub(message.size());
    if (before <= low || before - message.size() > low) continue;
    post(1 - to, [from = 1 - to](Pipe& pipe) {
      if (InprocLink* link = pipe.ends[from].link) link->check_drained();
    });
  }
}

/// Makes one end and hands it to its engine.
bool open_end(const std::shared_ptr<Pipe>& pipe, std::size_t which, LinkHost& host,
              Encoding encoding) {
  auto link = std::make_unique<InprocLink>(pipe, which);
  LinkEvents* events =
      host.opened(std::move(link), {.transport = "inproc", .peer = "", .encoding = encoding});
  if (events == nullptr) return false;
  pipe->ends[which].link->set_events(events);
  return true;
}

class InprocTransport final : public Transport {
 public:
  explicit InprocTransport(std::shared_ptr<InprocHub> hub) : hub_(std::move(hub)) {}
  ~InprocTransport() override {
    if (life_) hub_->remove(life_);
  }

  [[nodiscard]] TransportCapabilities capabilities() const noexcept override {
    return {.listens = true, .dials = true};
  }

  Result<std::string> listen(std::string_view text, std::span<LinkHost* const> shards) override {
    auto name = name_of(text);
    if (!name) return name;
    if (shards.empty()) return Error{Errc::invalid_argument, "shards: expected at least one"};
    const std::scoped_lock lock(mutex_);
    if (!life_) return closed_error();
    if (!hub_->add(*name, {.hosts = {shards.begin(), shards.end()}, .life = life_})) {
      return Error{Errc::address_in_use, "somebody listens on " + std::string(text) + " already"};
    }
    return std::string(text);
  }

  void dial(std::string_view text, Encoding encoding, LinkHost& shard,
            std::function<void(Result<void>)> done) override {
    auto name = name_of(text);
    LifeRef life;
    {
      const std::scoped_lock lock(mutex_);
      life = life_;
    }
    if (!life) name = closed_error();
    shard.post([hub = hub_, life, encoding, name = std::move(name), done = std::move(done),
                host = &shard]() mutable {
      if (!name) return done(std::move(name).error());
      connect(*hub, *name, encoding, *host, std::move(life), done);
    });
  }

  void close(std::function<void()> stopped) override {
    LifeRef life;
    {
      const std::scoped_lock lock(mutex_);
      life = std::move(life_);
    }
    if (!life) return;  // a second call changes nothing
    life->stopped = std::move(stopped);
    hub_->remove(life);
  }

 private:
  static Error closed_error() { return {Errc::engine_closed, "the transport is closed"}; }

  static Result<std::string> name_of(std::string_view text) {
    auto url = parse_url(text);
    if (!url) return std::move(url).error();
    if (url->scheme != "inproc" || !url->host.empty() || url->port || url->path.empty()) {
      return Error{Errc::invalid_argument, "url: expected inproc:name"};
    }
    return url->path;
  }

  /// On the dialling shard.
  static void connect(InprocHub& hub, const std::string& name, Encoding encoding, LinkHost& host,
                      LifeRef life, const std::function<void(Result<void>)>& done) {
    InprocHub::Found found = hub.find(name);
    if (found.host == nullptr) {
      return done(Error{Errc::unreachable, "nobody listens on inproc:" + name});
    }
    auto pipe = std::make_shared<Pipe>();
    LinkHost& there = *found.host;
    pipe->ends[0].host = &host;
    pipe->ends[0].life = std::move(life);
    pipe->ends[1].host = &there;
    pipe->ends[1].life = std::move(found.life);
    // First, so that it comes before anything that is sent; it finds the other end made or gone.
    pipe->post(1, [&there, encoding](Pipe& self) {
      if (!open_end(self.shared_from_this(), 1, there, encoding)) self.gone(1);
    });
    if (!open_end(pipe, 0, host, encoding)) {
      return done(Error{Errc::limit_reached, "the engine refused the link"});
    }
    done({});
  }

  const std::shared_ptr<InprocHub> hub_;
  std::mutex mutex_;
  LifeRef life_ = std::make_shared<Life>();  // guarded by mutex_; null: closed
};

}  // namespace

bool InprocHub::add(const std::string& name, Listener listener) {
  const std::scoped_lock lock(mutex_);
  return names_.try_emplace(name, std::move(listener)).second;
}

InprocHub::Found InprocHub::find(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto found = names_.find(name);
  if (found == names_.end()) return {};
  Listener& listener = found->second;
  return {listener.hosts[listener.next++ % listener.hosts.size()], listener.life};
}

void InprocHub::remove(const LifeRef& life) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(names_, [&](const auto& entry) { return entry.second.life == life; });
}

std::unique_ptr<Transport> inproc_transport(std::shared_ptr<InprocHub> hub) {
  if (!hub) hub = std::make_shared<InprocHub>();
  return std::make_unique<InprocTransport>(std::move(hub));
}

}  // namespace parley::transport
