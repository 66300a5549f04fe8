// core/growing.hpp: messages that grow while they are written, at the homes of their conversations:
// in memory only, told to those who look.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/conversation.hpp"
#include "core/effects.hpp"
#include "core/shard.hpp"
#include "wire/messages.hpp"

namespace parley::core {

struct ShardState;

/// All of a shard. One ends when its message is stored, its sender takes it back or may not write
/// any more, or its session was found gone for limits::stream_orphaned.
class Growing {
 public:
  explicit Growing(ShardState& shard) : shard_(shard) {}

  void start(SessionRef ref, const Caller& caller, const wire::StartStream& start,
             Then<wire::StreamStarted> then);
  void append(SessionRef ref, const Caller& caller, wire::AppendStream append, Then<void> then);
  void cancel(const Caller& caller, const wire::CancelStream& cancel);
  /// For somebody who may read the conversation.
  [[nodiscard]] Result<wire::Streamed> text(const wire::GetStream& get);

  /// Whether somebody else is the sender of that one, as far as the user may know of it.
  [[nodiscard]] bool of_another(const ConversationId& id, Snowflake stream, UserId user) noexcept;

  /// Somebody begins to look: is told that they are there, and asks for what it wants.
  void announce(const ConversationId& id, SessionRef to);
  /// What their texts take in memory.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  void published(const Published& events);
  void left(const ConversationId& id, UserId user);
  void ended(const ConversationId& id);

 private:
  struct Stream {
    wire::Streamed known;    // `text`: all of it
    std::uint64_t told = 0;  // bytes
    bool unheard = false;    // its sender is heard by nobody
    SessionRef session;      // that appended last
    std::chrono::steady_clock::time_point told_at{};
    std::chrono::steady_clock::time_point orphaned_at{};  // zero: its session was there
    Effects::Timer timer = Effects::Timer::none;
  };
  using Streams = std::vector<Stream>;

  [[nodiscard]] Stream* find(const ConversationId& id, Snowflake stream) noexcept;
  void begin(SessionRef ref, const Caller& caller, const wire::StartStream& start, bool unheard,
             const Then<wire::StreamStarted>& then);
  void take(SessionRef ref, UserId sender, const wire::AppendStream& append, bool heard,
            const Then<void>& then);
  void tell(Stream& stream, bool ended);
  void tell_all(Stream& stream);
  void tell_later(Stream& stream);
  void beat(const ConversationId& id, Snowflake stream);
  void session_gone(const ConversationId& id, Snowflake stream, SessionRef session);
  /// Ends those that `which` names.
  template <class Which>
  void end(const ConversationId& id, Which which);

  ShardState& shard_;
  std::unordered_map<ConversationId, Streams> streams_;
  std::unordered_map<UserId, std::size_t> of_user_;  // how many; never 0
  std::size_t bytes_ = 0;                            // of all texts
};

}  // namespace parley::core
