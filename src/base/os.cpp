// os.cpp: Linux; each function says what another system would need.
#include "base/os.hpp"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace parley::base {
namespace {

// Counts forks in the line of this process. The one process-wide variable here: only the kernel
// changes it (through the handler), and it cannot belong to an engine because a child has none.
std::atomic<std::uint64_t> fork_count{0};
void count_fork() noexcept { fork_count.fetch_add(1, std::memory_order_relaxed); }

bool watch_forks() noexcept { return pthread_atfork(nullptr, nullptr, count_fork) == 0; }

}  // namespace

Result<void> random_bytes(void* out, std::size_t size) {
  auto* next = static_cast<unsigned char*>(out);
  while (size > 0) {
    const ssize_t got = ::getrandom(next, size, 0);  // macOS: arc4random_buf
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Error{Errc::unavailable, "getrandom failed: no secure random bytes"};
    next += got;
    size -= static_cast<std::size_t>(got);
  }
  return {};
}

SignalBlock::SignalBlock() noexcept {
  static_assert(sizeof(sigset_t) <= room && alignof(sigset_t) <= alignof(std::uint64_t));
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  blocked_ = ::pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
  std::memcpy(before_, &before, sizeof before);
}

SignalBlock::~SignalBlock() {
  if (!blocked_) return;
  sigset_t before;
  std::memcpy(&before, before_, sizeof before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ForkGuard::ForkGuard() noexcept {
  static const bool watching = watch_forks();  // fails only without memory; then forks go unseen
  (void)watching;
  generation_ = fork_count.load(std::memory_order_relaxed);
}

bool ForkGuard::forked() const noexcept {
  return fork_count.load(std::memory_order_relaxed) != generation_;
}

void name_thread(std::string_view name) noexcept {
  char text[16] = {};
  std::copy_n(name.data(), std::min<std::size_t>(name.size(), 15), text);
  ::pthread_setname_np(::pthread_self(), text);  // macOS: without the first argument
}

int duplicate(int descriptor) noexcept { return ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

std::int64_t process_id() noexcept { return ::getpid(); }

}  // namespace parley::base
