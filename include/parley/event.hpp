// parley/event.hpp: the unit of a conversation's stream, as a view over the shared record.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/ids.hpp"
#include "parley/joining.hpp"
#include "parley/message.hpp"
#include "parley/payload.hpp"
#include "parley/settings.hpp"

namespace parley::inline v0 {

/// The kind of an event as stored and sent; append-only, numbers are never reused. Readers ignore
/// kinds they do not know (their seq still counts).
enum class EventKind : std::uint8_t {
  created = 1,  // always seq 1
  message = 2,
  joined = 3,        // `target` came in by itself
  left = 4,          // `target` went by itself
  added = 5,         // `target` was added by `sender`
  removed = 6,       // `target` was removed by `sender`; an authority event
  role_changed = 7,  // `target` is `role` from here on; an authority event
  settings_changed = 8,
  edited = 9,      // a message has another content from here on
  deleted = 10,    // a message is gone; its seq and ordinal stay
  reactions = 11,  // what is on some messages now, results of polls too: complete, newest wins
  pinned = 12,
  unpinned = 13,
  banned = 14,  // `target`; a member was `removed` by the event before. An authority event
  unbanned = 15,
  muted = 16,  // `target`; an authority event
  unmuted = 17,
  // `target` asks to be let in, and what became of it; for those who may answer. See
  // JoinRequestChange.
  join_requested = 52,
  join_approved = 53,
  join_denied = 54,
  join_withdrawn = 55,
  child_opened = 56,        // spaces: a channel is open to all members from here on; ChildChange
  child_closed = 57,        // spaces: not any more, or it was deleted
  hidden = 25,              // stands for an event that this reader may not see: nothing to show
  visibility_changed = 26,  // `target` sees other groups' events, or is shadow banned; audience 1
  ended = 29,               // deleted for good: the last event, and soon gone as well
  list_entered = 32,        // user streams only: conversation entered
  list_left = 33,           // user streams only: conversation left
  list_set = 34,            // user streams only: the user set something about a conversation
  devices_changed = 35,     // user streams only: a device came, was renamed, revoked or forgotten
  settings_set = 36,        // user streams only: UserSettings
  blocks_changed = 47,      // user streams only: the user blocks somebody, or does no more
  own_request = 46,         // user streams only: a request of the user's own to join
  scheduled = 43,           // user streams only: a message waits to be sent later, or does no more
};

/// One sort of reaction on a message.
struct Reaction {
  std::string_view key{};  // any short string, an emoji mostly
  std::uint64_t count = 0;
  /// Who: everybody while limits::named_reactors suffice for the whole message, else nobody; then
  /// Session::reactors() pages them.
  std::vector<UserId> users{};
};

/// What a poll has come to: of each option how many chose it.
struct PollResults {
  std::vector<std::uint64_t> votes{};
  std::uint64_t voters = 0;
  bool closed = false;  // no vote is taken any more
};
/// A poll as it stands. What a user chose: Session::ballot(); who chose what: Session::voters().
struct Poll {
  std::vector<std::string_view> options{};
  bool multiple = false;   // more than one may be chosen
  bool anonymous = false;  // nobody is told who chose what
  WallTime closes{};       // by itself; zero: never
  PollResults results{};   // as many votes as options
};

/// Somebody wrote something. As it stands: pages of history show a message with all later changes.
/// A change that comes as an event with a seq above `changed` is still to be applied.
struct Message {
  std::string_view content_type{};  // "text/plain" unless the sender said otherwise
  std::string_view body{};          // any bytes, up to EngineOptions::max_body; empty when deleted
  Seq reply_to = 0;                 // zero: none
  WallTime expires{};               // when it will be deleted; zero: never
  /// When it was written elsewhere, of a message that was imported; zero: here, at Event::time.
  WallTime written{};
  std::string_view import_id{};  // of an imported one: the host's own id
  Snowflake stream = 0;          // the growing text in whose place it comes; zero: none
  Seq changed = 0;               // the event that changed it last; zero: as written
  WallTime edited{};             // when its content was changed last; zero: never
  bool deleted = false;          // a tombstone
  bool pinned = false;
  std::vector<Reaction> reactions{};
  std::vector<UserId> mentions{};  // ascending
  MentionScope mention_scope = MentionScope::none;
  std::vector<Attachment> attachments{};
  std::vector<MessageHeader> headers{};
  std::optional<Origin> forwarded{};  // none: written here
  // Threads. A reply has a root and a dense ordinal there, and none in the conversation: it is not
  // counted as unread. A root tells what its thread has come to.
  Seq thread_root = 0;  // zero: no reply in a thread
  std::uint64_t thread_ordinal = 0;
  std::uint64_t replies = 0;  // without deleted ones
  Seq last_reply = 0;         // zero: none
  std::optional<Poll> poll{};
  [[nodiscard]] std::string_view text() const noexcept { return body; }
};
/// A message's content was replaced by its sender.
struct Edit {
  Seq message = 0;
  std::string_view content_type{};
  std::string_view body{};
  [[nodiscard]] std::string_view text() const noexcept { return body; }
};
/// A message was deleted for everybody, by its sender or by somebody who may.
struct Deletion {
  Seq message = 0;
  std::uint64_t ordinal = 0;  // of the message: below the read position it was never unread
  Seq thread_root = 0;        // of a reply in a thread: the root has one reply less
};
/// A message was pinned or unpinned.
struct PinChange {
  Seq message = 0;
  bool pinned = false;
};
/// The reactions that are on some messages now, and the results of polls. Complete for each:
/// replaces what was known.
struct ReactionsChange {
  struct OnMessage {
    Seq message = 0;
    std::vector<Reaction> reactions{};
    std::optional<PollResults> poll{};  // none: no poll, or nobody has voted yet
  };
  std::vector<OnMessage> messages{};
};
/// Somebody came, went, was removed or has another role.
struct MembershipChange {
  UserId user{};
  Role role = Role::none;  // afterwards
};
/// The host put somebody into other groups, or shadow banned them. Moderators see it.
struct VisibilityChange {
  UserId user{};
  std::vector<std::uint8_t> groups{};  // audiences from audience::first_group on
  bool shadow_banned = false;          // what they write is for themselves and moderators
};
/// The conversation was created, or its settings changed: what is given is so from here on.
struct SettingsChange {
  std::optional<std::string_view> title{};
  std::optional<std::string_view> description{};
  std::optional<std::string_view> avatar{};
  std::optional<std::string_view> metadata{};
  std::optional<Role> who_sends{};
  std::optional<Role> who_adds{};
  std::optional<Role> who_pins{};
  std::optional<Role> who_changes{};
  std::optional<JoinRule> join{};
  std::optional<bool> archived{};
  std::optional<std::chrono::seconds> slow_mode{};
  std::optional<std::chrono::seconds> expires_after{};
};
/// Somebody was muted or banned, or is not any more.
struct RestrictionChange {
  UserId user{};
  RestrictionKind kind = RestrictionKind::mute;
  bool on = true;
  WallTime until{};  // zero: without end
  std::string_view reason{};
};
/// Somebody asks to be let in (Session::join_requests has the note), or does no more.
struct JoinRequestChange {
  UserId user{};
  JoinRequestState state = JoinRequestState::waiting;
};
/// A channel of this space is open to every member from here on, or is not any more.
struct ChildChange {
  ConversationId child{};
  bool open = false;
  std::string_view title{};  // of one that was opened
};
/// A kind this build does not know: ignore it.
struct UnknownEvent {};

/// One event. Views point into `record`, which every receiver shares: copy the Event (cheap) to
/// keep them valid. Thread: any, immutable.
struct Event {
  ConversationId conversation{};
  Epoch epoch{};
  Seq seq = 0;
  Mark mark = 0;              // after this event; zero inside a batch that ended later
  std::uint64_t ordinal = 0;  // countable messages up to and including this event
  Snowflake id = 0;
  WallTime time{};
  UserId sender{};  // none: the system
  EventKind kind = EventKind::message;
  std::uint8_t audience = audience::everyone;  // who else sees it
  std::variant<UnknownEvent, Message, MembershipChange, SettingsChange, Edit, Deletion, PinChange,
               ReactionsChange, VisibilityChange, RestrictionChange, JoinRequestChange, ChildChange>
      content{};
  Payload record{};  // the stored and sent bytes

