// core/timers.hpp: wake-ups that survive a crash: rows of space 7, swept by wall-clock time
// (STORE §2).
#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/conversation_commit.hpp"
#include "core/effects.hpp"
#include "core/wall_clock.hpp"
#include "parley/result.hpp"
#include "store/layout.hpp"

namespace parley::core {

struct ShardState;

template <class T>
using Then = std::function<void(Result<T>)>;

/// A wake-up says that rows of a user's or a conversation's own partition may be due. It is stored
/// before the row it is for, so a crash leaves one too many, never one too few; whoever is woken
/// does what is due by its rows, stores the next wake-up and answers. Only then is the wake-up
/// erased, so it may come twice. Each shard keeps the timer shards that fall to it, in partitions
/// of an hour each; a partition that is over and empty is ended.
class Timers {
 public:
  explicit Timers(ShardState& shard) : shard_(shard) {}
  void start();
  void stop();  // nobody is woken any more; what is being stored is
  /// On the shard of the target's timer shard: see ShardState::wake_at.
  void put(const layout::TimerTarget& target, std::int64_t due_ms, Then<void> then);
  /// Nobody needs it; one that stays does no harm.
  void erase(const layout::TimerTarget& target, std::int64_t due_ms);

 private:
  using Name = std::pair<std::uint32_t, std::uint8_t>;  // hour, timer shard
  struct Change {
    std::string key;
    bool put = false;
    std::int64_t due_ms = 0;
    Then<void> then;
  };
  struct Hour {  // one partition
    std::deque<Change> waiting;
    std::optional<std::string> guard;  // none: absent
    bool guard_known = false;
    bool committing = false, waking = false;
    std::int64_t look_at_ms = 0;  // nothing is to be done before
    std::int64_t wait_ms = 0;     // after a pass that left something
    bool left = false;            // this pass did
  };
  struct Round;  // rows of one hour that are being woken

  void list_from(std::string after);
  void change(const layout::TimerTarget& target, std::int64_t due_ms, bool put, Then<void> then);
  void commit(const Name& name);
  void read_guard(const Name& name);
  std::vector<Change> take(Hour& hour);
  void submit(const Name& name);
  void settled(const Name& name, std::vector<Change> changes, std::optional<std::string> guard,
               const Settled& outcome);
  void look_later();
  void look();
  void scan(const Name& name, std::int64_t now, std::string from);
  void scanned(const Name& name, std::int64_t now, const Rows& rows, bool whole);
  void wake(const std::shared_ptr<Round>& round, const layout::TimerKey& timer);
  void woken(const std::shared_ptr<Round>& round);
  void pass_over(const Name& name, std::int64_t now, std::int64_t next);
  void end(const Name& name, const std::string& guard);
  void gone(const Name& name);
  std::int64_t now_ms() noexcept;
  [[nodiscard]] std::string partition(const Name& name) const;

  ShardState& shard_;
  std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);
  bool stopping_ = false;
  WallClock clock_;
  std::map<Name, Hour> hours_;
  Effects::Timer timer_ = Effects::Timer::none;
  std::int64_t looked_ms_ = 0;  // when last
};

/// Where wake-ups are stored.
class WakeStore {
 public:
  /// Answers once it is stored that the target is to be woken at `due_ms`.
  virtual void wake_at(const layout::TimerTarget& target, std::int64_t due_ms, Then<void> then) = 0;
  /// That one is not needed any more. A hint.
  virtual void drop_wake(const layout::TimerTarget& target, std::int64_t due_ms) = 0;

 protected:
  ~WakeStore() = default;
};

/// The wake-up of one owner of due rows: knows by when one surely comes.
class WakeUp {
 public:
  /// Answers once a wake-up at `due_ms` or earlier is stored; dropped when this is gone.
  void ensure(WakeStore& store, const layout::TimerTarget& target, std::int64_t due_ms,
              Then<void> then);
  /// The owner has a row that is due then, and before any other: a wake-up was stored before it,
  /// for that time or, when another row was dropped since, for an earlier one.
  void known(std::int64_t due_ms) noexcept {
    stored_ms_ = due_ms;
    earlier_ = true;
  }
  /// The owner was woken at that time.
  void passed(std::int64_t now_ms) noexcept {
    passed_ms_ = std::max(passed_ms_, now_ms);
    if (earlier_ || (stored_ms_ && *stored_ms_ <= now_ms)) stored_ms_.reset();
    earlier_ = false;
  }
  [[nodiscard]] bool covers(std::int64_t due_ms) const noexcept {
    return stored_ms_ && *stored_ms_ <= std::max(due_ms, passed_ms_ + 1);
  }

 private:
  std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);
  std::optional<std::int64_t> stored_ms_;
  bool earlier_ = false;  // the one that is stored may come before
  std::int64_t passed_ms_ = -1;
};

}  // namespace parley::core
