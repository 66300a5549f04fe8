// core/operations.hpp: one function for each request of a session that has said hello.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/conversation.hpp"
#include "core/session.hpp"
#include "core/shard_state.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// A request at its session. `run` checks what needs no state, then hands over to the home of the
/// conversation or user; the answer comes through Sessions::answer. Lives for the call only.
struct Operations {
  ShardState& shard;
  Sessions& sessions;
  SessionRef ref;
  SessionState& session;
  std::uint32_t number;

  void run(wire::Operation&& operation);

 private:
  void operator()(wire::Hello&& hello);
  void operator()(wire::Send&& send);
  void operator()(wire::Create&& create);
  void operator()(wire::Direct&& direct);
  void operator()(wire::Join&& join);
  void operator()(wire::Leave&& leave);
  void operator()(wire::Add&& add);
  void operator()(wire::Remove&& remove);
  void operator()(wire::SetRole&& set);
  void operator()(wire::Transfer&& transfer);
  void operator()(wire::SetVisibility&& set);
  void operator()(wire::SetTitle&& set);
  void operator()(wire::SetSettings&& set);
  void operator()(wire::GetInfo&& get);
  void operator()(wire::Restrict&& asked);
  void operator()(wire::Restrictions&& asked);
  void operator()(wire::CreateInvite&& create);  // operations_joins.cpp
  void operator()(wire::ListInvites&& list);
  void operator()(wire::RevokeInvite&& revoke);
  void operator()(wire::JoinInvite&& join);
  void operator()(wire::RequestJoin&& ask);
  void operator()(wire::JoinRequests&& asked);
  void operator()(wire::AnswerRequest&& answer);
  void operator()(wire::BlockUser&& block);
  void operator()(wire::ListBlocked&& list);
  void operator()(wire::Subscribe&& subscribe);
  void operator()(wire::History&& history);
  void operator()(wire::MarkRead&& mark);
  void operator()(wire::SendSignal&& signal);
  void operator()(wire::Watch&& watch);
  void operator()(wire::WatchConversation&& watch);
  void operator()(wire::Members&& members);
  void operator()(wire::Lookup&& lookup);
  void operator()(wire::Sync&& sync);
  void operator()(wire::Edit&& edit);
  void operator()(wire::Delete&& erase);
  void operator()(wire::DeleteForMe&& erase);
  void operator()(wire::React&& react);
  void operator()(wire::Vote&& vote);  // operations_polls.cpp
  void operator()(wire::ClosePoll&& close);
  void operator()(wire::GetBallot&& get);
  void operator()(wire::StartStream&& start);  // operations_growing.cpp
  void operator()(wire::AppendStream&& append);
  void operator()(wire::CancelStream&& cancel);
  void operator()(wire::GetStream&& get);
  void operator()(wire::Voters&& voters);
  void operator()(wire::Pin&& pin);
  void operator()(wire::Pins&& pins);
  void operator()(wire::Reactors&& reactors);
  void operator()(wire::SetList&& set);
  void operator()(wire::Schedule&& schedule);  // operations_later.cpp
  void operator()(wire::Unschedule&& unschedule);
  void operator()(wire::ListScheduled&& list);
  void operator()(wire::Thread&& thread);
  void operator()(wire::Threads&& threads);
  void operator()(wire::FollowThread&& follow);
  void operator()(wire::ReadThread&& read);
  void operator()(wire::PageList&& page);
  void operator()(wire::Devices&& devices);
  void operator()(wire::RenameDevice&& rename);
  void operator()(wire::RevokeDevice&& revoke);
  void operator()(wire::SetUser&& set);
  void operator()(wire::SetPresence&& set);
  void operator()(wire::Seen&& seen);
  void operator()(wire::SetRetention&& set);
  void operator()(wire::GetRetention&& get);
  void operator()(wire::End&& end);
  void operator()(wire::PlacesOf&& places);  // operations_host.cpp
  void operator()(wire::OwnDeletionsOf&& asked);
  void operator()(wire::Import&& import);
  void operator()(wire::Forget&& forget);
  void operator()(wire::Ping&& ping);
  void operator()(wire::Bye&& bye);
  void operator()(wire::Unknown&& unknown);

  [[nodiscard]] Caller caller() const {
    return {session.user, session.device, session.hides_reads};
  }
  bool fail(Errc code, const char* text);
  bool too_long_body();
  bool known(const ConversationId& id);  // false: refused
  bool known_message(const ConversationId& id, Seq seq);
  bool within_budget(const ConversationId& id);
  bool has_user();                           // false: refused, the system has no user
  bool is_host();                            // false: refused
  [[nodiscard]] UserId owner(UserId named);  // none: refused
  void read_history(const wire::History& history, const Visible& visible);
  /// Answers, and tells the user's other sessions.
  template <class T>
  static Then<T> telling(ShardState& there, SessionRef ref, std::uint32_t number, UserId user);
};

template <class T>
Then<T> Operations::telling(ShardState& there, SessionRef ref, std::uint32_t number, UserId user) {
  return [&there, ref, number, user](Result<T> state) {
    if (!state) return there.fail(ref, number, std::move(state).error());
    there.at(there.shard_of(user), [user, state = *state](ShardState& here) {
      if (here.users.contains(user) || here.resting.contains(user))
        here.user_home(user).tell(state);
    });
    there.answer(ref, number, std::move(*state));
  };
}

/// Leaves the first of each.
template <class T>
void make_unique(std::vector<T>& values) {
  std::vector<T> seen;
  std::erase_if(values, [&](const T& value) {
    if (std::find(seen.begin(), seen.end(), value) != seen.end()) return true;
    seen.push_back(value);
    return false;
  });
}

/// What an operation that only is done is answered.
inline wire::Answer done() { return wire::Done{}; }

/// A user's line for a conversation, from what its home says.
ListEntry entry_of(const ConversationId& id, const Access& access);
/// A completion that answers `request` with the entry as it stands in the user's list.
Then<Access> opening(ShardState& shard, SessionRef session, std::uint32_t request, UserId user,
                     const ConversationId& id);
/// unread = H - max(R, J, F) - D: DESIGN §3.4. `deleted` counts ordinals above unread_from().
std::uint64_t unread_from(std::uint64_t read, std::uint64_t joined, std::uint64_t floor) noexcept;
std::uint64_t unread_of(std::uint64_t head, std::uint64_t from, std::uint64_t deleted) noexcept;
DeviceId device_id(const std::array<std::uint8_t, 16>& key, UserId user, std::string_view device);
/// Where the direct conversation of a pair lives, whatever the order.
ConversationId direct_id(const std::array<std::uint8_t, 16>& key, layout::Namespace ns, UserId a,
                         UserId b);

}  // namespace parley::core