  /// The content as T (Message, Edit …), or null when it is another.
  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return std::get_if<T>(&content);
  }
  [[nodiscard]] Cursor cursor() const noexcept { return {epoch, seq, mark}; }
};

/// A thread's root as it stands, and where this user is in it.
struct ThreadState {
  Event root{};
  bool followed = false;  // who wrote the root, replied or was mentioned there, until they say no
  Seq read = 0;           // replies up to here are read
  std::uint64_t unread = 0;  // replies after `read`, without deleted ones: a function
};

/// A piece of a message that grows while it is written (Session::start_stream): never stored, told
/// to those who look. It goes on where the last one ended; with a gap (`at` is more than what was
/// told so far: one came midway, or was slow) Session::stream_text has all of it. Not told of for
/// limits::stream_lost: it is over.
struct StreamPiece {
  ConversationId conversation{};
  Snowflake stream = 0;
  UserId sender{};
  std::string_view content_type{};  // "" = text/plain
  Seq reply_to = 0;
  Seq thread_root = 0;
  std::uint64_t at = 0;     // bytes before `text`
  std::string_view text{};  // UTF-8; may be empty
  /// Nothing more comes. Of one that was stored as a message (Message::stream), after its event.
  bool ended = false;
};
/// What this user has chosen in a poll.
struct Ballot {
  ConversationId conversation{};
  Seq message = 0;
  std::vector<std::uint8_t> options{};  // from 0, ascending; empty: no vote
};

