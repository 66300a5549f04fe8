// parley/limits.hpp: every bound of the engine in one place. Reaching one is a documented error or
// drop, never growth.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace parley::inline v0::limits {

using namespace std::chrono_literals;
inline constexpr std::size_t kib = 1024;
inline constexpr std::size_t mib = 1024 * kib;

// Messages and names. One past any of these: Errc::too_large or invalid_argument, nothing changed.
inline constexpr std::size_t body_default = 256 * kib;  // of one message; EngineOptions::max_body
inline constexpr std::size_t body_most = 16 * mib;      // what max_body may be
inline constexpr std::size_t content_type = 128;        // bytes
inline constexpr std::size_t mentions = 50;             // users named by one message
inline constexpr std::size_t mentions_counted = 100;    // unread ones of a user, or more
inline constexpr std::size_t small_group = 100;         // members; there everybody may mention all
inline constexpr std::size_t attachments = 16;          // of one message
inline constexpr std::size_t attachment_handle = 512;   // bytes of UTF-8
inline constexpr std::size_t attachment_name = 256;     // bytes of UTF-8
inline constexpr std::size_t headers = 16;              // of one message
inline constexpr std::size_t header_name = 64;          // bytes of UTF-8
inline constexpr std::size_t header_value = 1 * kib;    // bytes of UTF-8
inline constexpr std::size_t extras = 8 * kib;          // of attachments, headers and poll options
inline constexpr std::size_t subject = 256;             // bytes of UTF-8; a host's user id
inline constexpr std::size_t device_name = 128;         // bytes of UTF-8
inline constexpr std::size_t title = 512;               // bytes of UTF-8
inline constexpr std::size_t description = 2 * kib;     // bytes of UTF-8; of a conversation
inline constexpr std::size_t avatar = 256;              // bytes of UTF-8; the host's name of it
inline constexpr std::size_t metadata = 4 * kib;        // bytes; the host's, of a conversation
inline constexpr std::size_t reason = 256;              // bytes of UTF-8; of a mute or ban
inline constexpr std::size_t host_key = 128;            // bytes; SendOptions::key
inline constexpr std::size_t token = 4 * kib;           // bytes; hello's credential
inline constexpr std::size_t draft = 4 * kib;           // bytes of UTF-8; ListSettings::draft
inline constexpr std::size_t pinned_conversations = 100;   // of a user
inline constexpr std::size_t scheduled = 100;              // messages of a user
inline constexpr std::size_t scheduled_bytes = 512 * kib;  // of them together
inline constexpr auto schedule_ahead = 24h * 366;
inline constexpr std::size_t folder = 64;              // bytes of UTF-8; ListSettings::folder
inline constexpr std::size_t folders = 100;            // different ones of a user
inline constexpr std::size_t status = 256;             // bytes of UTF-8; UserSettings::status
inline constexpr std::size_t devices = 100;            // of a user; then the idle ones go
inline constexpr std::size_t revoked_devices = 1'000;  // of a user that are remembered
inline constexpr std::size_t import_id = 96;           // bytes of UTF-8; ImportedMessage::id
inline constexpr std::size_t import_at_once = 256;     // messages in one import
inline constexpr auto retention_least = 1h;
inline constexpr auto retention_most = 24h * 36'600;                  // about 100 years
inline constexpr std::uint64_t retention_events = 1'000'000'000'000;  // Retention::keep_events
inline constexpr auto expires_least = 1s;  // MessageDraft, ConversationSettings::expires_after
inline constexpr auto expires_most = 24h * 366;
inline constexpr std::size_t reaction_key = 32;  // bytes of UTF-8
inline constexpr std::size_t poll_options = 20;  // PollDraft::options; 2 at least
inline constexpr std::size_t poll_option = 256;  // bytes of UTF-8
inline constexpr auto poll_least = 1s;           // PollDraft::closes_after
inline constexpr auto poll_most = 24h * 366;
inline constexpr std::size_t signal_kind = 32;       // bytes
inline constexpr std::size_t signal_data = 1 * kib;  // bytes

