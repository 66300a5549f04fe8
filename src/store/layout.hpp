// store/layout.hpp: every key and value over the store contract, in one place
// (docs/design/storage_layout.md). Pure functions.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/ids.hpp"
#include "parley/payload.hpp"
#include "parley/result.hpp"
#include "parley/settings.hpp"
#include "parley/store.hpp"

namespace parley::layout {

using Namespace = std::uint32_t;  // tenants; first in every partition's name

enum Space : std::uint8_t {
  system = 0,
  conversation = 1,
  archive = 2,
  receipt = 3,
  member = 4,
  user = 5,
  reaction = 6,
  timer = 7,
  name = 8,
  personal = 9,
  thread = 10,
};
inline constexpr std::uint16_t channel_member_buckets = 256;
inline constexpr std::uint16_t channel_receipt_buckets = 16;
inline constexpr std::uint8_t timer_shards = 16;
inline constexpr int read_count_shift = 6;  // 64 blocks of a level make one of the next
inline constexpr int archive_shift = 14;    // seqs per archive partition: 2^14

// ---- Partition ids (big-endian, the namespace first) ----
std::string conversation_id(Namespace ns, const ConversationId& id);
std::string archive_id(Namespace ns, const ConversationId& id, Seq seq);
std::string receipt_id(Namespace ns, const ConversationId& id, std::uint16_t bucket);
std::string member_id(Namespace ns, const ConversationId& id, std::uint16_t bucket);
std::string user_id(Namespace ns, UserId id);
std::string reaction_id(Namespace ns, const ConversationId& id, Seq seq);
/// Wake-ups that are due within one hour since 1970; `shard` is timer_shard_of() the target.
std::string timer_id(Namespace ns, std::uint32_t hour, std::uint8_t shard);
std::string name_id(Namespace ns, const std::array<std::uint8_t, 16>& subject_hash);
std::string system_id(std::string_view name);
std::uint16_t bucket_of(UserId user, std::uint16_t buckets) noexcept;

// ---- Row keys ----
std::string event_key(Seq seq);  // 'e' seq8
std::optional<Seq> parse_event_key(Bytes key) noexcept;
std::string sender_key(UserId user, DeviceId device);  // 's' user8 device8
void append_sender_key(std::string& out, UserId user, DeviceId device);
std::string member_key(UserId user);  // 'm' user8
/// A channel's member by a searched_name() ('n' name 0 user8).
std::string member_name_key(std::string_view name, UserId user);
std::optional<UserId> parse_member_name_key(Bytes key) noexcept;
/// What such keys begin with for names with that beginning, and the first key behind them.
std::pair<std::string, std::string> member_name_range(std::string_view prefix);
/// A subject, or the beginning of one, as it is searched for: in one case, without zero bytes, up
/// to limits::member_prefix bytes.
std::string searched_name(std::string_view subject);
std::string overlay_key(Seq seq);                // 'o' seq8
std::string deleted_key(std::uint64_t ordinal);  // 'x' ordinal8
std::string pin_key(Seq seq);                    // 'i' seq8
std::string info_key();                          // 'a' "info"
std::string retention_key();                     // 'a' "retention"
std::string host_key(std::uint32_t day,
                     const std::array<std::uint8_t, 16>& hash);  // 'k' day2 hash16
std::string chunk_key(Seq first);                                // 'c' seq8
std::string receipt_key(UserId user);                            // 'r' user8
std::string read_count_key(std::uint8_t level, Seq block);       // 'h' level1 block8
/// Those of the blocks that hold a position; a block that begins with seq 0 is none.
std::vector<std::string> read_count_keys(Seq position);
std::string reaction_key(std::string_view key);              // 'n' key
std::string reactors_key(std::string_view key);              // 'u' length1 key
std::string reactor_key(std::string_view key, UserId user);  // 'u' length1 key user8
std::string list_key(const ConversationId& id);              // 'c' conversation16
std::string draft_key(const ConversationId& id);             // 'w' conversation16
std::string device_key(DeviceId id);                         // 'd' device8
std::string scheduled_key(Snowflake id);                     // 'q' id8 (user partitions)
std::string setting_key(std::string_view name);              // 'k' name (user partitions)

// ---- The head cell: guard of conversations and users ----
struct HeadCell {
  std::uint16_t flags = 0;
  std::uint16_t members = 0;  // direct, group
  std::uint32_t term = 0;
  Epoch epoch;
  Mark mark = 0;
  Seq head = 0;
  std::uint64_t ordinal = 0;
  Seq floor = 1;
  std::uint64_t floor_ordinal = 0;  // ordinal before the floor
  Mark floor_mark = 0;              // mark before the floor
  Seq sealed = 0;                   // events up to here are in the archive
  std::int64_t last_message_ms = 0, last_event_ms = 0;
  Seq authority = 0;                  // last event that took a right away
  std::uint64_t deleted_ordinal = 0;  // highest deleted ordinal
  std::uint64_t nonce = 0;            // no guard value ever returns
  std::int64_t shown_ms = 0;          // last event with audience 0
  Seq hidden = 0;                     // last event with another
  friend bool operator==(const HeadCell&, const HeadCell&) = default;
};
/// HeadCell::flags: rows with these prefixes may exist, so they are read. Bits above 7 make
/// format 2.
inline constexpr std::uint16_t head_has_overlays = 1;          // `o`
inline constexpr std::uint16_t head_has_pins = 2;              // `i`
inline constexpr std::uint16_t head_has_due = 4;               // users: `q`
inline constexpr std::uint16_t head_has_restrictions = 8;      // `b`
inline constexpr std::uint16_t head_has_retention = 32;        // the retention row is there
inline constexpr std::uint16_t head_ended = 64;                // deleted: the rest is being erased
inline constexpr std::uint16_t head_has_due_messages = 128;    // `d`
inline constexpr std::uint16_t head_has_mentions = 256;        // `q`
inline constexpr std::uint16_t head_has_threads = 512;         // `t`
inline constexpr std::uint16_t head_has_invites = 1024;        // `v`
inline constexpr std::uint16_t head_has_admissions = 2048;     // `y`
inline constexpr std::uint16_t head_has_join_requests = 4096;  // `j`
inline constexpr std::uint16_t head_has_children = 8192;       // spaces: `c`
std::string encode(const HeadCell& head);
void encode(const HeadCell& head, std::string& out);  // in place of what is in `out`
std::optional<HeadCell> decode_head(Bytes value) noexcept;

// ---- Events: private envelope (format, flags, checksum, mark, device, number) + record ----
struct StoredEvent {
  Seq seq = 0;
  Mark mark = 0;  // after this event
  DeviceId device;
  std::uint64_t number = 0;
  Payload record;  // shares the block it was read in when that is 8-aligned there, else copied
};
/// The stream identity that marks and checksums of a user's stream are bound to.
ConversationId stream_of(UserId user) noexcept;
Mark next_mark(Mark before, const ConversationId& id, Bytes record) noexcept;
std::string encode_event(const ConversationId& id, const StoredEvent& event);
/// Checks format and checksum; Errc::store_corrupt with the seq when they do not hold.
Result<StoredEvent> decode_event(const ConversationId& id, Seq seq, Bytes value,
                                 const Owner& owner);

/// Bytes of an event's value, and the same value appended to `out` (encode_event without a copy).
std::size_t event_size(std::size_t record_bytes) noexcept;
void append_event(std::string& out, const ConversationId& id, const StoredEvent& event);

/// Bytes of an empty chunk, and what one event of that record size adds.
std::size_t chunk_base() noexcept;
std::size_t chunk_size(std::size_t record_bytes) noexcept;
/// How many of `events`, from the first, the chunk that begins there holds once no more can join
/// it: by bytes, by count, or because the next one belongs to another archive partition. 0: not
/// full yet.
std::size_t full_chunk(const StoredEvent* events, std::size_t count) noexcept;
/// Up to limits::chunk_events events in at most limits::chunk_bytes, or one larger event.
std::string encode_chunk(const ConversationId& id, const std::vector<StoredEvent>& events);
Result<std::vector<StoredEvent>> decode_chunk(const ConversationId& id, Bytes value,
                                              const Owner& owner);

// ---- Idempotency ----
struct SenderRow {
  std::uint64_t settled = 0, last = 0;
  struct Open {
    std::uint64_t number = 0, random = 0;
    Seq seq = 0;
    std::int64_t time_ms = 0;
    std::uint32_t body_crc = 0;
  };
  std::vector<Open> open;  // <= limits::open_sends
};
std::string encode(const SenderRow& row);
std::size_t sender_size(std::size_t open) noexcept;
void append(std::string& out, const SenderRow& row);
std::optional<SenderRow> decode_sender(Bytes value);
struct HostKeyRow {
  Seq seq = 0;
  std::int64_t time_ms = 0;
  std::uint32_t body_crc = 0;
};
std::string encode(const HostKeyRow& row);
std::optional<HostKeyRow> decode_host_key(Bytes value);

// ---- Members, info, receipts ----
struct MemberRow {
  Role role = Role::none;  // none: gone, `left_at` is the last seq they may see
                           // (in channels it stays when they come back: what was applied already)
  std::int64_t since_ms = 0;
  Seq visible_from = 1;
  std::uint64_t visible_ordinal = 0;  // ordinal before visible_from
  Seq left_at = 0;
  std::uint16_t groups = 0;     // bit a: the host put the member into the group with audience a
  bool shadowed = false;        // what they write is for themselves and moderators
  std::uint64_t admission = 0;  // channels: the last one that was applied
  std::int64_t own_deletion_ms = 0;  // when the member last deleted for itself alone; 0: never
};
std::string encode(const MemberRow& row);
/// With the name of the row that the member is found by ('n'); empty: there is none.
std::string encode(const MemberRow& row, std::string_view name);
std::optional<MemberRow> decode_member(Bytes value);
/// Of a row that can be decoded.
std::string decode_member_name(Bytes value);

struct InfoRow {  // what never or rarely changes
  ConversationKind kind = ConversationKind::group;
  UserId creator;
  std::int64_t created_ms = 0;
  UserId first, second;  // direct: the pair
  ConversationSettings settings;
  ConversationId space;              // channels: the one they belong to; none mostly
  std::uint32_t child_number = 0;    // of such a channel; of a space: the last one it gave
  std::uint64_t opened_ordinal = 0;  // of such a channel: when it was opened to the space last
};
/// How a conversation of that kind is entered unless it says otherwise.
JoinRule default_join(ConversationKind kind) noexcept;
std::string encode(const InfoRow& row);
std::optional<InfoRow> decode_info(Bytes value);

/// Somebody who is muted or banned ('b' user8).
struct RestrictionRow {
  struct One {
    bool on = false;
    UserId by;
    std::int64_t since_ms = 0, until_ms = 0;  // zero: without end
    std::string reason;
  };
  One mute, ban;
};
std::string restriction_key(UserId user);
std::string encode(const RestrictionRow& row);
std::optional<RestrictionRow> decode_restriction(Bytes value);

/// What a link makes of whoever joins with it ('v' secret16).
using InviteSecret = std::array<std::uint8_t, 16>;
struct InviteRow {
  Role role = Role::member;
  UserId by;
  std::int64_t created_ms = 0, expires_ms = 0;  // zero: never
  std::uint32_t uses = 0, used = 0;             // zero uses: any number
};
std::string invite_key(const InviteSecret& secret);
std::optional<InviteSecret> parse_invite_key(Bytes key) noexcept;
std::string encode(const InviteRow& row);
std::optional<InviteRow> decode_invite(Bytes value);

/// Somebody who asks to be let in ('j' user8).
struct JoinRequestRow {
  std::int64_t since_ms = 0;
  std::string note;
};
std::string join_request_key(UserId user);
std::string encode(const JoinRequestRow& row);
std::optional<JoinRequestRow> decode_join_request(Bytes value);

/// Somebody who was let into a channel and is not in its member partition yet ('y' user8).
struct AdmissionRow {
  Role role = Role::member;
  std::uint64_t id = 0;
};
std::string admission_key(UserId user);
std::string encode(const AdmissionRow& row);
std::optional<AdmissionRow> decode_admission(Bytes value);

/// When a member wrote last, where slow mode was on ('l' user8).
struct LastSentRow {
  std::int64_t time_ms = 0;
};
std::string last_sent_key(UserId user);
std::string encode(const LastSentRow& row);
std::optional<LastSentRow> decode_last_sent(Bytes value);
/// How much of a conversation is kept, and how far what is not has left the disk.
struct RetentionRow {
  std::int64_t keep_for_ms = 0;   // 0: without end
  std::uint64_t keep_events = 0;  // 0: all
  bool hold = false;              // nothing goes
  Seq erased = 1;                 // nothing below is left in the archive
  friend bool operator==(const RetentionRow&, const RetentionRow&) = default;
};
std::string encode(const RetentionRow& row);
std::optional<RetentionRow> decode_retention(Bytes value);

struct ReceiptRow {
  Seq received = 0, read = 0;
  std::uint64_t read_ordinal = 0;
  std::int64_t time_ms = 0;
  Seq shown = 0;         // what others may know of `read`: less where reads were hidden
  bool counted = false;  // `shown` counts in the partition's 'h' rows
};
std::string encode(const ReceiptRow& row);
std::optional<ReceiptRow> decode_receipt(Bytes value);
/// How many counted positions lie in a block of 64^level seqs (channels).
std::string encode_read_count(std::uint64_t count);
std::optional<std::uint64_t> decode_read_count(Bytes value);

/// Work of a channel's stream that its member partitions do not have yet ('p' seq8).
struct PendingRow {
  UserId user;
  Role role = Role::none;  // from that seq on; none: removed
  std::uint16_t groups = 0;
  bool shadowed = false;
  std::uint64_t entry = 0;  // channels of a space: the user's entry into that
};
std::string pending_key(Seq seq);
std::string encode(const PendingRow& row);
std::optional<PendingRow> decode_pending(Bytes value);

/// How often one reaction is on a message ('n' key), and since when.
struct ReactionRow {
  std::uint64_t count = 0;
  std::int64_t since_ms = 0;
};
std::string encode(const ReactionRow& row);
std::optional<ReactionRow> decode_reaction(Bytes value);
/// The key and the user of a 'u' row.
struct Reactor {
  std::string_view key;  // of the row's bytes
  UserId user;
};
std::optional<Reactor> parse_reactor(Bytes key) noexcept;

/// A pinned message ('i' seq8).
struct PinRow {
  UserId by;
  std::int64_t time_ms = 0;
};
std::string encode(const PinRow& row);
std::optional<PinRow> decode_pin(Bytes value);

/// The number after a one-byte prefix: the user of 'b', 'l', 'm' and 'r' keys, the seq of 'e', 'o',
/// 'c', 'p', 'i', the ordinal of 'x'.
std::optional<std::uint64_t> parse_number_key(char prefix, Bytes key) noexcept;

/// Guard of receipt, member, archive and reaction partitions.
struct CountCell {
  std::uint64_t revision = 0;
  std::uint64_t count = 0;  // member: members in this bucket; archive: last seq; reaction: all
  std::uint64_t nonce = 0;
  bool indexed = false;  // member: every member there has an 'n' row
};
std::string encode(const CountCell& cell);
std::optional<CountCell> decode_count(Bytes value);

// ---- A user's partition ----
struct ListRow {
  bool entered = false;  // false: left; kept so that late news about older seqs are ignored
  ConversationKind kind = ConversationKind::group;
  UserId peer;
  Seq as_of = 0;  // seq (or member revision for channels) this row was derived from
  Seq visible_from = 1;
  std::uint64_t visible_ordinal = 0;
  std::int64_t joined_ms = 0;
  // What the user set; gone with the membership.
  bool pinned = false, archived = false, marked_unread = false;
  bool has_draft = false;  // a 'w' row is there
  bool inherited = false;  // the user is in by a space, if at all; here is only what it set
  std::int64_t muted_until_ms = 0;
  std::uint64_t hidden_until = 0;  // ordinal of the message that shows it again; 0: not hidden
  std::string folder;
  friend bool operator==(const ListRow&, const ListRow&) = default;
};
std::string encode(const ListRow& row);
std::optional<ListRow> decode_list(Bytes value);
/// Somebody whom the user blocks ('b' user8).
struct BlockRow {
  std::int64_t since_ms = 0;
};
std::string block_key(UserId user);
std::string encode(const BlockRow& row);
std::optional<BlockRow> decode_block(Bytes value);
/// What became of the user's request to join ('j' conversation16).
struct OwnRequestRow {
  std::uint8_t state = 0;  // JoinRequestState; what is over stays, so that late news are ignored
  Seq as_of = 0;           // seq of the event that said so
  std::int64_t time_ms = 0;
  friend bool operator==(const OwnRequestRow&, const OwnRequestRow&) = default;
};
std::string own_request_key(const ConversationId& id);
std::string encode(const OwnRequestRow& row);
std::optional<OwnRequestRow> decode_own_request(Bytes value);
struct DraftRow {
  std::int64_t time_ms = 0;
  std::string text;
};
std::string encode(const DraftRow& row);
std::optional<DraftRow> decode_draft(Bytes value);
/// A message that its user will send later ('q' id8).
struct ScheduledRow {
  std::int64_t due_ms = 0;
  std::uint32_t failed = 0;  // refused when it was due, with this code; 0: it waits
  std::string why;           // the refusal's words
  ConversationId conversation;
  Payload record;  // what is to be sent, as the record of a message
};
std::string encode(const ScheduledRow& row);
std::optional<ScheduledRow> decode_scheduled(Bytes value);
struct DeviceRow {
  std::string name;  // as it said hello; that of row 0, of ephemeral devices, is empty
  std::int64_t last_seen_ms = 0;
  std::string given;            // the name it was given later
  std::int64_t created_ms = 0;  // 0: not known
  std::int64_t shown_ms = 0;    // when others could see the user there last
  std::int64_t revoked_ms = 0;  // 0: it was not
  friend bool operator==(const DeviceRow&, const DeviceRow&) = default;
};
std::string encode(const DeviceRow& row);
std::optional<DeviceRow> decode_device(Bytes value);
/// What a user has set for all devices ('k' "settings").
struct SettingsRow {
  bool hide_reads = false, hide_last_seen = false;
  std::string status;
  std::int64_t status_until_ms = 0;
  friend bool operator==(const SettingsRow&, const SettingsRow&) = default;
};
std::string encode(const SettingsRow& row);
std::optional<SettingsRow> decode_settings(Bytes value);
struct NameCell {
  UserId user;
  std::string subject;
  std::uint64_t nonce = 0;
};  // guard of a name (subject <= 230 bytes there, rest hashed)
/// What a NameCell keeps of a subject: all of it up to 230 bytes, else 214 bytes and a 16-byte
/// hash.
std::string stored_subject(std::string_view subject);
std::string encode(const NameCell& cell);
std::optional<NameCell> decode_name(Bytes value);

// ---- Timers: who is to be woken when ----

/// Whose rows are due: a user's or a conversation's partition.
struct TimerTarget {
  enum class Kind : std::uint8_t { user = 'u', conversation = 'c' } kind = Kind::user;
  UserId user;
  ConversationId conversation;
  friend bool operator==(const TimerTarget&, const TimerTarget&) = default;
};
TimerTarget timer_of(UserId user) noexcept;
TimerTarget timer_of(const ConversationId& id) noexcept;
struct TimerKey {
  std::int64_t due_ms = 0;  // not negative
  TimerTarget target;
};
std::string timer_key(std::int64_t due_ms, const TimerTarget& target);  // 't' due8 kind1 id
std::optional<TimerKey> parse_timer_key(Bytes key) noexcept;
std::uint32_t timer_hour(std::int64_t due_ms) noexcept;
std::uint8_t timer_shard_of(const TimerTarget& target) noexcept;
/// Something of a conversation that is due then: a message that expires ('d' due8 seq8).
struct DueKey {
  std::int64_t due_ms = 0;  // not negative
  Seq seq = 0;
  friend bool operator==(const DueKey&, const DueKey&) = default;
};
std::string due_key(const DueKey& due);
std::optional<DueKey> parse_due_key(Bytes key) noexcept;
/// The hour and shard in a partition id.
std::optional<std::pair<std::uint32_t, std::uint8_t>> parse_timer_id(Bytes id) noexcept;

// ---- Notes of the change feed (<= 64 bytes) ----
struct Note {
  enum class Kind : std::uint8_t {
    events = 'e',        // conversation: membership events among first..last
    pair = 'd',          // direct conversation created: users
    channel_join = 'j',  // member partition: these users' rows changed (<= 7)
    reactions = 'r',     // reaction partition: of message `first`; its revision is `last`
  } kind = Kind::events;
  Seq first = 0, last = 0;
  std::vector<UserId> users;
};
std::string encode(const Note& note);
std::optional<Note> decode_note(Bytes value);

}  // namespace parley::layout
