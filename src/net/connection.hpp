// net/connection.hpp: a stream socket as a link: direct gathered writes, reads into the shard's
// scratch, closing.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/os_socket.hpp"
#include "net/places.hpp"
#include "net/shard_links.hpp"
#include "parley/transport.hpp"

namespace parley::net {

/// The common part of tcp and WebSocket links. Derived classes say how messages are framed and what
/// bytes mean. Idle, it holds no buffer.
/// Ownership: before open() its ShardLinks owns it, after it the engine. Thread: the shard's.
class Connection : public Link {
 public:
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::span<const Payload> messages) final;
  [[nodiscard]] std::size_t queued() const noexcept final {
    return gathered_ + (outbox_ ? outbox_->bytes : 0);
  }
  void close(CloseReason reason, std::string_view text) final;
  void tell_drained(std::size_t at_most) final {
    if (outbox_) outbox_->told_at = at_most;
  }

  /// Starts watching; a dialled one waits until it is connected. Deletes itself when it cannot.
  void start(bool dialled);

 protected:
  /// What a queued payload is; frame() turns it into a prefix.
  enum class Kind : std::uint8_t { message, ping, pong, close, raw };
  enum class Phase : std::uint8_t { connecting, handshake, open, closing, finished };

  Connection(base::Descriptor socket, Seat seat, ShardLinks& shard);

  // The protocol's part.
  /// Dialled and connected: say the first word.
  virtual void connected() = 0;
  /// Bytes of a handshake or an open link. Stop when phase() changes. False: this is deleted.
  virtual bool consume(std::span<char> input) = 0;
  /// Writes what goes before a payload; at most 14 bytes. Pure.
  virtual std::size_t frame(char* prefix, Kind kind, std::size_t size) const noexcept = 0;
  /// For protocols that must change every byte (a WebSocket client masks): the whole frame, to be
  /// sent raw. Asked only when masks() says so.
  virtual Payload masked(Kind kind, Bytes payload) = 0;
  virtual void ping() = 0;
  /// Queues the protocol's goodbye, if it has one.
  virtual void say_goodbye(CloseReason reason, std::string_view text) = 0;
  /// The peer has shut its side down while the link was open: in an orderly way or not?
  [[nodiscard]] virtual Error peer_ended() const = 0;
  /// A dialled connection that never became a link: report it.
  virtual void handshake_failed(Error why) = 0;

  [[nodiscard]] Phase phase() const noexcept { return phase_; }
  [[nodiscard]] ShardLinks& shard() const noexcept { return shard_; }
  [[nodiscard]] LinkEvents* events() const noexcept { return events_; }
  void set_masks() noexcept { masks_ = true; }
  /// Hands itself to the engine. False: it was refused and this is deleted.
  bool open(LinkInfo info);
  /// Queues and writes what it can at once.
  void push(Payload payload, Kind kind);
  /// Closes after what is queued was written; the engine hears `why` when it is over.
  void start_closing(Error why);
  /// From a callback: ends at once. Deletes this, or lets the engine do it.
  void finish(Error why);
  /// A stage other than the one of its phase (a static file is being sent).
  void stay(ShardLinks::Stage stage) { shard_.move(*this, stage); }
  [[nodiscard]] std::string peer() const;

 private:
  friend class ShardLinks;
  struct Item {
    Payload payload;
    Kind kind;
  };
  struct Outbox {
    std::vector<Item> items;
    std::size_t first = 0;
    std::size_t sent = 0;                // of the first, prefix included
    std::size_t bytes = 0;               // not yet sent, prefixes included
    std::optional<std::size_t> told_at;  // Link::tell_drained
  };

  void ready(LinkHost::Ready ready);
  bool gather(std::span<const Payload> messages);
  /// How what was gathered went.
  void sent(const SendBatch::Entry& entry) noexcept;
  /// Before anything else is written, or this ends: what was gathered goes now.
  void settle() noexcept {
    if (gathered_ != 0) shard_.send_gathered();
  }
  void send_all(std::span<const Payload> messages);
  void finish_connecting();
  void read();
  bool flush();
  /// Sends from the front; returns how many went whole, and in `partial` what went of the next.
  std::size_t write_direct(std::span<const Payload> messages, std::size_t& partial);
  void queue(Payload payload, Kind kind, std::size_t sent);
  void consumed(std::size_t bytes);
  void drop_queued();
  void wait_writable();
  void all_sent();
  void write_failed(int error);
  void expired();  // its stage's deadline has passed
  [[nodiscard]] std::size_t framed_size(const Item& item) const noexcept;

  ShardLinks& shard_;
  Connection* previous_ = nullptr;
  Connection* next_ = nullptr;
  LinkHost::Clock::time_point since_{};
  LinkEvents* events_ = nullptr;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Error> why_;  // told when closing is over
  LinkHost::Watch watch_ = LinkHost::Watch::none;
  base::Descriptor socket_;
  Seat seat_;
  std::uint16_t gathered_ = 0;  // bytes in the shard's batch; then there is no outbox
  Phase phase_ = Phase::handshake;
  ShardLinks::Stage stage_ = ShardLinks::Stage::none;
  bool masks_ = false;
  bool writable_wanted_ = false;
  bool high_ = false;  // queued() went above the soft limit
  bool shut_ = false;  // our side is shut down
};

}  // namespace parley::net
