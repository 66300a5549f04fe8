// send_batch.cpp: one io_uring_enter() for many sends, and what happens where there is none.
#include "net/send_batch.hpp"

#include <cerrno>

#include "base/os_socket.hpp"

#if defined(PARLEY_WITH_IO_URING)
#include <liburing.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

namespace parley::net {
namespace {

constexpr std::size_t worth_a_ring = 2;  // one alone costs more than a call of its own
constexpr std::int32_t not_sent = -ECANCELED;

void send_alone(SendBatch::Entry& entry) noexcept {
  const Bytes piece(entry.bytes, entry.size);
  const base::IoResult sent = base::send_gathered(entry.socket, std::span(&piece, 1));
  switch (sent.status) {
    case base::IoStatus::ok:
      entry.result = static_cast<std::int32_t>(sent.bytes);
      return;
    case base::IoStatus::would_block:
      entry.result = -EAGAIN;
      return;
    default:
      entry.result = -sent.error;
  }
}

}  // namespace

#if defined(PARLEY_WITH_IO_URING)

namespace {

constexpr int never_wait = MSG_NOSIGNAL | MSG_DONTWAIT;

}  // namespace

/// No flags: none of them made it quicker, and those that bind a ring to one thread would end an
/// engine whose host drives it from several, one after the other.
struct SendBatch::Ring {
  /// A word that is 1 in the process that made it and 0 in those forked from it.
  class SameProcess {
   public:
    SameProcess() noexcept {
      void* page =
          ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (page == MAP_FAILED) return;
      if (::madvise(page, size_, MADV_WIPEONFORK) != 0) {
        ::munmap(page, size_);
        return;
      }
      word_ = static_cast<int*>(page);
      *word_ = 1;
    }
    ~SameProcess() {
      if (word_ != nullptr) ::munmap(word_, size_);
    }
    SameProcess(const SameProcess&) = delete;
    SameProcess& operator=(const SameProcess&) = delete;
    explicit operator bool() const noexcept { return word_ != nullptr && *word_ == 1; }

   private:
    const std::size_t size_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    int* word_ = nullptr;
  };

  io_uring uring{};
  bool made = false;
  SameProcess same_process;

  ~Ring() {
    if (made) io_uring_queue_exit(&uring);
  }

  /// 0, or an errno.
  int open() noexcept {
    if (!same_process) return ENOSYS;
    const int error = -io_uring_queue_init(most, &uring, 0);
    made = error == 0;
    return made ? refuses_to_wait() : error;
  }

  /// Whether a send that would have to wait is answered within the call that asks for it.
  int refuses_to_wait() noexcept {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return errno;
    const base::Descriptor here(pair[0]);
    const base::Descriptor there(pair[1]);
    static constexpr std::array<char, 4096> fill{};
    while (::send(here.get(), fill.data(), fill.size(), never_wait) > 0) {}
    io_uring_prep_send(io_uring_get_sqe(&uring), here.get(), fill.data(), fill.size(), never_wait);
    if (const int did = io_uring_submit(&uring); did < 0) return -did;
    io_uring_cqe* answer = nullptr;
    if (io_uring_peek_cqe(&uring, &answer) != 0) return ETIME;
    const int result = answer->res;
    io_uring_cqe_seen(&uring, answer);
    return result == -EAGAIN ? 0 : ENOSYS;
  }

  /// False when the ring is broken; what it did not take is then still `not_sent`.
  bool send(std::span<Entry> entries) noexcept {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      io_uring_sqe* sqe = io_uring_get_sqe(&uring);  // there is one: all are free, and enough
      io_uring_prep_send(sqe, entries[i].socket, entries[i].bytes, entries[i].size, never_wait);
      sqe->user_data = i;
    }
    std::size_t done = 0;
    while (done < entries.size()) {
      const auto left = static_cast<unsigned>(entries.size() - done);
      const int did = io_uring_submit_and_wait(&uring, left);
      done += reap(entries);
      if (did < 0 && did != -EINTR) break;
    }
    if (done == entries.size()) return true;
    // Nobody knows what became of those that were taken and not answered: their connections end.
    const std::size_t taken = entries.size() - io_uring_sq_ready(&uring);
    for (Entry& entry : entries.first(taken)) {
      if (entry.result == not_sent) entry.result = -EIO;
    }
    return false;
  }

  std::size_t reap(std::span<Entry> entries) noexcept {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* answer = nullptr;
    io_uring_for_each_cqe(&uring, head, answer) {
      entries[answer->user_data].result = answer->res;
      ++count;
    }
    io_uring_cq_advance(&uring, count);
    return count;
  }
};

Result<std::unique_ptr<SendBatch>> SendBatch::create() {
  std::unique_ptr<SendBatch> batch(new SendBatch);
  batch->ring_.reset(new Ring);
  if (const int error = batch->ring_->open(); error != 0) {
    return Error{Errc::unsupported, "io_uring: " + base::system_message(error)};
  }
  return batch;
}

#else

struct SendBatch::Ring {
  bool same_process = false;
  static bool send(std::span<Entry>) noexcept { return false; }
};

Result<std::unique_ptr<SendBatch>> SendBatch::create() {
  return Error{Errc::unsupported, "io_uring: this Parley was built without liburing"};
}

#endif

void SendBatch::Close::operator()(Ring* ring) const noexcept { delete ring; }

SendBatch::~SendBatch() = default;

void SendBatch::add(Connection* who, int socket, std::size_t size) noexcept {
  entries_[count_++] = {who, room(), static_cast<std::uint32_t>(size), socket, not_sent};
  used_ += size;
}

std::span<const SendBatch::Entry> SendBatch::send() noexcept {
  const std::span<Entry> entries = std::span(entries_).first(count_);
  if (count_ >= worth_a_ring && ring_ != nullptr) {
    if (!ring_->same_process || !ring_->send(entries)) ring_.reset();
  }
  for (Entry& entry : entries) {
    if (entry.result == not_sent) send_alone(entry);
  }
  return entries;
}

}  // namespace parley::net
