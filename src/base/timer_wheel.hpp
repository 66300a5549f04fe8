// timer_wheel.hpp: many one-shot timers with O(1) start and cancel; the caller brings the clock.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace parley::base {

/// A hierarchical wheel: 6 levels of 64 slots, ticks of 10 ms, so 21 years ahead; longer delays
/// are cut to that. A callback runs from advance(), never before its deadline and at most one tick
/// after it (given that advance() is called then); those of one advance() run in deadline order.
/// Callbacks may start and cancel timers, themselves included; what one starts runs at a later
/// tick. One that throws ends advance(); the next call goes on with the rest. Ownership: the wheel
/// owns the callbacks, and destroys one when it has run or was cancelled. Thread: one; no locks.
class TimerWheel {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;
  using Callback = std::function<void()>;
  /// Slot in the low half, generation in the high; zero is no timer.
  enum class Id : std::uint64_t { none = 0 };
  static constexpr std::chrono::milliseconds tick{10};

  explicit TimerWheel(Time start) : start_(start) { heads_.fill(nil); }
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Runs `callback` once, in the first advance(now) with now >= deadline rounded up to a tick.
  Id start(Time deadline, Callback callback) {
    const std::uint32_t index = take_node();
    Node& node = nodes_[index];
    node.deadline = deadline;
    node.order = next_order_++;
    node.callback = std::move(callback);
    node.due = std::clamp(tick_at_or_after(deadline), current_ + 1, current_ + horizon);
    place(index);
    ++size_;
    return id_of(index, node.generation);
  }

