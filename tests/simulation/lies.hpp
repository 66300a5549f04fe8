// lies.hpp: bugs planted in the harness, between engine, store and clients, to prove that the
// checker sees them.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::simulation {

enum class Lie : std::uint8_t {
  none,
  unknown_is_done,    // the store's `unknown` is passed on as `done`
  failed_is_done,     // the store's `failed` is passed on as `done`
  ack_before_commit,  // `done` is told at once, the commit is carried out later
  no_condition,       // commits compare the guard with nothing: whatever stands there is replaced
  drop_event,         // one push of events never reaches the session
  repeat_event,       // one push of events reaches it twice
  change_event,       // one byte of one record differs
  forget_ack,         // one request is never answered
  other_seq,          // one ack names the seq after its own
  receipts_go_back,   // last write wins: an old receipt is told again
  resume_off_by_one,  // a range begins one event late
  caught_up,          // a cursor behind the head is told it is the head
  never_forked,       // `forked` is answered as caught_up
  lost_write,         // one commit in a hundred is told `done` and dropped
  wrong_unread,       // one list entry counts one more
  lost_overlay,       // a message that was changed is stored as it was
  lost_reactor,       // a reaction is counted, its row is not stored
  lost_ballot,        // a vote is counted, its ballot is not stored
  wrong_online,       // one more is told to be online
  overtaking,         // a send is handed to the engine after the next one of its session
  let_in,             // who is denied a look at a conversation's members is given it
  ghost,              // nobody is told that somebody went offline
  lost_children,      // a space in a list lacks one of its channels
  lost_schedule,      // a message to be sent later is answered, not stored
  lost_erase,         // what lies below the floor stays
  lost_hold,          // the engine is not told of holds, the store is
  lost_own_deletion,  // what a user deleted for itself is answered, not stored
  other_user,         // one welcome names another user
  lost_import_id,     // the ids of what was imported are not stored
  lost_import,        // the last message of an import is answered, not imported
  short_export,       // a page of an export lacks its first event
  spared_body,        // a message of who is erased is said to be deleted
  lost_counts,        // how many have read so far is told, not stored
  shown_to_one,       // one session is pushed what its user may not see
  shown_in_history,   // a page of history shows it to one
  lost_shadow,        // a shadow ban is answered, not carried out
  loud_shadow,        // a shadow ban is an event, and not in the member's row
  lost_groups,        // the groups of a member are an event, and more in the member's row
  other_source,       // the message before the one that was asked for is forwarded
  stored_refusal,     // what the host refuses is stored
  lost_rewriting,     // what the host writes anew is stored as it came
  lost_note,          // what the host notes on a message is not stored
  other_reason,       // a refusal has other words than the host's
  burned_number,      // the number of what was refused is said to be taken
  double_key,         // what has a string key is stored once more when it is repeated
  other_mark,         // the events of users' streams have other marks than their heads
  count_
};

struct LieName {
  Lie lie;
  std::string_view name;
};
inline constexpr std::array<LieName, static_cast<std::size_t>(Lie::count_)> lie_names = {{
    {Lie::none, "none"},
    {Lie::unknown_is_done, "unknown_is_done"},
    {Lie::failed_is_done, "failed_is_done"},
    {Lie::ack_before_commit, "ack_before_commit"},
    {Lie::no_condition, "no_condition"},
    {Lie::drop_event, "drop_event"},
    {Lie::repeat_event, "repeat_event"},
    {Lie::change_event, "change_event"},
    {Lie::forget_ack, "forget_ack"},
    {Lie::other_seq, "other_seq"},
    {Lie::receipts_go_back, "receipts_go_back"},
    {Lie::resume_off_by_one, "resume_off_by_one"},
    {Lie::caught_up, "caught_up"},
    {Lie::never_forked, "never_forked"},
    {Lie::lost_write, "lost_write"},
    {Lie::wrong_unread, "wrong_unread"},
    {Lie::lost_overlay, "lost_overlay"},
    {Lie::lost_reactor, "lost_reactor"},
    {Lie::lost_ballot, "lost_ballot"},
    {Lie::wrong_online, "wrong_online"},
    {Lie::overtaking, "overtaking"},
    {Lie::let_in, "let_in"},
    {Lie::ghost, "ghost"},
    {Lie::lost_children, "lost_children"},
    {Lie::lost_schedule, "lost_schedule"},
    {Lie::lost_erase, "lost_erase"},
    {Lie::lost_hold, "lost_hold"},
    {Lie::lost_own_deletion, "lost_own_deletion"},
    {Lie::other_user, "other_user"},
    {Lie::lost_import_id, "lost_import_id"},
    {Lie::lost_import, "lost_import"},
    {Lie::short_export, "short_export"},
    {Lie::spared_body, "spared_body"},
    {Lie::lost_counts, "lost_counts"},
    {Lie::shown_to_one, "shown_to_one"},
    {Lie::shown_in_history, "shown_in_history"},
    {Lie::lost_shadow, "lost_shadow"},
    {Lie::loud_shadow, "loud_shadow"},
    {Lie::lost_groups, "lost_groups"},
    {Lie::other_source, "other_source"},
    {Lie::stored_refusal, "stored_refusal"},
    {Lie::lost_rewriting, "lost_rewriting"},
    {Lie::lost_note, "lost_note"},
    {Lie::other_reason, "other_reason"},
    {Lie::burned_number, "burned_number"},
    {Lie::double_key, "double_key"},
    {Lie::other_mark, "other_mark"},
}};

constexpr std::string_view name_of(Lie lie) noexcept {
  return lie_names[static_cast<std::size_t>(lie)].name;
}
constexpr std::optional<Lie> lie_named(std::string_view name) noexcept {
  for (const auto& entry : lie_names) {
    if (entry.name == name) return entry.lie;
  }
  return std::nullopt;
}

}  // namespace parley::simulation
