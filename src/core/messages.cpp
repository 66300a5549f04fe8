// messages.cpp: edits, deletions and pins. A change is an event, and an overlay row that shows the
// message as it stands to whoever pages history (DESIGN §3.3, STORE §2).
#include <algorithm>
#include <string>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/event_reader.hpp"
#include "core/read_as_member.hpp"

namespace parley::core {
namespace {

constexpr std::size_t change_bytes = 9 + 512;  // an event about a message, without its content

Error no_message() {
  return {Errc::invalid_argument, "seq: expected the seq of a message you can see"};
}
Error gone() { return {Errc::invalid_argument, "seq: the message was deleted"}; }

}  // namespace

// ---- Arrival ----

void Conversation::edit(Caller caller, Seq seq, std::string content_type, Payload body,
                        Then<void> then) {
  if (content_type == "text/plain") content_type.clear();
  if (Error error = state_->check_content(content_type, body.bytes()))
    return then(std::move(error));
  state_->arrive({.caller = caller,
                  .what = EditOp{.seq = seq,
                                 .content_type = std::move(content_type),
                                 .body = std::move(body),
                                 .then = std::move(then)}});
}

void Conversation::delete_message(Caller caller, Seq seq, Then<void> then) {
  state_->arrive({.caller = caller, .what = DeleteOp{seq, std::move(then)}});
}

void Conversation::pin(Caller caller, Seq seq, bool on, Then<void> then) {
  state_->arrive({.caller = caller, .what = PinOp{seq, on, std::move(then)}});
}

// ---- Messages as they stand ----

void Conversation::State::want_message(Seq seq) {
  messages.insert(seq);
  ReadRange range{.partition = *name,
                  .conversation = id,
                  .ns = host.ns(),
                  .from = seq,
                  .to = seq,
                  .max_events = 1};
  read_events(effects, std::move(range),
              input<Result<EventPage>>([this, seq, from = generation](Result<EventPage> page) {
                if (from != generation) return;
                MessageRows::Entry* entry = messages.find(seq);
                if (entry == nullptr || entry->phase != MessageRows::Phase::loading) return;
                if (!page) {
                  entry->phase = MessageRows::Phase::failed;
                  entry->error = std::move(page).error();
                } else {
                  entry->phase = MessageRows::Phase::ready;
                  entry->present = !page->events.empty();
                  if (entry->present) entry->row = std::move(page->events.front());
                }
                pump();
              }));
}

MessageRows::Entry* Conversation::State::message(Op& op, Seq seq, Decision& decision) {
  decision = Decision::decided;
  Seq from = staged->head.floor;
  Reader reader{op.caller.user};
  if (op.caller.system()) {
    reader = all_seeing;
  } else {
    bool later = false;
    const auto row = member(op.caller.user, later, op.error);
    if (row) from = std::max(from, row->visible_from);
    if (row) reader.audiences = audiences_of(info.kind, *row);
  }
  if (seq < from || seq > staged->head.head) {
    op.error = no_message();
    return nullptr;
  }
  if (!event_ready(op, seq, decision)) return nullptr;
  MessageRows::Entry* entry = messages.find(seq);
  const Payload now = entry->present ? message_now(*entry).record : Payload();
  const auto fields = now.empty() ? wire::RecordFields{} : wire::read_record(now.bytes());
  if (entry->present && fields.kind == EventKind::message && core::visible(fields, reader))
    return entry;
  op.error = no_message();
  return nullptr;
}

bool Conversation::State::event_ready(Op& op, Seq seq, Decision& decision) {
  MessageRows::Entry* entry = seq > head.head ? nullptr : messages.find(seq);
  if (entry == nullptr && seq <= head.head) want_message(seq);  // else: after its own commit
  if (entry == nullptr || entry->phase == MessageRows::Phase::loading) {
    decision = Decision::later;
    return false;
  }
  if (entry->phase != MessageRows::Phase::failed) return true;
  op.error = entry->error;
  messages.erase(seq);  // the next one reads it again
  decision = Decision::decided;
  return false;
}

/// Whether the message's edits are in memory, so that they can be redacted with it.
bool Conversation::State::edits_ready(Op& op, const wire::RecordFields& message,
                                      Decision& decision) {
  for (const Seq seq : message.edits)
    if (!event_ready(op, seq, decision) && op.error) return false;
  return decision != Decision::later;
}

void Conversation::State::stage_message(Seq seq, MessageRows::Entry& entry,
                                        const wire::RecordFields& fields) {
  layout::StoredEvent shown = message_now(entry);
  shown.record = wire::build_record(fields);
  staged->bytes += 9 + layout::event_size(shown.record.size());
  entry.staged = std::move(shown);
  if (!entry.dirty) {
    entry.dirty = true;
    staged->messages.emplace_back(seq, &entry);
    staged->rows += 1;
  }
  staged->head.flags |= layout::head_has_overlays;
}

// ---- Edit, delete ----

Decision Conversation::State::decide(Op& op, EditOp& edit) {
  Decision decision{};
  const auto role = actor(op, Action::edit, decision);
  if (!role) return decision;
  MessageRows::Entry* entry = message(op, edit.seq, decision);
  if (entry == nullptr) return decision;
  const Payload before = message_now(*entry).record;  // the fields are views of it
  wire::RecordFields fields = wire::read_record(before.bytes());
  if (fields.deleted) {
    op.error = gone();
    return decision;
  }
  if (fields.sender != op.caller.user) {
    op.error = denied();
    return decision;
  }
  if (fields.origin) {
    op.error = {Errc::invalid_argument, "seq: a forwarded message stays as it was written"};
    return decision;
  }
  if (fields.poll) {
    op.error = {Errc::invalid_argument, "seq: a poll stays as it was asked"};
    return decision;
  }
  if (fields.content_type == edit.content_type && fields.body == edit.body.bytes())
    return decision;  // it says so already
  op.error = hindered(op.caller);
  if (op.error) return decision;
  if (fields.edits.size() >= limits::edits) {
    op.error = {Errc::limit_reached, "seq: the message was edited 50 times"};
    return decision;
  }
  const bool open_end = *role >= Role::admin || info.kind == ConversationKind::direct;
  const auto age = std::chrono::milliseconds(staged->now_ms - fields.time_ms);
  const bool for_all = fields.audience == audience::everyone;
  if (for_all && ignored(op.caller.user)) return decision;  // nobody is to know
  const bool seen_by_all = for_all && muffled(op);
  if ((!open_end && age >= limits.edit_window) || seen_by_all) {
    op.error = {Errc::denied, "the time in which this message could be edited is over"};
    return decision;
  }
  if (!host_agrees(op, *role, decision)) return decision;
  const std::size_t content = edit.content_type.size() + edit.body.size();
  if (!fits(1, 3, 2 * (change_bytes + content) + before.size())) return Decision::full;
  wire::RecordFields event{.sender = op.caller.user,
                           .kind = EventKind::edited,
                           .content_type = edit.content_type,
                           .body = edit.body.bytes(),
                           .about = edit.seq};
  inherit_audience(event, fields);
  stage_event(event);
  fields.content_type = edit.content_type;
  fields.body = edit.body.bytes();
  fields.changed = event.seq;
  fields.edited_ms = staged->now_ms;
  fields.edits.push_back(event.seq);
  stage_message(edit.seq, *entry, fields);
  return decision;
}

Decision Conversation::State::decide(Op& op, DeleteOp& erase) {
  Decision decision{};
  const auto role = actor(op, Action::delete_own, decision);
  if (!role) return decision;
  MessageRows::Entry* entry = message(op, erase.seq, decision);
  if (entry == nullptr)
    return op.error && op.caller.system() ? redact_edit(op, erase.seq) : decision;
  const Payload before = message_now(*entry).record;
  const wire::RecordFields fields = wire::read_record(before.bytes());
  const bool own = !op.caller.system() && fields.sender == op.caller.user;
  if (!own && !op.caller.system() && !may(Action::delete_any, *role)) {
    op.error = denied();
    return decision;
  }
  return erase_message(op, erase.seq, *entry);
}

/// An edit of what is kept no more, which goes with no message: the host takes away what it says.
Decision Conversation::State::redact_edit(Op& op, Seq seq) {
  MessageRows::Entry* entry = messages.find(seq);
  const bool there = entry != nullptr && entry->phase == MessageRows::Phase::ready &&
                     entry->present && seq >= staged->head.floor;
  if (!there) return Decision::decided;
  const Payload before = message_now(*entry).record;
  const wire::RecordFields fields = wire::read_record(before.bytes());
  if (fields.kind != EventKind::edited || fields.about >= staged->head.floor)
    return Decision::decided;
  op.error = {};
  if (fields.deleted) return Decision::decided;
  if (!fits(0, 3, 2 * change_bytes)) return Decision::full;
  stage_redaction(seq);
  return Decision::decided;
}

Decision Conversation::State::erase_message(Op& op, Seq seq, MessageRows::Entry& entry) {
  Decision decision = Decision::decided;
  const Payload before = message_now(entry).record;
  const wire::RecordFields fields = wire::read_record(before.bytes());
  if (fields.deleted || !edits_ready(op, fields, decision) ||
      !mentions_ready(op, fields.extras, fields.thread_root, decision))
    return decision;
  const bool reply = fields.thread_ordinal != 0;
  if (reply && !event_ready(op, fields.thread_root, decision)) return decision;
  const std::size_t edits = fields.edits.size();
  const std::size_t mentioned = fields.extras.mentions.size() + 1;
  const std::size_t root =
      reply ? message_now(*messages.find(fields.thread_root)).record.size() : 0;
  if (!fits(1, 8 + 2 * edits + mentioned,
            (6 + 2 * edits) * change_bytes + root +
                mentioned * (9 + layout::mention_size(limits::mentions_counted))))
    return Decision::full;
  wire::RecordFields event{.sender = op.caller.user,
                           .kind = EventKind::deleted,
                           .thread_root = fields.thread_root,
                           .about = seq};
  if (countable(fields)) event.about_ordinal = fields.ordinal;
  inherit_audience(event, fields);
  stage_event(event);
  const wire::RecordFields tombstone{.seq = fields.seq,
                                     .ordinal = fields.ordinal,
                                     .thread_ordinal = fields.thread_ordinal,
                                     .time_ms = fields.time_ms,
                                     .id = fields.id,
                                     .sender = fields.sender,
                                     .kind = fields.kind,
                                     .audience = fields.audience,
                                     .thread_root = fields.thread_root,
                                     .written_ms = fields.written_ms,
                                     .changed = event.seq,
                                     .deleted = true,
                                     .thread = fields.thread};
  stage_message(seq, entry, tombstone);
  staged->redacted.push_back(seq);
  unstage_mentions(fields);
  for (const Seq edit : fields.edits) stage_redaction(edit);
  if (pinned(seq)) stage_pin(seq, std::nullopt);
  if (reply) stage_reply_deleted(fields, event.seq);
  if (countable(fields)) {
    staged->deleted.push_back(fields.ordinal);
    staged->head.deleted_ordinal = std::max(staged->head.deleted_ordinal, fields.ordinal);
  }
  staged->rows += 2;  // the tombstone in place of an open event, the ordinal
  staged->bytes += 2 * change_bytes;
  return decision;
}

/// An edit of a deleted message is shown without its content.
void Conversation::State::stage_redaction(Seq seq) {
  MessageRows::Entry* entry = messages.find(seq);
  if (!entry->present) return;  // below the floor
  const Payload before = message_now(*entry).record;
  wire::RecordFields fields = wire::read_record(before.bytes());
  fields.content_type = {};
  fields.body = {};
  fields.deleted = true;
  stage_message(seq, *entry, fields);
  staged->redacted.push_back(seq);
  staged->rows += 1;
  staged->bytes += change_bytes;
}

// ---- Pins ----

bool Conversation::State::pinned(Seq seq) const noexcept {
  for (auto change = staged->pins.rbegin(); change != staged->pins.rend(); ++change)
    if (change->first == seq) return change->second.has_value();
  return pins.contains(seq);
}

std::size_t Conversation::State::pin_count() const noexcept {
  std::size_t count = pins.size();
  for (const auto& [seq, row] : staged->pins) {
    if (row && !pins.contains(seq)) ++count;
    if (!row && pins.contains(seq)) --count;
  }
  return count;
}

void Conversation::State::stage_pin(Seq seq, std::optional<layout::PinRow> row) {
  std::erase_if(staged->pins, [seq](const auto& change) { return change.first == seq; });
  staged->pins.emplace_back(seq, row);
  staged->rows += 1;
  staged->bytes += 9 + 17;
  if (row) staged->head.flags |= layout::head_has_pins;
}

Decision Conversation::State::decide(Op& op, PinOp& pin) {
  Decision decision{};
  if (!actor(op, Action::pin, decision)) return decision;
  MessageRows::Entry* entry = message(op, pin.seq, decision);
  if (entry == nullptr) return decision;
  const Payload before = message_now(*entry).record;
  wire::RecordFields fields = wire::read_record(before.bytes());
  if (pinned(pin.seq) == pin.on) return decision;
  if (fields.audience == audience::everyone && muffled(op)) return decision;
  if (pin.on && fields.deleted) {
    op.error = gone();
    return decision;
  }
  if (pin.on && pin_count() >= limits::pins) {
    op.error = {Errc::limit_reached, "seq: 100 messages are pinned; unpin one first"};
    return decision;
  }
  if (!fits(1, 3, 2 * change_bytes + before.size())) return Decision::full;
  wire::RecordFields event{.sender = op.caller.user,
                           .kind = pin.on ? EventKind::pinned : EventKind::unpinned,
                           .about = pin.seq};
  inherit_audience(event, fields);
  stage_event(event);
  fields.pinned = pin.on;
  fields.changed = event.seq;
  stage_message(pin.seq, *entry, fields);
  std::optional<layout::PinRow> row;
  if (pin.on) row = layout::PinRow{op.caller.user, staged->now_ms};
  stage_pin(pin.seq, row);
  return decision;
}

void Conversation::pins(Caller caller, Then<std::vector<Payload>> then) {
  State& state = *state_;
  state.read_as_member(caller, std::move(then),
                       [&state](Seq from, Reader reader, Then<std::vector<Payload>> answer) {
                         state.read_pins(from, reader, std::move(answer));
                       });
}

void Conversation::State::read_pins(Seq from, Reader reader, Then<std::vector<Payload>> then) {
  std::vector<Seq> seqs;
  for (const auto& [seq, row] : pins)
    if (seq >= from) seqs.push_back(seq);
  read_messages(std::move(seqs), reader,
                [then = std::move(then)](Result<std::vector<Payload>> found) {
                  if (!found) return then(std::move(found).error());
                  std::erase_if(*found, [](const Payload& record) {
                    return !wire::read_record(record.bytes()).pinned;
                  });
                  then(std::move(found));
                });
}

/// What not everybody sees is not countable: only the pins up to the last such event are read.
void Conversation::State::count_pins(Seq from, Reader reader, Then<std::uint64_t> then) {
  std::vector<Seq> doubtful;
  std::uint64_t count = 0;
  for (const auto& [seq, row] : pins) {
    if (seq < from) continue;
    if (seq <= head.hidden && reader.audiences != every_audience)
      doubtful.push_back(seq);
    else
      ++count;
  }
  if (doubtful.empty()) return then(count);
  read_messages(std::move(doubtful), reader,
                [count, then = std::move(then)](Result<std::vector<Payload>> found) {
                  if (!found) return then(std::move(found).error());
                  then(count + found->size());
                });
}

/// Messages as they stand, one after the other; those that are no messages any more are left out.
void Conversation::State::read_messages(std::vector<Seq> seqs, Reader reader,
                                        Then<std::vector<Payload>> then) {
  struct Job {
    Reader reader;
    std::vector<Seq> seqs;  // taken from the end
    std::vector<Payload> found;
    Then<std::vector<Payload>> then;
    std::function<void(std::shared_ptr<Job>)> next;
  };
  auto job = std::make_shared<Job>();
  job->reader = reader;
  job->seqs = std::move(seqs);
  std::reverse(job->seqs.begin(), job->seqs.end());
  job->then = std::move(then);
  job->next = [this](std::shared_ptr<Job> self) {
    if (self->seqs.empty()) {
      self->next = nullptr;
      return std::exchange(self->then, {})(std::move(self->found));
    }
    const Seq seq = self->seqs.back();
    self->seqs.pop_back();
    ReadRange range{.partition = *name,
                    .conversation = id,
                    .ns = host.ns(),
                    .from = seq,
                    .to = seq,
                    .max_events = 1};
    read_events(effects, std::move(range), input<Result<EventPage>>([self](Result<EventPage> page) {
                  if (!page) {
                    self->next = nullptr;
                    return self->then(std::move(page).error());
                  }
                  for (auto& event : page->events)
                    if (core::visible(wire::read_record(event.record.bytes()), self->reader))
                      self->found.push_back(std::move(event.record));
                  self->next(self);
                }));
  };
  job->next(job);
}

// ---- The batch ----

/// Whether the event's own row is surely still there, and no round of sealing has read it.
bool Conversation::State::may_seal_later(Seq seq) const noexcept {
  return seq > std::max({head.sealed, archived, sealing_through});
}

void Conversation::State::write_messages(BatchWriter& writer) {
  for (const auto& [seq, entry] : staged->messages) {
    const layout::StoredEvent& shown = entry->staged;
    writer.arena() += layout::overlay_key(seq);
    writer.value();
    layout::append_event(writer.arena(), id, shown);
    writer.end();
  }
  for (const Seq seq : staged->redacted) {
    if (!may_seal_later(seq)) continue;  // the archive is rewritten instead
    writer.put(layout::event_key(seq), layout::encode_event(id, messages.find(seq)->staged));
  }
  for (const auto& [key, change] : staged->thread_changes)
    writer.put(layout::thread_change_key(key.first, key.second), layout::encode(change));
  for (const std::uint64_t ordinal : staged->deleted) writer.put(layout::deleted_key(ordinal), {});
  for (const auto& [seq, row] : staged->pins) {
    if (row)
      writer.put(layout::pin_key(seq), layout::encode(*row));
    else
      writer.erase(layout::pin_key(seq));
  }
}

void Conversation::State::messages_committed(Staged& done) {
  std::erase_if(merged, [&](Seq seq) {
    return std::find(done.merged.begin(), done.merged.end(), seq) != done.merged.end();
  });
  for (auto& [seq, entry] : done.messages) {
    entry->row = std::move(entry->staged);
    entry->dirty = false;
    std::erase(merged, seq);  // it has an overlay again that the archive does not have
    if (merging) touched.push_back(seq);
    no_overlays = false;
  }
  for (const Seq seq : done.redacted) {
    const bool open = !tail.empty() && seq >= tail.front().seq && seq <= tail.back().seq;
    if (open) {
      layout::StoredEvent& event = tail[seq - tail.front().seq];
      tail_bytes -= event.record.size();
      event.record = messages.find(seq)->row.record;
      tail_bytes += event.record.size();
    }
    if (!may_seal_later(seq) || !archive_swept) merge_due = true;
  }
  done.messages.clear();
  for (const std::uint64_t ordinal : done.deleted) {
    deleted.insert(std::upper_bound(deleted.begin(), deleted.end(), ordinal), ordinal);
    if (deleted.size() <= limits::deleted_counted) continue;
    expired_keys.push_back(layout::deleted_key(deleted.front()));
    deleted.erase(deleted.begin());
  }
  for (const auto& [seq, row] : done.pins) {
    if (row)
      pins[seq] = *row;
    else
      pins.erase(seq);
  }
}

std::uint64_t Conversation::State::deleted_after(std::uint64_t ordinal) const noexcept {
  return static_cast<std::uint64_t>(deleted.end() -
                                    std::upper_bound(deleted.begin(), deleted.end(), ordinal));
}

}  // namespace parley::core
