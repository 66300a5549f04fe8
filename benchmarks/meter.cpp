#include "meter.hpp"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#endif

namespace {

using parley::bench::Counts;

thread_local bool metering = false;
thread_local Counts seen;
std::atomic<std::uint64_t> live{0};

void* allocate(std::size_t size, std::size_t alignment) {
  void* memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(size)
          : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  live.fetch_add(malloc_usable_size(memory), std::memory_order_relaxed);
  if (metering) ++seen.allocations;
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  live.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

// The linker sends the library's calls here (--wrap).
extern "C" {
ssize_t __real_sendmsg(int socket, const msghdr* message, int flags);
ssize_t __wrap_sendmsg(int socket, const msghdr* message, int flags) {
  if (metering) ++seen.sends;
  return __real_sendmsg(socket, message, flags);
}
ssize_t __real_recv(int socket, void* into, std::size_t size, int flags);
ssize_t __wrap_recv(int socket, void* into, std::size_t size, int flags) {
  if (metering) ++seen.receives;
  return __real_recv(socket, into, size, flags);
}
int __real_epoll_wait(int poll, epoll_event* events, int most, int timeout);
int __wrap_epoll_wait(int poll, epoll_event* events, int most, int timeout) {
  if (metering) ++seen.waits;
  return __real_epoll_wait(poll, events, most, timeout);
}
}

namespace parley::bench {

Metered::Metered() noexcept {
  metering = true;
  CALLGRIND_TOGGLE_COLLECT;
}
Metered::~Metered() {
  CALLGRIND_TOGGLE_COLLECT;
  metering = false;
}

Counts counts() noexcept { return seen; }
std::uint64_t live_bytes() noexcept { return live.load(std::memory_order_relaxed); }

}  // namespace parley::bench
