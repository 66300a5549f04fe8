// lmdb/flusher.cpp: see the header.
#include "lmdb/flusher.hpp"

#include <system_error>

#include "base/os.hpp"

namespace parley::lmdb {

bool Flusher::begin() {
  if (!thread_.joinable()) {
    const base::SignalBlock block;
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {  // the process may have no more threads
      return false;
    }
  }
  std::lock_guard lock(mutex_);
  wanted_ = true;
  changed_.notify_all();
  return true;
}

int Flusher::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !wanted_; });
  return code_;
}

void Flusher::stop() {
  {
    std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Flusher::run() {
  base::name_thread("parley-flush");
  if (start_) start_();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return wanted_ || over_; });
    if (!wanted_) break;
    lock.unlock();
    const int code = ring_.flush();
    lock.lock();
    code_ = code;
    wanted_ = false;
    changed_.notify_all();
  }
  lock.unlock();
  if (stop_) stop_();
}

}  // namespace parley::lmdb
