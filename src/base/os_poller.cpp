// os_poller.cpp: epoll and eventfd.
#include "base/os_poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace parley::base {
namespace {

std::uint32_t mask_of(Poller::Interest interest) noexcept {
  std::uint32_t mask = 0;
  if (interest.readable) mask |= EPOLLIN | EPOLLRDHUP;
  if (interest.writable) mask |= EPOLLOUT;
  return mask;
}

}  // namespace

Result<Poller> Poller::create() {
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  Poller poller(poll, wake);
  if (poll < 0 || wake < 0 || !poller.add(wake, {.readable = true}, wake_token)) {
    return Error{Errc::unavailable, "the event loop got no descriptors: raise the process's limit"};
  }
  return poller;
}

Poller::Poller(Poller&& other) noexcept : poll_(other.poll_), wake_(other.wake_) {
  other.poll_ = -1;
  other.wake_ = -1;
}

Poller::~Poller() {
  if (wake_ >= 0) ::close(wake_);
  if (poll_ >= 0) ::close(poll_);
}

bool Poller::add(int descriptor, Interest interest, std::uint64_t token) noexcept {
  epoll_event event{};
  event.events = mask_of(interest);
  event.data.u64 = token;
  return ::epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

bool Poller::modify(int descriptor, Interest interest, std::uint64_t token) noexcept {
  epoll_event event{};
  event.events = mask_of(interest);
  event.data.u64 = token;
  return ::epoll_ctl(poll_, EPOLL_CTL_MOD, descriptor, &event) == 0;
}

void Poller::remove(int descriptor) noexcept {
  epoll_event event{};
  ::epoll_ctl(poll_, EPOLL_CTL_DEL, descriptor, &event);
}

std::size_t Poller::wait(std::span<Event> events, std::chrono::microseconds timeout) noexcept {
  std::array<epoll_event, 256> ready;  // NOLINT(*-member-init): written by the system
  int milliseconds = -1;
  if (timeout.count() >= 0) {
    const auto up = (timeout.count() + 999) / 1000;
    milliseconds = static_cast<int>(std::min<std::int64_t>(up, INT_MAX));
  }
  const auto most = static_cast<int>(std::min(events.size(), ready.size()));
  const int count = ::epoll_wait(poll_, ready.data(), most, milliseconds);
  std::size_t filled = 0;
  for (int i = 0; i < count; ++i) {  // count < 0: interrupted, the caller looks again
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    if (event.data.u64 == wake_token) {
      std::uint64_t value = 0;
      while (::read(wake_, &value, sizeof value) < 0 && errno == EINTR) {}
      continue;
    }
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    events[filled++] = {.token = event.data.u64,
                        .readable = broken || (event.events & (EPOLLIN | EPOLLRDHUP)) != 0,
                        .writable = broken || (event.events & EPOLLOUT) != 0};
  }
  return filled;
}

void Poller::wake() noexcept {
  const std::uint64_t one = 1;
  while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {}
}

}  // namespace parley::base