// Conversations.
inline constexpr std::size_t group_members = 1'000;        // limit_reached beyond
inline constexpr std::size_t channel_members = 1'000'000;  // of a space, too
inline constexpr std::size_t children = 500;               // channels of a space
// That a user is in; asked before an entry: those at the same moment may pass it by as many.
inline constexpr std::size_t spaces = 100;
inline constexpr std::size_t add_at_once = 100;       // users in one create or add
inline constexpr std::size_t page_events = 256;       // events in one history page
inline constexpr std::size_t page_bytes = 256 * kib;  // at least one event, whatever its size
inline constexpr std::size_t page_members = 500;
inline constexpr std::size_t member_prefix = 64;  // bytes of UTF-8; MembersOptions::prefix
inline constexpr auto hook_budget = 1ms;          // a call of the host's hooks above it is logged
inline constexpr auto hook_patience = 2s;    // EngineOptions::before_message_async answers in it
inline constexpr auto edit_window = 48h;     // EngineOptions::edit_window
inline constexpr std::size_t invites = 100;  // links of a conversation
inline constexpr std::size_t invite_token = 64;      // characters
inline constexpr std::size_t join_requests = 1'000;  // to one conversation
inline constexpr std::size_t page_join_requests = 200;
inline constexpr std::size_t note = 256;           // bytes of UTF-8; of a request to join
inline constexpr std::size_t blocked = 1'000;      // users, by one
inline constexpr std::size_t own_requests = 100;   // of a user; then the oldest are forgotten
inline constexpr std::size_t restricted = 10'000;  // muted or banned users
inline constexpr std::size_t page_restrictions = 500;
inline constexpr auto slow_mode = 24h;                  // ConversationSettings::slow_mode
inline constexpr std::size_t page_list = 256;           // conversations in a page of the list
inline constexpr std::size_t deleted_counted = 10'000;  // newest ones that unread leaves out
inline constexpr std::size_t own_deletions = 10'000;    // of a user in a conversation
inline constexpr std::size_t delete_for_me_at_once = 100;
inline constexpr std::size_t page_reactors = 500;
inline constexpr std::size_t page_voters = 500;
inline constexpr std::size_t page_replies = 100;   // of a thread
inline constexpr std::size_t page_threads = 50;    // followed ones, looked through for one page
inline constexpr std::size_t edits = 50;           // of one message
inline constexpr std::size_t reaction_keys = 20;   // different ones on a message
inline constexpr std::size_t named_reactors = 64;  // on a message; with more only counts are told
inline constexpr std::size_t pins = 100;           // in a conversation
inline constexpr std::size_t tallies = 64;         // messages in one event of reactions
inline constexpr auto tally_period_channel = 1s;   // between two of them in a channel
inline constexpr std::size_t snapshot_after = 10'000;  // a cursor further behind gets a snapshot
inline constexpr std::size_t snapshot_tail = 256;      // events that follow it

// One session.
inline constexpr std::size_t in_flight = 64;           // operations without an answer; then busy
inline constexpr std::size_t user_sessions = 1'000;    // of one user at once; more: limit_reached
inline constexpr std::size_t subscriptions = 10'000;   // 72 bytes each
inline constexpr std::size_t subscribe_at_once = 256;  // conversations in one subscribe
inline constexpr std::size_t watched_users = 1'000;    // named ones: Session::watch()
inline constexpr std::size_t watched_conversations = 10;  // Session::watch_conversation()
inline constexpr std::size_t lookup_at_once = 256;        // users in one lookup
inline constexpr std::size_t open_sends = 32;             // unsettled outbox numbers a conversation
inline constexpr std::size_t queue_soft = 512 * kib;      // above: lagging (CONTRACT I5)
inline constexpr std::size_t queue_hard = 1 * mib;        // plus one message: closed
inline constexpr std::size_t pong_room = 64 * kib;        // queued: no more pings are answered
inline constexpr auto stall = 15s;                        // no progress for so long: slow_consumer
inline constexpr auto heartbeat = 20s;                    // the server pings a silent link
inline constexpr auto dead_after = 45s;                   // nothing received for so long: closed
inline constexpr auto message_within = 30s;    // from its first byte to its last; then closed
inline constexpr auto handshake_tcp = 10s;     // absolute: connected to first byte of a message
inline constexpr auto handshake_upgrade = 5s;  // absolute: connected to end of the HTTP request
inline constexpr auto handshake_hello = 5s;    // absolute: link open to authenticated
inline constexpr std::size_t message_before_hello = 4 * kib + 2 * kib;  // token 4 KiB and its frame
inline constexpr std::size_t requests_in_message = 256;  // more: protocol_error, the link is closed
inline constexpr std::size_t json_depth = 16;            // of a message; deeper is no message
inline constexpr std::size_t json_keys = 64;             // of one object in a message
inline constexpr auto ticket_life = 5min;       // for a reconnect without the authenticator
inline constexpr std::size_t tickets = 65'536;  // of a shard; then the older ones go