/// Messages that this user deleted for itself alone (Session::delete_for_me), on whatever device:
/// they go from the screen, and from what a client keeps.
struct DeletedForMe {
  ConversationId conversation{};
  std::vector<Seq> messages{};  // ascending
};

/// An ephemeral thing: fanned out to those who look, never stored, newest wins, first to be
/// dropped.
struct Signal {
  ConversationId conversation{};
  UserId sender{};
  std::string_view kind{};  // `typing`, `recording`, or a host's own
  std::string_view data{};  // up to limits::signal_data bytes
  /// It holds for so long from its arrival, unless a newer one of its sender and kind comes. Zero:
  /// it ended.
  std::chrono::milliseconds lasts{};
};
inline constexpr std::string_view typing = "typing";
inline constexpr std::string_view recording = "recording";

/// The engine's answer to a send: the message is committed at the declared durability.
struct Ack {
  ConversationId conversation{};
  Seq seq = 0;
  WallTime time{};
  std::uint64_t number = 0;  // the outbox number it answers; zero without one
  bool repeated = false;     // the key was known: this is the first answer again
};

/// The engine's answer to a cursor: exactly one of these, never a part presented as the whole.
enum class Resume : std::uint8_t {
  caught_up = 1,   // nothing new; `head` is the cursor
  range = 2,       // every event after the cursor follows
  snapshot = 3,    // too far behind: the last limits::snapshot_tail events follow `head`; or no
                   // cursor: what comes after the head does. History has what was before
  trimmed = 4,     // events up to `floor` - 1 are gone; `floor_mark` is the mark before the floor
  forked = 5,      // another history: reload, and show that messages were lost
  ahead = 6,       // the store knows less than the cursor: data was lost or restored
  not_member = 7,  // former member; `last_visible` was the last event
  denied = 8,      // absent or forbidden
};
struct ResumeAnswer {
  ConversationId conversation{};
  Resume answer = Resume::denied;
  Level level = Level::none;
  Cursor head{};
  std::uint64_t head_ordinal = 0;
  Seq floor = 1;
  Mark floor_mark = 0;
  Seq last_visible = 0;
};

}  // namespace parley::inline v0
