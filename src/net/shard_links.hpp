// net/shard_links.hpp: the connections of one transport on one shard, and their deadlines by
// sweeps.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "net/send_batch.hpp"
#include "parley/transport.hpp"
#include "transport/life.hpp"

namespace parley::net {

class Connection;
using transport::Life;
using transport::LifeRef;

/// How long a connection may stay in each stage; absolute, nothing the peer sends extends it
/// (but heartbeat and dead_after, which count from the last byte received).
struct Timing {
  std::chrono::milliseconds handshake;  // accepted
  std::chrono::milliseconds dialling;
  std::chrono::milliseconds heartbeat;
  std::chrono::milliseconds dead_after;
  std::chrono::milliseconds closing;
  std::chrono::milliseconds serving;
};

/// Each stage is a queue in the order of entering, so a sweep looks only at what is due. There is
/// one timer for all, armed while there are connections.
/// Ownership: owns the connections that are no links yet, or no more (handshake, serving); the
/// engine owns the others. Thread: the shard's.
class ShardLinks {
 public:
  enum class Stage : std::uint8_t {
    handshake,
    dialling,
    serving,
    quiet,
    pinged,
    closing,
    failed,
    none
  };

  /// `gather_from`: SocketOptions::gather_from.
  ShardLinks(LinkHost& host, const Timing& timing, std::size_t gather_from, LifeRef life);
  ShardLinks(const ShardLinks&) = delete;
  ShardLinks& operator=(const ShardLinks&) = delete;

  [[nodiscard]] LinkHost& host() const noexcept { return host_; }
  [[nodiscard]] const Timing& timing() const noexcept { return timing_; }
  [[nodiscard]] bool closing() const noexcept { return closing_; }
  /// A reference for a callback that is to be posted. Null when closed.
  [[nodiscard]] LifeRef life() const noexcept { return life_; }

  // Called by connections.
  void enter(Connection& connection);  // at its start, into the handshake stage
  void move(Connection& connection, Stage stage);
  void leave(Connection& connection) noexcept;  // at its end
  /// Ends it in a later callback: for what goes wrong inside a call of the engine.
  void fail_later(Connection& connection);

  /// Where a small send may be put that is not one of the turn's first; null: send it now. What is
  /// put there goes at the end of the turn, or with send_gathered().
  [[nodiscard]] bool gathers() const noexcept { return gather_from_ != 0; }
  [[nodiscard]] SendBatch* gathering();
  void send_gathered() noexcept;

  /// Drops what is half open, takes nothing new; lets go of its Life with the last connection.
  void close();

 private:
  struct Queue {
    Connection* first = nullptr;
    Connection* last = nullptr;
  };
  void unlink(Connection& connection) noexcept;
  void link_last(Connection& connection, Stage stage) noexcept;
  [[nodiscard]] Queue& queue(Stage stage) noexcept {
    return queues_[static_cast<std::size_t>(stage)];
  }
  void arm();
  void sweep();
  template <class F>
  void expire(Stage stage, std::chrono::milliseconds after, F&& act);
  void end_failed();

  LinkHost& host_;
  const Timing timing_;
  const std::chrono::milliseconds period_;
  std::size_t gather_from_;  // 0: never, or not any more
  LifeRef life_;
  std::array<Queue, 7> queues_{};
  std::size_t count_ = 0;
  LinkHost::Timer timer_ = LinkHost::Timer::none;
  std::unique_ptr<SendBatch> batch_;  // made when it is wanted first
  LinkHost::Clock::time_point turn_{};
  std::size_t sends_ = 0;      // of this turn
  bool turn_awaited_ = false;  // send_gathered() will be called
  bool closing_ = false;
  bool failing_ = false;  // end_failed() is posted
};

}  // namespace parley::net
