// engine/held_store.hpp: a memory store whose commits can be held back; its reads are those of the
// inner one.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "parley/memory_store.hpp"

namespace parley::test {

/// Thread: any.
class Hold {
 public:
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  void open() {
    std::vector<std::function<void()>> work;
    {
      const std::lock_guard lock(mutex_);
      closed_ = false;
      work.swap(waiting_);
    }
    for (auto& each : work) each();
  }
  /// What waits is never carried out, and nobody is told.
  void drop() {
    std::vector<std::function<void()>> work;
    const std::lock_guard lock(mutex_);
    work.swap(waiting_);
  }
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  void pass(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return waiting_.push_back(std::move(work));
    }
    work();
  }

 private:
  mutable std::mutex mutex_;
  bool closed_ = false;
  std::vector<std::function<void()>> waiting_;
};

class HeldStore : public Store {
 public:
  HeldStore(std::unique_ptr<Store> inner, std::shared_ptr<Hold> hold)
      : inner_(std::move(inner)), hold_(std::move(hold)) {}

  [[nodiscard]] const StoreFacts& facts() const noexcept override { return inner_->facts(); }
  void commit(Batch batch, Done<Committed> done) override {
    hold_->pass([this, batch = std::move(batch), done = std::move(done)]() mutable {
      inner_->commit(std::move(batch), std::move(done));
    });
  }
  void get(Get get, Done<Result<Cells>> done) override {
    inner_->get(std::move(get), std::move(done));
  }
  void scan(Scan scan, Done<Result<Rows>> done) override {
    inner_->scan(std::move(scan), std::move(done));
  }
  void list(std::uint8_t space, Bytes after, std::uint32_t max,
            Done<Result<Listed>> done) override {
    inner_->list(space, after, max, std::move(done));
  }
  void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) override {
    inner_->changes(after, max, std::move(done));
  }
  void forget_changes(Bytes through, Done<Result<void>> done) override {
    inner_->forget_changes(through, std::move(done));
  }
  void close(Done<Result<void>> done) override { inner_->close(std::move(done)); }

 private:
  std::unique_ptr<Store> inner_;
  std::shared_ptr<Hold> hold_;
};

inline StoreOpener held_store(std::shared_ptr<Hold> hold) {
  return [hold = std::move(hold)]() -> Result<std::unique_ptr<Store>> {
    auto inner = memory_store()();
    if (!inner) return std::move(inner).error();
    return std::unique_ptr<Store>(std::make_unique<HeldStore>(std::move(*inner), hold));
  };
}

}  // namespace parley::test
