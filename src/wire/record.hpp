// wire/record.hpp: the stored and sent form of one event: a size-prefixed FlatBuffers table padded
// to 8 (DESIGN §3.3).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/event.hpp"
#include "parley/ids.hpp"
#include "parley/message.hpp"
#include "parley/payload.hpp"

namespace parley::wire {

/// The reactions on one message and the results of its poll, complete.
struct Tally {
  Seq seq = 0;
  std::uint64_t revision = 0;  // grows with every change
  std::vector<Reaction> reactions;
  std::optional<PollResults> poll{};
};

/// What a poll asks, and how.
struct PollTerms {
  std::vector<std::string_view> options{};
  bool multiple = false, anonymous = false;
  std::int64_t closes_ms = 0;  // by itself; 0: never
};

/// What a message carries beside its content.
struct Extras {
  std::vector<UserId> mentions{};  // stored: ascending, each once
  MentionScope mention_scope = MentionScope::none;
  std::vector<Attachment> attachments{};
  std::vector<MessageHeader> headers{};
  friend bool operator==(const Extras&, const Extras&) = default;
};

/// Of a thread's root: what it has come to.
struct ThreadCount {
  std::uint64_t head = 0;     // ordinal of the last reply
  std::uint64_t replies = 0;  // that are there
  Seq last = 0;               // the last reply, deleted or not
  friend bool operator==(const ThreadCount&, const ThreadCount&) = default;
};

/// Every field of a record; views on the way in, views into the record's bytes on the way out.
struct RecordFields {
  Seq seq = 0;
  std::uint64_t ordinal = 0;         // countable messages up to and including this event
  std::uint64_t thread_ordinal = 0;  // dense within the thread, replies only
  std::int64_t time_ms = 0;
  Snowflake id = 0;
  UserId sender;
  EventKind kind = EventKind::message;
  std::uint8_t audience =
      0;                   // 0 everyone, 1 moderators, 2 sender and moderators, 3..15 host groups
  std::uint64_t echo = 0;  // the sender's random bits: its own devices recognise the message
  std::string_view content_type;  // "" = text/plain
  std::string_view body;
  Seq reply_to = 0;
  Seq thread_root = 0;
  UserId target;           // membership events: whom; about a message with audience 2: its sender
  Role role = Role::none;  // membership events: afterwards
  std::string_view title;  // created; settings_changed without `settings`
  ConversationId conversation;           // user streams only: which conversation
  ConversationKind conversation_kind{};  // created; user streams
  std::uint16_t groups = 0;              // visibility_changed
  bool shadowed = false;                 // visibility_changed
  Seq about = 0;                         // edited, deleted, pinned, unpinned: the message
  std::uint64_t about_ordinal = 0;       // deleted
  Extras extras{};                       // messages
  std::optional<Origin> origin;          // messages that were forwarded
  std::optional<PollTerms> poll;         // messages
  std::int64_t expires_ms = 0;           // messages: when it will be deleted; 0: never
  std::int64_t written_ms = 0;           // messages that were imported: when; 0: others
  std::string_view import_id{};          // of those: the host's own id
  Snowflake stream = 0;                  // messages that grew before: as what
  // A message as it stands.
  Seq changed = 0;
  std::int64_t edited_ms = 0;
  bool deleted = false, pinned = false;
  ThreadCount thread;          // of a root
  std::vector<Seq> edits;      // the events that edited it
  std::vector<Tally> tallies;  // a message: at most its own; reactions: every one that changed
  std::optional<SettingsChange> settings;  // settings_changed: what changed
  std::int64_t until_ms = 0;               // muted, banned
  std::string_view reason;
};

/// Builds a record. The result is 8-aligned, its size a multiple of 8, in one allocation.
Payload build_record(const RecordFields& fields);

/// Reads a record that was built by this code and checked by its envelope's checksum (no verifier).
RecordFields read_record(Bytes record);

/// What decides who may see an event: far quicker to read than all of it.
struct Glance {
  std::uint8_t audience = 0;
  Seq last_edit = 0;  // of a message as it stands; 0: none
};
Glance glance(Bytes record);

/// Verifies foreign bytes (8-aligned, exactly one size-prefixed record, limits from the size), then
/// reads them; nothing when they are no record.
std::optional<RecordFields> verify_record(Bytes record);

/// The public view of a record; the second form for an event that is as it was made, where it is.
Event to_event(const ConversationId& conversation, const Epoch& epoch, Payload record, Mark mark);
void to_event(const ConversationId& conversation, const Epoch& epoch, Payload record, Mark mark,
              Event& event);

}  // namespace parley::wire