// Signals, receipts, presence.
inline constexpr int signals_per_second = 10;        // a sender and conversation; more are dropped
inline constexpr std::size_t signalled_at_once = 4;  // conversations of a session in one second
inline constexpr auto signal_lasts = 6s;             // a signal's default
inline constexpr auto signal_lasts_most = 60s;
inline constexpr std::size_t streams = 4;        // growing messages of a user in a conversation
inline constexpr std::size_t streams_user = 16;  // of a user in the conversations of one shard
inline constexpr std::size_t streams_conversation = 16;
inline constexpr std::size_t stream_piece = 16 * kib;  // bytes of UTF-8; of one append
inline constexpr auto stream_period = 100ms;           // between two pieces that are told
inline constexpr auto stream_beat = 10s;      // told at least so often, though nothing was appended
inline constexpr auto stream_lost = 30s;      // not told of for so long: it is over
inline constexpr auto stream_orphaned = 30s;  // its session was found gone so long ago: it ends
inline constexpr auto receipt_delay = 200ms;  // merged by maximum, then one commit
inline constexpr auto receipt_delay_channel = 1s;
inline constexpr auto presence_period = 1s;     // at most one update a user and period
inline constexpr auto presence_grace = 1500ms;  // a reconnect within this does not flap
// Members up to which who watches a conversation is on a step (PresenceStep), and below which it is
// again: full, then window, then count.
inline constexpr std::uint64_t presence_full = 200;
inline constexpr std::uint64_t presence_full_again = 150;
inline constexpr std::uint64_t presence_window = 5'000;
inline constexpr std::uint64_t presence_window_again = 4'000;
inline constexpr std::size_t online_sample = 8;  // users named beside a count
inline constexpr auto online_gather = 1s;        // changes on a shard go to the conversation's home
inline constexpr auto online_period = 3s;        // between two counts that are told
inline constexpr auto head_moved_period = 1s;    // `heads` level, coalesced

// One conversation and one process.
inline constexpr std::size_t pending = 4'096;       // operations before the commit; then busy
inline constexpr std::size_t batch_events = 1'024;  // events in one commit
inline constexpr std::size_t batch_bytes = 1 * mib;
inline constexpr std::size_t memory_default = 256 * mib;  // EngineOptions::memory_limit
// What is queued for all sessions together is at most this part of it: above what is left of that
// part a session lags (CONTRACT I5), before queue_soft.
inline constexpr std::size_t queues_part = 4;
inline constexpr std::size_t sessions_most = 10'000'000;  // EngineOptions::max_sessions
inline constexpr std::size_t requests_most = 1'000'000;   // EngineOptions::requests_per_second
// Accepted and not yet answered; then busy. Split among the shards, but each has room for 4 of the
// longest messages. A session gets no more of it than is left at that moment: however many take all
// they get, the next one finds room. Host code's own (Engine) may have all of it.
inline constexpr std::size_t ingress = 64 * mib;
// Pages of messages that are read for requests at one time, two of a session; the requests after
// them wait for their turn, session by session. Split among the shards, but each reads one. Less
// while what is queued for all sessions nears its part of the memory.
inline constexpr std::size_t paging = 16 * mib;
inline constexpr auto idle_home = 60s;  // then it leaves memory
// The newest events of conversations whose history is read, kept in memory while it is; split among
// the shards.
inline constexpr std::size_t recent_pages = 32 * mib;
inline constexpr std::size_t open_events = 64;     // more are sealed into chunks
inline constexpr std::size_t chunk_bytes = 4'064;  // one sealed chunk, or one larger event
inline constexpr std::size_t chunk_events = 64;
inline constexpr int host_key_days = 30;

// The end of an engine: absolute, each from the end of the one before; then it goes on without.
inline constexpr auto close_answers = 5s;  // what was accepted is committed and answered
inline constexpr auto close_links = 3s;    // links take their goodbye and close
inline constexpr auto close_writes = 10s;  // the shards write what they still hold

// HTTP in front of WebSocket.
inline constexpr std::size_t http_header = 8 * kib;
inline constexpr std::size_t http_headers = 64;

}  // namespace parley::inline v0::limits
