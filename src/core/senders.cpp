// senders.cpp: a send: who may, what fits, and what its number says (STORE §6, CONTRACT I3).
#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "base/crc32c.hpp"
#include "base/endian.hpp"
#include "base/siphash.hpp"
#include "base/snowflake.hpp"
#include "base/utf8.hpp"
#include "core/conversation_state.hpp"
#include "core/extras.hpp"
#include "core/polls.hpp"

namespace parley::core {
namespace {

constexpr std::uint64_t most_number = ~std::uint64_t{0} >> 1;
constexpr std::int64_t day_ms = 24LL * 60 * 60 * 1000;
constexpr std::size_t record_overhead = 256;  // a record without its texts is smaller
constexpr std::uint32_t swept_at_once = 64;

static_assert(record_overhead + limits::content_type + extras_most < 16 * limits::kib,
              "EngineOptions::max_body leaves so much of a value");

bool is_text(std::string_view content_type) {
  constexpr std::string_view prefix = "text/";
  if (content_type.empty()) return true;
  if (content_type.size() < prefix.size()) return false;
  return std::equal(prefix.begin(), prefix.end(), content_type.begin(), [](char a, char b) {
    return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
  });
}

Error check_expiry(const wire::Send& send) {
  constexpr std::chrono::milliseconds least = limits::expires_least, most = limits::expires_most;
  const auto after = static_cast<std::chrono::milliseconds::rep>(send.expires_after_ms);
  if (after == 0 || (after >= least.count() && after <= most.count())) return {};
  return {Errc::invalid_argument, "expires_after: expected 1 second to 366 days"};
}

Error check_identity(const Caller& caller, const wire::Send& send) {
  if (send.key.size() > limits::host_key)
    return {Errc::too_large, "key: expected at most 128 bytes"};
  if (send.number == 0) return {};
  if (!caller.device) return {Errc::invalid_argument, "number: only a device numbers its sends"};
  if (send.number > most_number)
    return {Errc::invalid_argument, "number: expected at most 2^63 - 1"};
  if (send.settled > send.number)
    return {Errc::invalid_argument, "settled: expected at most the send's own number"};
  return {};
}

std::uint32_t content_crc(const wire::Send& send) {
  char reply[8];
  base::put_be64(reply, send.reply_to);
  std::uint32_t crc = base::crc32c(0, Bytes(reply, sizeof reply));
  crc = base::crc32c(crc, send.content_type);
  crc = base::crc32c(crc, Bytes("\0", 1));
  crc = base::crc32c(crc, send.body.bytes());
  crc = extras_crc(crc, send);
  if (send.import) {
    char import[16];
    base::put_be64(import, send.import->sender.value);
    base::put_be64(import + 8, static_cast<std::uint64_t>(send.import->written_ms));
    crc = base::crc32c(crc, Bytes(import, sizeof import));
  }
  if (send.audience != audience::everyone)
    crc = base::crc32c(crc, Bytes(reinterpret_cast<const char*>(&send.audience), 1));
  if (send.expires_after_ms == 0) return crc;
  char after[8];
  base::put_be64(after, send.expires_after_ms);
  return base::crc32c(crc, Bytes(after, sizeof after));
}

/// The same for the same id in the same conversation, wherever and how often it is imported.
Snowflake import_snowflake(const ConversationId& id, const wire::Send::Import& import) {
  constexpr std::uint64_t low = (std::uint64_t{1} << 22) - 1;
  const auto time = static_cast<std::uint64_t>(import.written_ms);
  const std::uint64_t since =
      time > base::SnowflakeSource::epoch_ms ? time - base::SnowflakeSource::epoch_ms : 0;
  return since << 22 | (base::siphash64(id.bytes, import.id) & low);
}

Error with_next(Errc code, const char* text, const layout::SenderRow& row) {
  Error error(code, text);
  error.next = std::max(row.last + 1, row.settled);
  return error;
}

}  // namespace

Error Conversation::State::check_content(std::string_view content_type, Bytes body) const {
  if (content_type.size() > limits::content_type)
    return {Errc::too_large, "content_type: expected at most 128 bytes"};
  const std::size_t most =
      std::min(limits.max_body, effects.store_facts().max_value - record_overhead -
                                    limits::content_type - extras_most);
  if (body.size() > most)
    return {Errc::too_large, "body: expected at most " + std::to_string(most) + " bytes"};
  if (!base::valid_utf8(content_type))
    return {Errc::invalid_argument, "content_type: expected valid UTF-8"};
  if (is_text(content_type) && !base::valid_utf8(body))
    return {Errc::invalid_argument, "body: expected valid UTF-8 for a text"};
  return {};
}

void Conversation::send(Caller caller, wire::Send&& send,
                        base::UniqueFunction<void(Result<Ack>)> then) {
  if (send.content_type == "text/plain") send.content_type.clear();  // the default, not stored
  if (Error error = state_->check_content(send.content_type, send.body.bytes()))
    return then(std::move(error));
  if (Error error = check_identity(caller, send)) return then(std::move(error));
  if (Error error = check_extras(send)) return then(std::move(error));
  if (Error error = check_expiry(send)) return then(std::move(error));
  if (Error error = check_poll(send)) return then(std::move(error));
  auto op = std::make_unique<Op>();
  op->caller = caller;
  SendOp& what = op->what.emplace<SendOp>();
  what.crc = content_crc(send);
  if (!send.key.empty()) what.key = base::siphash128(id_.bytes, send.key);
  what.send = std::move(send);
  what.then = std::move(then);
  state_->arrive(std::move(op));
}

void Conversation::may_send(Caller caller, const wire::Send& send, Then<void> then) {
  if (Error error = state_->check_content(send.content_type, send.body.bytes()))
    return then(std::move(error));
  if (Error error = check_expiry(send)) return then(std::move(error));
  if (Error error = check_poll(send)) return then(std::move(error));
  wire::Send copy = send;
  if (Error error = check_extras(copy)) return then(std::move(error));
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  const Seq answers = std::max(send.reply_to, send.thread_root);
  state.when_loaded([&state, caller, answers, then](const Error& error) {
    if (error) return then(error);
    state.with_settled_member(
        caller.user, [&state, caller, answers, then](Result<const layout::MemberRow*> row) {
          if (!row) return then(std::move(row).error());
          const Role role = *row == nullptr ? Role::none : (*row)->role;
          Error no = state.may(Action::send, role) ? state.hindered(caller) : denied();
          if (!no && answers > state.head.head)
            no = {Errc::invalid_argument, "reply_to: expected a message of this conversation"};
          then(no ? Result<void>(std::move(no)) : Result<void>());
        });
  });
}

std::uint32_t Conversation::State::today() const noexcept {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(effects.now().wall_ms, 0) / day_ms);
}

