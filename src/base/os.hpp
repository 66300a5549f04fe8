// os.hpp: what the library asks of the operating system, other than sockets (os_socket) and files.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/result.hpp"

namespace parley::base {

/// Fills `out` from the kernel's generator. Errc::unavailable when it cannot. Thread: any.
Result<void> random_bytes(void* out, std::size_t size);

/// Blocks every signal on the calling thread for as long as the object lives. A thread started
/// meanwhile inherits that: so the host's handlers never run on a thread of the library.
class SignalBlock {
 public:
  SignalBlock() noexcept;
  ~SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

 private:
  static constexpr std::size_t room = 128;  // a signal set, without its header here
  alignas(std::uint64_t) unsigned char before_[room];
  bool blocked_ = false;
};

/// Remembers the process it was made in. Cheap enough for every public call: no system call.
class ForkGuard {
 public:
  ForkGuard() noexcept;
  /// True in a child forked after the guard was made. Thread: any.
  [[nodiscard]] bool forked() const noexcept;

 private:
  std::uint64_t generation_;
};

/// Names the calling thread for debuggers and `top`; longer names are cut to 15 bytes.
void name_thread(std::string_view name) noexcept;

/// Another descriptor of the same thing, close-on-exec and the caller's to close; -1: none left.
int duplicate(int descriptor) noexcept;

/// This process's number, for lock files and messages.
std::int64_t process_id() noexcept;

}  // namespace parley::base