  /// True when the timer was waiting and will not run now. Ids of timers that have run or were
  /// cancelled are harmless, also after their slot is used again.
  bool cancel(Id id) noexcept {
    const auto index = static_cast<std::uint32_t>(static_cast<std::uint64_t>(id));
    const auto generation = static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) >> 32);
    if (index >= nodes_.size()) return false;
    Node& node = nodes_[index];
    if (node.generation != generation || node.place == nowhere) return false;
    unlink(index);
    release(index);
    return true;
  }

  /// Runs what is due at `now`; a time that went backward changes nothing. Not re-entrant: a call
  /// from inside a callback does nothing. Runs at most `limit` callbacks and returns how many ran;
  /// what is left over runs first in the next call.
  std::size_t advance(Time now, std::size_t limit = std::numeric_limits<std::size_t>::max()) {
    if (advancing_) return 0;
    const Advancing scope(advancing_);
    const std::uint64_t target = tick_at_or_before(now);
    std::size_t ran = heads_[running] != nil ? run_list(limit) : 0;  // left there by the last call
    while (current_ < target && ran < limit) {
      if (size_ == 0) {
        current_ = target;
        break;
      }
      skip_empty_ticks(target);
      ++current_;
      cascade();
      ran += run_slot(limit - ran);
    }
    return ran;
  }

  /// When advance() must be called next, or nothing when no timer waits. May be early (it is the
  /// lower edge of a far timer's slot), never late. O(levels).
  [[nodiscard]] std::optional<Time> next_deadline() const noexcept {
    if (size_ == 0) return std::nullopt;
    if (heads_[running] != nil && !advancing_) return start_;
    std::uint64_t best = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t level = 0; level < levels; ++level) {
      if (used_[level] == 0) continue;
      const unsigned shift = bits * static_cast<unsigned>(level);
      const std::uint64_t now = current_ >> shift;
      const auto from = static_cast<int>((now + 1) & mask);
      const auto ahead = static_cast<unsigned>(std::countr_zero(std::rotr(used_[level], from)));
      best = std::min(best, (now + 1 + ahead) << shift);
    }
    if (best == std::numeric_limits<std::uint64_t>::max()) return start_;  // all in this tick
    return start_ + std::chrono::duration_cast<Clock::duration>(tick) * static_cast<long>(best);
  }

  /// Cancels all timers. What their destructors start stays.
  void clear() noexcept {
    const std::size_t count = nodes_.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (nodes_[i].place == nowhere) continue;
      unlink(static_cast<std::uint32_t>(i));
      release(static_cast<std::uint32_t>(i));
    }
  }

  /// Timers waiting.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr unsigned bits = 6;
  static constexpr std::size_t slots = std::size_t{1} << bits;
  static constexpr std::uint64_t mask = slots - 1;
  static constexpr std::size_t levels = 6;
  static constexpr std::uint64_t horizon =  // two slots of the last level short of a full turn
      (std::uint64_t{1} << (bits * levels)) - (std::uint64_t{2} << (bits * (levels - 1)));
  static constexpr std::uint32_t nil = 0xffffffff;
  static constexpr std::uint32_t nowhere = 0xffffffff;
  static constexpr std::uint32_t running = levels * slots;  // the list of the tick being run

  struct Node {
    Time deadline;
    std::uint64_t due = 0;
    std::uint64_t order = 0;
    Callback callback;
    std::uint32_t generation = 1;
    std::uint32_t previous = nil;
    std::uint32_t next = nil;
    std::uint32_t place = nowhere;  // level * slots + slot
  };

  static Id id_of(std::uint32_t index, std::uint32_t generation) noexcept {
    return static_cast<Id>(std::uint64_t{generation} << 32 | index);
  }

  [[nodiscard]] std::uint64_t tick_at_or_before(Time time) const noexcept {
    return time <= start_ ? 0 : static_cast<std::uint64_t>((time - start_) / tick);
  }
  [[nodiscard]] std::uint64_t tick_at_or_after(Time time) const noexcept {
    if (time <= start_) return 0;
    const auto span = time - start_;
    return static_cast<std::uint64_t>(span / tick) + (span % tick != Clock::duration::zero());
  }

  std::uint32_t take_node() {
    if (free_ == nil) {
      nodes_.emplace_back();
      return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    const std::uint32_t index = free_;
    free_ = nodes_[index].next;
    return index;
  }

  void release(std::uint32_t index) noexcept {
    Node& node = nodes_[index];
    Callback dead = std::move(node.callback);  // destroyed last: its destructor may start timers
    node.callback = nullptr;
    if (++node.generation == 0) node.generation = 1;
    node.next = free_;
    free_ = index;
    --size_;
  }

  /// Puts a node into the finest level whose window reaches its due tick.
  void place(std::uint32_t index) noexcept {
    const std::uint64_t due = nodes_[index].due;
    std::size_t level = 0;
    while (level + 1 < levels && (due >> (bits * level)) - (current_ >> (bits * level)) >= slots) {
      ++level;
    }
    const auto slot = static_cast<std::uint32_t>((due >> (bits * level)) & mask);
    used_[level] |= std::uint64_t{1} << slot;
    link(index, static_cast<std::uint32_t>(level * slots) + slot);
  }

  void link(std::uint32_t index, std::uint32_t where) noexcept {
    Node& node = nodes_[index];
    node.place = where;
    node.previous = nil;
    node.next = heads_[where];
    if (node.next != nil) nodes_[node.next].previous = index;
    heads_[where] = index;
  }

  void unlink(std::uint32_t index) noexcept {
    Node& node = nodes_[index];
    if (node.previous != nil) {
      nodes_[node.previous].next = node.next;
    } else {
      heads_[node.place] = node.next;
      if (node.next == nil && node.place < running) {
        used_[node.place / slots] &= ~(std::uint64_t{1} << (node.place % slots));
      }
    }
    if (node.next != nil) nodes_[node.next].previous = node.previous;
    node.place = nowhere;
  }

  /// Jumps over ticks in which no slot is due and no level turns over onto a used slot.
  void skip_empty_ticks(std::uint64_t target) noexcept {
    const std::uint64_t now = current_;
    const auto from = static_cast<int>((now + 1) & mask);
    const std::uint64_t near = std::rotr(used_[0], from);
    const std::uint64_t to_due = near != 0 ? static_cast<unsigned>(std::countr_zero(near)) : slots;
    const std::uint64_t to_turn = mask - (now & mask);  // ticks before the next cascade
    current_ = std::min({now + to_due, now + to_turn, target - 1});
  }

  void cascade() noexcept {
    for (std::size_t level = 1; level < levels; ++level) {
      if ((current_ & ((std::uint64_t{1} << (bits * level)) - 1)) != 0) return;
      const auto slot = static_cast<std::uint32_t>((current_ >> (bits * level)) & mask);
      const auto where = static_cast<std::uint32_t>(level * slots) + slot;
      std::uint32_t index = std::exchange(heads_[where], nil);
      used_[level] &= ~(std::uint64_t{1} << slot);
      while (index != nil) {
        const std::uint32_t next = nodes_[index].next;
        place(index);
        index = next;
      }
    }
  }

  std::size_t run_slot(std::size_t limit) {
    const auto slot = static_cast<std::uint32_t>(current_ & mask);
    if ((used_[0] >> slot & 1) == 0) return 0;
    for (std::uint32_t i = heads_[slot]; i != nil; i = nodes_[i].next) nodes_[i].place = running;
    heads_[running] = std::exchange(heads_[slot], nil);
    used_[0] &= ~(std::uint64_t{1} << slot);
    return run_list(limit);
  }

  std::size_t run_list(std::size_t limit) {
    due_.clear();
    for (std::uint32_t i = heads_[running]; i != nil; i = nodes_[i].next) {
      due_.push_back({nodes_[i].deadline, nodes_[i].order, i, nodes_[i].generation});
    }
    std::sort(due_.begin(), due_.end());
    std::size_t ran = 0;
    for (const Due& due : due_) {
      if (ran == limit) break;
      Node& node = nodes_[due.index];
      if (node.generation != due.generation) continue;  // cancelled by an earlier one
      unlink(due.index);
      const Callback callback = std::exchange(node.callback, nullptr);
      release(due.index);
      ++ran;
      callback();
    }
    return ran;
  }

  struct Advancing {
    explicit Advancing(bool& flag) noexcept : flag_(flag) { flag_ = true; }
    ~Advancing() { flag_ = false; }
    Advancing(const Advancing&) = delete;
    Advancing& operator=(const Advancing&) = delete;
    bool& flag_;
  };

  struct Due {
    Time deadline;
    std::uint64_t order;
    std::uint32_t index;
    std::uint32_t generation;
    bool operator<(const Due& other) const noexcept {
      return deadline != other.deadline ? deadline < other.deadline : order < other.order;
    }
  };

  const Time start_;
  std::uint64_t current_ = 0;  // ticks since start_ that have run
  std::uint64_t next_order_ = 0;
  std::size_t size_ = 0;
  bool advancing_ = false;
  std::uint32_t free_ = nil;
  std::array<std::uint64_t, levels> used_{};  // a bit for each slot that is not empty
  std::array<std::uint32_t, levels * slots + 1> heads_{};
  std::vector<Node> nodes_;
  std::vector<Due> due_;
};

}  // namespace parley::base
