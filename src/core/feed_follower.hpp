// core/feed_follower.hpp: reads the store's change feed and derives users' list rows from
// memberships (DESIGN §5.6, STORE §10).
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/conversation.hpp"
#include "core/effects.hpp"
#include "core/shard.hpp"
#include "store/layout.hpp"

namespace parley::core {

/// Beside that it sees to it that stored reactions are told by their conversation's stream.
/// Runs on shard 0. A note says whose membership moved; the member row, read now, says what it is
/// now. Idempotent, so entries may come twice. The position is kept in the system partition
/// "consumer:lists" at most every second; a lost position costs repetition, a trimmed feed a
/// rebuild from every partition.
class FeedFollower {
 public:
  explicit FeedFollower(ShardState& shard) : shard_(shard) {}
  void start();
  void kick();  // there may be news
  /// Runs `then` with true when the lists show what was committed before this call, or, while the
  /// store cannot be read, with false at once.
  using Current = std::function<void(bool current)>;
  void when_current(Current then);
  /// The user's list row of that conversation, from the membership, though no note asks for it.
  void derive(ConversationId conversation, UserId user, std::function<void()> then) {
    read_rows(conversation, {user}, std::move(then));
  }
  [[nodiscard]] bool idle() const noexcept { return !busy_ && !again_ && started_; }
  void stop() { stopping_ = true; }

 private:
  struct Work;
  using Next = std::function<void()>;
  void read_position();
  void poll();
  void process(std::shared_ptr<Work> work);
  void next_entry(const std::shared_ptr<Work>& work, std::vector<std::size_t>& waiting);
  void partition_done(const std::shared_ptr<Work>& work);
  void entry(const Changes::Entry& entry, Next next);
  void retell(ConversationId conversation, Seq seq, std::uint64_t revision);
  void ask_to_retell(ConversationId conversation, Seq seq, std::uint64_t revision,
                     std::uint64_t number);
  void read_users(ConversationId conversation, Seq first, Seq last, Next next);
  struct Asked;  // who asked to be let in, and what became of it
  void unless_ended(ConversationId conversation, Next ended, Next otherwise);
  void tell_requests(ConversationId conversation, std::vector<Asked> asked, Next next);
  void tell_space(ConversationId conversation, Seq as_of, Next next);
  void read_rows(ConversationId conversation, std::vector<UserId> users, Next next);
  void apply(ConversationId conversation, std::vector<UserId> users, Next next,
             Result<Cells> cells);
  void rebuild(std::uint8_t space, std::string after, std::function<void()> then);
  void rebuild_partition(std::uint8_t space, std::shared_ptr<std::vector<std::string>> ids,
                         std::size_t at, std::string from, std::function<void()> then);
  void page_done(std::shared_ptr<Work> work);
  void serve(std::vector<Current>& waiters, bool current);
  void save_later();
  void save_position();
  void read_saved();
  void retry(std::function<void()> step, const Error& error);

  ShardState& shard_;
  bool started_ = false, busy_ = false, again_ = false, stopping_ = false, saving_ = false;
  std::string position_, saved_;
  std::vector<Current> waiting_, serving_;  // for the next poll, for the end of this one
  std::string candidate_;                   // to be kept once what came before it is told
  std::set<std::uint64_t> telling_;         // reactions whose conversations were asked to tell them
  std::uint64_t next_telling_ = 1, save_after_ = 0;
  bool save_waits_ = false;
  std::string guard_;  // of the consumer partition; empty: absent
  std::uint64_t revision_ = 0;
  Effects::Timer save_timer_ = Effects::Timer::none;
  int failures_ = 0;
};

}  // namespace parley::core
