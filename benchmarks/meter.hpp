// meter.hpp: counts what does not depend on the clock: allocations, live heap bytes, system calls
// of the network path and, under callgrind, instructions. Linked into parley_cost only.
#pragma once
#include <cstdint>

namespace parley::bench {

/// What happened on this thread while a Metered was alive.
struct Counts {
  std::uint64_t allocations = 0;
  std::uint64_t sends = 0, receives = 0, waits = 0;  // sendmsg, recv, epoll_wait
};

/// Everything of the calling thread counts while one lives; under callgrind instructions as well.
class Metered {
 public:
  Metered() noexcept;
  ~Metered();
  Metered(const Metered&) = delete;
  Metered& operator=(const Metered&) = delete;
};

/// The calling thread's counts so far.
Counts counts() noexcept;
/// Bytes that operator new handed out and nobody gave back, as the allocator rounds them; of the
/// whole process.
std::uint64_t live_bytes() noexcept;

}  // namespace parley::bench