/// True when every row that the send needs is in memory, or known to be unreadable.
bool Conversation::State::send_rows_ready(const Op& op, const SendOp& send) {
  if (phase != Phase::ready) return false;
  bool ready = true;
  const auto need = [&](auto& rows, const auto& key) {
    using Rows = std::remove_reference_t<decltype(rows)>;
    if (auto* entry = rows.find(key)) {
      ready = ready && entry->phase != Rows::Phase::loading;
    } else {
      want(key);
      ready = false;
    }
  };
  if (channel() && !op.caller.system()) need(channel_members, op.caller.user);
  if (inherits && !op.caller.system()) ready = right_ready(op.caller.user) && ready;
  if (slowed(op.caller, Role::member) && last_sent.find(op.caller.user) == nullptr)
    want_last_sent(op.caller.user);
  if (const auto* last = last_sent.find(op.caller.user))
    ready = ready && last->phase != LastSentRows::Phase::loading;
  if (send.send.number != 0) need(senders, SenderId{op.caller.user, op.caller.device});
  if (!send.send.key.empty()) need(host_keys, send.key);
  if (channel())
    for (const UserId user : send.send.extras.mentions) need(channel_members, user);
  if (inherits && send.send.thread_root != 0)  // who is named follows the thread
    for (const UserId user : send.send.extras.mentions) ready = right_ready(user) && ready;
  if (!ready && !building) read_wanted();
  return ready;
}

bool Conversation::State::send_fits(const SendOp& send) {
  const std::size_t record = record_overhead + send.send.body.size() +
                             send.send.content_type.size() + extras_size(send.send) +
                             (send.send.import ? send.send.import->id.size() : 0);
  const std::size_t mentioned = send.send.extras.mentions.size() + 1;
  const std::size_t root = send.send.thread_root == 0
                               ? 0
                               : message_now(*messages.find(send.send.thread_root)).record.size() +
                                     record_overhead +
                                     layout::thread_change_size(limits::mentions + 1);
  return fits(1, 7 + mentioned,
              root + layout::event_size(record) + 9 + layout::sender_size(limits::open_sends) + 60 +
                  mentioned * (9 + layout::mention_size(limits::mentions_counted)));
}

