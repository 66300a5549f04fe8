// net/send_batch.hpp: the small sends of a turn, given to the kernel together through io_uring.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "parley/result.hpp"

namespace parley::net {

class Connection;

/// Gathers framed messages, at most one lot a connection, and sends them with one system call. Each
/// is asked not to wait, so the kernel has done with all of them when send() returns: no buffer
/// lives longer. When the ring fails, or the process was forked, they go one by one instead.
/// Thread: the shard's.
class SendBatch {
 public:
  static constexpr std::size_t most = 256;
  static constexpr std::size_t largest = 4096;  // bytes of one entry

  struct Entry {
    Connection* who;
    const char* bytes;
    std::uint32_t size;
    std::int32_t socket;
    std::int32_t result;  // after send(): bytes that went, or a negative errno
  };

  /// Errc::unsupported, with the reason, when the build, the kernel or what guards it has no such
  /// thing.
  static Result<std::unique_ptr<SendBatch>> create();
  ~SendBatch();
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] bool full() const noexcept {
    return count_ == most || arena_.size() - used_ < largest;
  }
  /// Where the next entry's bytes are to be written: room for `largest`. Not when full().
  [[nodiscard]] char* room() noexcept { return arena_.data() + used_; }
  /// Takes what was written to room().
  void add(Connection* who, int socket, std::size_t size) noexcept;
  /// Sends them in the order added and says how each went.
  std::span<const Entry> send() noexcept;
  void clear() noexcept { count_ = used_ = 0; }
  /// False from the first failure of the ring on.
  [[nodiscard]] bool works() const noexcept { return ring_ != nullptr; }

 private:
  struct Ring;
  struct Close {
    void operator()(Ring* ring) const noexcept;
  };
  SendBatch() = default;

  std::unique_ptr<Ring, Close> ring_;
  std::size_t count_ = 0;
  std::size_t used_ = 0;
  std::array<Entry, most> entries_;                 // NOLINT(*-member-init): as far as counted
  std::array<char, std::size_t{64} * 1024> arena_;  // NOLINT(*-member-init)
};

}  // namespace parley::net
