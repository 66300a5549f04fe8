// lmdb/read_threads.cpp: see the header.
#include "lmdb/read_threads.hpp"

#include <system_error>
#include <utility>

#include "base/os.hpp"

namespace parley::lmdb {

bool ReadThreads::post(std::function<void()>& task) {
  std::lock_guard lock(mutex_);
  if (stopping_ || tasks_.size() >= most_waiting) return false;
  if (threads_.size() < thread_count) {
    const base::SignalBlock block;
    threads_.reserve(thread_count);
    try {
      while (threads_.size() < thread_count) threads_.emplace_back([this] { run(); });
    } catch (const std::system_error&) {  // the process may have no more threads
      if (threads_.empty()) return false;
    }
  }
  tasks_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

void ReadThreads::join() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void ReadThreads::run() {
  base::name_thread("parley-read");
  if (start_) start_();
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) break;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  if (stop_) stop_();
}

}  // namespace parley::lmdb