Decision Conversation::State::decide(Op& op, SendOp& send) {
  if (!send_rows_ready(op, send)) return Decision::later;
  Decision decision{};
  const auto role = actor(op, Action::send, decision);
  if (!role) return decision;

  const auto failed = [&](auto& rows, const auto& key) {
    auto* entry = rows.find(key);
    if (entry->phase != std::remove_reference_t<decltype(rows)>::Phase::failed) return false;
    op.error = entry->error;
    rows.erase(key);  // the next one reads it again
    return true;
  };
  const SenderId sender{op.caller.user, op.caller.device};
  if (slowed(op.caller, *role) && failed(last_sent, op.caller.user)) return Decision::decided;
  if (send.send.number != 0 && failed(senders, sender)) return Decision::decided;
  if (!send.send.key.empty() && failed(host_keys, send.key)) return Decision::decided;
  if (channel())
    for (const UserId user : send.send.extras.mentions)
      if (failed(channel_members, user)) return Decision::decided;

  if (send.send.number != 0) {
    const SenderRows::Entry& entry = *senders.find(sender);
    op.error = check_number(op, send, entry.dirty ? entry.staged : entry.row);
    if (op.error || op.repeated) return Decision::decided;
  }
  if (!send.send.key.empty()) {
    op.error = check_key(op, send, *host_keys.find(send.key));
    if (op.error || op.repeated) return Decision::decided;
  }
  op.error = hindered(op.caller);
  const bool slow = slowed(op.caller, *role);
  if (!op.error && slow) op.error = too_soon(op.caller.user);
  if (op.error) return Decision::decided;
  op.error = check_named(op, send.send);
  if (op.error) return Decision::decided;
  if (!may_mention(send.send.extras.mention_scope, *role)) {
    op.error = {Errc::denied, "mention_scope: your role here does not allow it"};
    return Decision::decided;
  }
  if (send.send.thread_root != 0 && thread_root(op, send.send.thread_root, decision) == nullptr)
    return decision;
  if (!mentions_ready(op, send.send.extras, send.send.thread_root, decision)) return decision;
  if (!source_ready(op, send, decision)) return decision;
  if (!send.look.seen && !send.look.agreed) op.error = check_audience(op, send.send.audience);
  if (op.error || (!send.send.import && !host_agrees(op, *role, decision))) return decision;
  const auto [expires_ms, closes_ms] = due_times(send);
  for (const std::int64_t due : {expires_ms, closes_ms})
    if (due != 0 && !wake_stored(op, due, decision)) return decision;
  if (!send_fits(send)) return Decision::full;
  stage_send(op, send);
  if (slow) stage_last_sent(op.caller.user);
  return Decision::decided;
}

/// What it answers, and the growing text in whose place it comes.
Error Conversation::State::check_named(const Op& op, const wire::Send& send) {
  if (send.stream != 0 && host.grows_for_another(id, send.stream, op.caller.user))
    return {Errc::invalid_argument, "stream: expected a growing text of your own"};
  if (send.reply_to == 0) return {};
  bool later = false;
  Error ignored;
  const auto row = member(op.caller.user, later, ignored);
  const Seq visible = op.caller.system() || !row ? 1 : row->visible_from;
  const Seq from = std::max(staged->head.floor, visible);
  if (send.reply_to > staged->head.head || send.reply_to < from)
    return {Errc::invalid_argument, "reply_to: expected the seq of an event you can see"};
  return {};
}

/// New, a repeat (op.repeated), or an error that names what to do.
Error Conversation::State::check_number(Op& op, const SendOp& send,
                                        const layout::SenderRow& row) const {
  const wire::Send& what = send.send;
  if (what.number < row.settled)
    return with_next(Errc::too_old, "number: settled long ago, and not applied", row);
  std::size_t open = 0;
  for (const layout::SenderRow::Open& entry : row.open) {
    if (entry.number >= what.settled) ++open;
    if (entry.number != what.number) continue;
    if (entry.random != what.random)
      return with_next(Errc::number_taken, "number: used for another message before", row);
    if (entry.body_crc != send.crc)
      return {Errc::key_reused, "number: sent before with another content"};
    op.repeated = true;
    op.seq = entry.seq;
    op.time_ms = entry.time_ms;
    return {};
  }
  if (open >= limits::open_sends)
    return {Errc::limit_reached,
            "settled: 32 sends are open; send with the smallest number still to be retried"};
  return {};
}

Error Conversation::State::check_key(Op& op, const SendOp& send,
                                     const HostKeyRows::Entry& entry) const {
  if (!entry.present && !entry.dirty) return {};
  const layout::HostKeyRow& row = entry.dirty ? entry.staged : entry.row;
  if (!entry.dirty && row.seq > head.head) return {};  // of a commit that our guard does not show
  const std::int64_t age = static_cast<std::int64_t>(today()) - row.time_ms / day_ms;
  if (age > limits::host_key_days) return {};
  if (row.body_crc != send.crc) return {Errc::key_reused, "key: used before with another content"};
  op.repeated = true;
  op.seq = row.seq;
  op.time_ms = row.time_ms;
  return {};
}

/// How long the message stays: as it says, or the conversation, whichever is shorter.
std::pair<std::int64_t, std::int64_t> Conversation::State::due_times(const SendOp& send) const {
  if (send.send.import) return {0, 0};
  // Not from when it is stamped: stamps follow every jump of the clock, and never go back.
  const std::int64_t now = host.settled_wall_ms();
  const auto at = [now](std::int64_t after) { return after == 0 ? 0 : now + after; };
  const auto own = static_cast<std::int64_t>(send.send.expires_after_ms);
  const std::int64_t all = std::chrono::milliseconds(info_now().settings.expires_after).count();
  return {at(own == 0 || all == 0 ? std::max(own, all) : std::min(own, all)),
          at(send.send.poll ? send.send.poll->closes_after.count() : 0)};
}

void Conversation::State::stage_send(Op& op, SendOp& send) {
  wire::Send& what = send.send;
  const bool imported = what.import.has_value();
  wire::RecordFields fields{.sender = imported ? what.import->sender : op.caller.user,
                            .kind = EventKind::message,
                            .audience = muffled(op) ? audience::sender : what.audience,
                            .echo = what.random,
                            .content_type = what.content_type,
                            .body = what.body.bytes(),
                            .reply_to = what.reply_to,
                            .thread_root = what.thread_root,
                            .extras = what.extras,
                            .origin = send.origin,
                            .stream = what.stream};
  // What not everybody sees is counted nowhere.
  const bool for_all = fields.audience == audience::everyone;
  if (what.thread_root != 0 && for_all)
    fields.thread_ordinal = next_thread_ordinal(what.thread_root);
  const auto [expires_ms, closes_ms] = due_times(send);
  fields.expires_ms = expires_ms;
  if (what.poll) fields.poll = wire::terms_of(*what.poll, closes_ms);
  if (imported) {
    fields.id = import_snowflake(id, *what.import);
    fields.written_ms = what.import->written_ms;
    fields.import_id = what.import->id;
  }
  StagedEvent& event = stage_event(fields);
  if (expires_ms != 0) stage_due({expires_ms, fields.seq});
  if (closes_ms != 0 && closes_ms != expires_ms) stage_due({closes_ms, fields.seq});
  event.stored.device = op.caller.device;
  event.stored.number = what.number;
  op.seq = fields.seq;
  op.time_ms = fields.time_ms;
  if (for_all && !imported) stage_mentions(fields);
  if (fields.thread_ordinal != 0) stage_reply(fields);

  if (what.number != 0) {
    const SenderId sender{op.caller.user, op.caller.device};
    SenderRows::Entry& entry = *senders.find(sender);
    if (!entry.dirty) {
      entry.dirty = true;
      entry.staged = entry.row;
      staged->senders.emplace_back(sender, &entry);
      staged->rows += 1;
      staged->bytes += 17 + layout::sender_size(limits::open_sends);
    }
    layout::SenderRow& row = entry.staged;
    row.settled = std::max(row.settled, what.settled);
    row.last = std::max(row.last, what.number);
    std::erase_if(row.open, [&](const auto& open) { return open.number < row.settled; });
    row.open.push_back({what.number, what.random, op.seq, op.time_ms, send.crc});
  }
  if (!what.key.empty()) {
    HostKeyRows::Entry& entry = *host_keys.find(send.key);
    entry.dirty = true;
    entry.staged = {op.seq, op.time_ms, send.crc};
    staged->host_keys.emplace_back(send.key, &entry);
    staged->rows += 1;
    staged->bytes += 19 + 21;
    sweep_host_keys(today());
  }
}

/// Once a day in use: keys older than they are kept leave with the next commits.
void Conversation::State::sweep_host_keys(std::uint32_t day) {
  if (host_keys_swept == day || day <= limits::host_key_days) return;
  host_keys_swept = day;
  auto request = owned_scan(layout::conversation, *name, std::string(1, 'k'),
                            layout::host_key(day - limits::host_key_days, {}));
  request.max_rows = swept_at_once;
  scan(std::move(request), [this, from = generation](Result<Rows> rows) {
    if (!rows || from != generation) return;
    for (const Row& row : rows->rows) expired_keys.emplace_back(row.key);
    if (rows->more) host_keys_swept = 0;  // the rest with the next key
    start_flush_timer();
  });
}

}  // namespace parley::core
