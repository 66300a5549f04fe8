// conversation_batch.cpp: decides what waits in order, builds one batch, commits it and carries the
// outcome through.
#include <algorithm>
#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/conversation_state.hpp"

namespace parley::core {
namespace {

constexpr std::size_t senders_kept = 4096, channel_members_kept = 8192, host_keys_kept = 1024,
                      messages_kept = 1024, mentions_kept = 1024;
constexpr Seq sealed_at_once = 1536;  // rows erased by one commit; more than one brings
constexpr std::size_t merged_at_once = 256;
constexpr std::size_t housekeeping_rows = 2000, housekeeping_bytes = 32 * 1024;
constexpr std::size_t spare_events = 64;
constexpr auto flush_delay = std::chrono::seconds(1);

Epoch random_epoch(Effects& effects) {
  Epoch epoch;
  for (std::size_t i = 0; i < epoch.bytes.size(); i += 8) {
    std::uint64_t word = effects.random() | 1;  // never all zero
    for (std::size_t k = 0; k < 8; ++k, word >>= 8)
      epoch.bytes[i + k] = static_cast<std::uint8_t>(word);
  }
  return epoch;
}

}  // namespace

// ---- Deciding ----

void Conversation::State::pump() {
  if (building || in_flight || closing || phase == Phase::loading) return;
  if (waiting.empty() && !force_flush && !tallies_ready()) {
    kept_rights.clear();
    forget_strangers();
    if (phase == Phase::absent) look_again();
    return;
  }
  if (phase == Phase::cold) {
    force_flush = false;
    if (!waiting.empty() || !due_tallies.empty()) load();
    return;
  }
  std::vector<OpPtr> answers = build();
  answer_all(answers);
}

void Conversation::State::trim_rows(bool all) {
  const auto most = [all](std::size_t kept) { return all ? 0 : kept; };
  senders.trim(most(senders_kept));
  host_keys.trim(most(host_keys_kept));
  last_sent.trim(most(senders_kept));
  channel_members.trim(most(channel_members_kept));
  rights.trim(most(channel_members_kept));
  messages.trim(most(messages_kept));
  mentions.trim(most(mentions_kept));
  trim_own_deletions(all);
}

void Conversation::State::start_staging() {
  trim_rows(false);
  blocked_users.clear();
  staged = spare ? std::move(spare) : std::make_unique<Staged>();
  if (phase == Phase::ready) staged->head = head;
  staged->now_ms = std::max(staged->head.last_event_ms, effects.now().wall_ms);
}

/// The next batch finds the room that this one needed, when that was little.
void Conversation::State::recycle(std::unique_ptr<Staged> done) {
  if (done->events.capacity() > spare_events) return;
  done->ops.clear();
  done->events.clear();
  done->senders.clear();
  auto ops = std::move(done->ops);
  auto events = std::move(done->events);
  auto sender_rows = std::move(done->senders);
  auto bytes = std::move(done->guard);
  static_assert(std::is_nothrow_default_constructible_v<Staged>);
  std::destroy_at(done.get());  // quicker than to assign an empty one
  std::construct_at(done.get());
  done->ops = std::move(ops);
  done->events = std::move(events);
  done->senders = std::move(sender_rows);
  done->guard = std::move(bytes);
  spare = std::move(done);
}

std::vector<OpPtr> Conversation::State::build() {
  std::vector<OpPtr> answers, blocked;
  building = true;
  kept_rights.clear();
  start_staging();
  while (!waiting.empty() && !staged->birth) {
    OpPtr op = std::move(waiting.front());
    waiting.pop_front();
    const UserId user = op->caller.user;
    const auto in = [user](const std::vector<UserId>& users) {
      return std::find(users.begin(), users.end(), user) != users.end();
    };
    if (in(blocked_users) || in(busy_users) || waits_for_host(*op)) {
      blocked.push_back(std::move(op));
      continue;
    }
    asked_rights.clear();
    const Decision decision = decide(*op);
    if (decision == Decision::full) {
      waiting.push_front(std::move(op));
      break;
    }
    if (decision == Decision::later) {
      kept_rights.insert(kept_rights.end(), asked_rights.begin(), asked_rights.end());
      blocked_users.push_back(user);
      blocked.push_back(std::move(op));
    } else if (decision == Decision::decided) {
      (staged->empty() ? answers : staged->ops).push_back(std::move(op));
    }
  }
  requeue(blocked);
  forget_strangers();
  stage_tallies();
  building = false;
  read_wanted();
  if (!staged->empty() || (force_flush && flushable())) {
    submit();
  } else {
    force_flush = false;
    recycle(std::move(staged));
    if (phase == Phase::absent) look_again();
  }
  return answers;
}

/// Nothing was there; another may create it at any time.
void Conversation::State::look_again() {
  phase = Phase::cold;
  if (!load_waiters.empty()) load();
}

void Conversation::State::requeue(std::vector<OpPtr>& ops) {
  for (auto op = ops.rbegin(); op != ops.rend(); ++op) {
    (*op)->error = {};
    (*op)->repeated = false;
    waiting.push_front(std::move(*op));
  }
  ops.clear();
}

Decision Conversation::State::decide(Op& op) {
  if ((staged->head.flags & layout::head_ended) != 0) {
    op.error = is_birth(op) ? being_deleted() : denied();
    return Decision::decided;
  }
  if (phase == Phase::absent && !is_birth(op)) {
    op.error = denied();
    return Decision::decided;
  }
  return std::visit([&](auto& what) { return decide(op, what); }, op.what);
}

Decision Conversation::State::decide(Op& op, CreateOp& create) {
  if (phase != Phase::absent) {
    if (create.creation.child.space && create.creation.child.space != info.space) {
      op.error = {Errc::key_reused, "nonce: it made another conversation, not one of this space"};
      return Decision::decided;
    }
    answer_created(op, create);
    return Decision::moved;
  }
  const UserId creator = op.caller.user;
  const Creation& with = create.creation;
  if (with.kind == ConversationKind::group &&
      with.members.size() + (creator ? 1 : 0) > limits.group_members) {
    op.error = {Errc::limit_reached,
                "members: a group has at most " + std::to_string(limits.group_members)};
    return Decision::decided;
  }
  Staged& batch = *staged;
  batch.birth = true;
  batch.head.epoch = random_epoch(effects);
  batch.info = layout::InfoRow{.kind = with.kind, .creator = creator, .created_ms = batch.now_ms};
  batch.info->settings.title = with.title;
  batch.info->space = with.child.space;
  batch.info->child_number = with.child.number;
  batch.info->settings.join = with.join.value_or(layout::default_join(with.kind));
  wire::RecordFields created{.sender = creator,
                             .kind = EventKind::created,
                             .title = with.title,
                             .conversation_kind = with.kind};
  stage_event(created);
  if (scattered(with.kind)) return Decision::decided;
  stage_note(1);
  if (creator) stage_member(creator, {.role = Role::owner, .since_ms = batch.now_ms});
  for (const UserId user : with.members) {
    const bool owner = !creator && user == with.members.front();
    const Role role = owner ? Role::owner : Role::member;
    wire::RecordFields added{
        .sender = creator, .kind = EventKind::added, .target = user, .role = role};
    const Seq seq = stage_event(added).stored.seq;
    stage_note(seq);
    stage_member(user, {.role = role,
                        .since_ms = batch.now_ms,
                        .visible_from = seq,
                        .visible_ordinal = batch.head.ordinal});
  }
  return Decision::decided;
}

Decision Conversation::State::decide(Op& op, DirectOp& direct) {
  if (phase != Phase::absent) {
    answer_access(op.caller.user, op.caller.system(), std::move(direct.then));
    return Decision::moved;
  }
  if (!pair.known) {
    op.error = std::exchange(pair.error, {});
    if (op.error) return Decision::decided;
    if (!std::exchange(pair.reading, true))
      read_pair(direct.first, direct.second, [this](Error error) {
        pair.reading = false;
        pair.error = std::move(error);
        pump();
      });
    return Decision::later;
  }
  Staged& batch = *staged;
  batch.birth = true;
  batch.head.epoch = random_epoch(effects);
  batch.head.last_event_ms = batch.head.shown_ms = batch.now_ms;
  batch.info = layout::InfoRow{.kind = ConversationKind::direct,
                               .creator = op.caller.user,
                               .created_ms = batch.now_ms,
                               .first = direct.first,
                               .second = direct.second};
  for (const UserId user : {direct.first, direct.second})
    stage_member(user, {.role = Role::member, .since_ms = batch.now_ms});
  batch.note = {.kind = layout::Note::Kind::pair, .users = {direct.first, direct.second}};
  // Who blocks the one that asks hears nothing of it.
  const UserId asking = op.caller.user;
  if (asking == direct.first && pair.second) batch.note.users = {direct.first};
  if (asking == direct.second && pair.first) batch.note.users = {direct.second};
  batch.has_note = true;
  return Decision::decided;
}

// ---- Staging ----

bool Conversation::State::fits(std::size_t events, std::size_t rows,
                               std::size_t bytes) const noexcept {
  if (staged->empty()) return true;
  const StoreFacts& facts = effects.store_facts();
  const std::size_t most_bytes = std::min(limits::batch_bytes, facts.max_batch_bytes);
  return staged->events.size() + events <= limits::batch_events &&
         staged->rows + rows + housekeeping_rows <= facts.max_batch_rows &&
         staged->bytes + bytes + housekeeping_bytes <= most_bytes;
}

StagedEvent& Conversation::State::stage_event(wire::RecordFields& fields) {
  layout::HeadCell& cell = staged->head;
  fields.seq = ++cell.head;
  const bool for_all = fields.audience == audience::everyone;
  const bool imported = fields.written_ms != 0;  // it is old: nothing has happened
  if (fields.kind == EventKind::message && for_all && !imported) {
    if (fields.thread_root == 0) ++cell.ordinal;
    cell.last_message_ms = staged->now_ms;
  }
  if (!for_all) cell.hidden = fields.seq;
  if (for_all && !imported) cell.shown_ms = staged->now_ms;
  fields.ordinal = cell.ordinal;
  fields.time_ms = staged->now_ms;
  if (!imported) fields.id = host.next_snowflake();  // else its own
  cell.last_event_ms = staged->now_ms;
  StagedEvent event;
  event.stored.seq = fields.seq;
  event.stored.record = wire::build_record(fields);
  event.stored.mark = cell.mark = layout::next_mark(cell.mark, id, event.stored.record.bytes());
  event.ordinal = cell.ordinal;
  event.for_all = for_all;
  staged->rows += 1;
  staged->bytes += 9 + layout::event_size(event.stored.record.size());
  staged->events.push_back(std::move(event));
  return staged->events.back();
}

void Conversation::State::stage_member(UserId user, const layout::MemberRow& row) {
  const layout::MemberRow* before = group_member(user);
  const bool was = before != nullptr && before->role != Role::none;
  const bool is = row.role != Role::none;
  if (is && !was) ++staged->head.members;
  if (was && !is) --staged->head.members;
  const auto at = std::find_if(staged->members.begin(), staged->members.end(),
                               [user](const auto& item) { return item.first == user; });
  if (at != staged->members.end()) {
    at->second = row;
    return;
  }
  staged->members.emplace_back(user, row);
  staged->rows += 1;
  staged->bytes += 9 + 55;
}

void Conversation::State::stage_note(Seq seq) {
  if (!staged->has_note) staged->note.first = seq;
  staged->note.last = seq;
  staged->has_note = true;
}

bool Conversation::State::housekeeping() const noexcept {
  return (phase == Phase::ready && archived > head.sealed) || !expired_keys.empty() ||
         !pending.empty() || !admitted.empty() || !merged.empty() || merge_due || bearing();
}

bool Conversation::State::flushable() const noexcept {
  return (phase == Phase::ready && archived > head.sealed) || !expired_keys.empty() ||
         !merged.empty() ||
         std::any_of(pending.begin(), pending.end(), [](const auto& p) { return p.applied; }) ||
         std::any_of(admitted.begin(), admitted.end(),
                     [](const auto& item) { return item.second.applied; });
}

/// What rides on the next commit, whatever that is about.
void Conversation::State::stage_housekeeping() {
  if (staged->birth) return;
  for (const Seq end : archived_ends) {  // to the end of a chunk, so that packing goes on there
    if (end > head.sealed + sealed_at_once) break;
    staged->head.sealed = std::max(staged->head.sealed, end);
  }
  for (const PendingMember& change : pending)
    if (change.applied) staged->pending_erased.push_back(change.seq);
  for (const auto& [user, admission] : admitted)
    if (admission.applied && !on_the_way(user)) stage_admission(user, std::nullopt);
  const std::size_t keys = std::min<std::size_t>(expired_keys.size(), 64);
  staged->expired_keys.assign(expired_keys.begin(),
                              expired_keys.begin() + static_cast<std::ptrdiff_t>(keys));
  for (const Seq seq : merged) {
    const bool staged_again =
        std::any_of(staged->messages.begin(), staged->messages.end(),
                    [seq](const auto& change) { return change.first == seq; });
    if (!staged_again && staged->merged.size() < merged_at_once) staged->merged.push_back(seq);
  }
  if (no_overlays && staged->messages.empty() && staged->merged.size() == merged.size())
    staged->head.flags &= static_cast<std::uint16_t>(~layout::head_has_overlays);
}

// ---- Committing ----

void Conversation::State::submit() {
  Staged& batch = *staged;
  force_flush = false;
  stage_housekeeping();
  batch.head.nonce = effects.random();
  layout::encode(batch.head, batch.guard);

  BatchWriter writer(layout::conversation, *name, batch.bytes);
  if (!batch.birth) writer.expect(guard);
  writer.guard(batch.guard);
  if (batch.has_note) writer.note(layout::encode(batch.note));
  if (batch.info) writer.put(layout::info_key(), layout::encode(*batch.info));
  for (const StagedEvent& event : batch.events) {
    writer.arena() += layout::event_key(event.stored.seq);
    writer.value();
    layout::append_event(writer.arena(), id, event.stored);
    writer.end();
  }
  for (const auto& [user, row] : batch.members)
    writer.put(layout::member_key(user), layout::encode(row));
  for (const auto& [sender, entry] : batch.senders) {
    layout::append_sender_key(writer.arena(), sender.user, sender.device);
    writer.value();
    layout::append(writer.arena(), entry->staged);
    writer.end();
  }
  for (const auto& [key, entry] : batch.host_keys)
    writer.put(layout::host_key(today(), key), layout::encode(entry->staged));
  for (const auto& [mentioned, entry] : batch.mentions)
    writer.put(layout::mention_key(mentioned.user), layout::encode(entry->staged));
  for (const PendingMember& change : batch.pending)
    writer.put(layout::pending_key(change.seq), layout::encode(change.row));
  for (const Seq seq : batch.pending_erased) writer.erase(layout::pending_key(seq));
  write_restrictions(writer);
  write_invites(writer);
  write_requests(writer);
  write_children(writer);
  if (batch.keeping) writer.put(layout::retention_key(), layout::encode(*batch.keeping));
  write_due(writer);
  write_messages(writer);
  for (const Seq seq : batch.merged) writer.erase(layout::overlay_key(seq));
  for (const std::string& key : batch.expired_keys) writer.erase(key);
  for (Seq seq = head.sealed + 1; !batch.birth && seq <= batch.head.sealed; ++seq)
    writer.erase(layout::event_key(seq));

  in_flight = true;
  commit(std::move(writer).finish(), [this](Settled outcome) { settled(std::move(outcome)); });
}

void Conversation::State::settled(Settled outcome) {
  in_flight = false;
  if (outcome.outcome == Settled::Outcome::done) return committed();
  undo();
  if (outcome.outcome == Settled::Outcome::failed) {
    std::vector<OpPtr> ops = std::move(staged->ops);
    staged.reset();
    tallies_failed(outcome.error);
    if (phase == Phase::absent) look_again();
    for (const OpPtr& op : ops) op->error = outcome.error;
    start_flush_timer();
    answer_all(ops);
    serve_row_waiters();
    return pump();
  }
  if (outcome.unsure) {
    doubtful = true;  // settled, but it may have landed: the events tell
  } else {
    requeue(staged->ops);
    staged.reset();
  }
  drop_caches();
  load();
}

/// The cached rows are what they were before the batch.
void Conversation::State::undo() {
  for (auto& [sender, entry] : staged->senders) entry->dirty = false;
  for (auto& [key, entry] : staged->host_keys) entry->dirty = false;
  for (auto& [user, entry] : staged->last_sent) entry->dirty = false;
  staged->last_sent.clear();
  for (auto& [mentioned, entry] : staged->mentions) entry->dirty = false;
  for (auto& [seq, entry] : staged->messages) entry->dirty = false;
  staged->mentions.clear();
  staged->thread_changes.clear();
  staged->messages.clear();
  staged->senders.clear();
  staged->host_keys.clear();
}

void Conversation::State::committed() {
  const layout::HeadCell before = head;
  auto batch = std::move(staged);
  Staged& done = *batch;
  head = done.head;
  guard.swap(done.guard);
  phase = Phase::ready;
  if (done.info) info = *done.info;
  if (done.birth && info.space) {
    inherits = true;
    host.child_loaded(info.space, id);
  }
  if (done.keeping) keeping = *done.keeping;
  for (const auto& [user, row] : done.members) members.put(user, row);
  const auto keep = [](auto& rows) {
    for (auto& [key, entry] : rows) {
      entry->row = std::move(entry->staged);
      entry->present = true;
      entry->dirty = false;
    }
    rows.clear();
  };
  keep(done.senders);
  keep(done.host_keys);
  keep(done.last_sent);
  restrictions_committed(done);
  invites_committed(done);
  requests_committed(done);
  children_committed(done);
  keep(done.mentions);
  messages_committed(done);
  threads_committed(done);
  std::erase_if(pending, [&](const PendingMember& change) {
    return std::find(done.pending_erased.begin(), done.pending_erased.end(), change.seq) !=
           done.pending_erased.end();
  });
  pending.insert(pending.end(), done.pending.begin(), done.pending.end());
  expired_keys.erase(expired_keys.begin(),
                     expired_keys.begin() + static_cast<std::ptrdiff_t>(done.expired_keys.size()));
  keep_tail(done.events);
  if (done.trimmed) floor_committed();
  published = Cursor{head.epoch, head.head, head.mark};
  finish_committed(done, done.birth ? layout::HeadCell{} : before);
  recycle(std::move(batch));
}

/// Who sends has read up to there.
void Conversation::State::mark_senders(const Staged& done) {
  for (const OpPtr& each : done.ops) {
    const Op& op = *each;
    const auto* send = std::get_if<SendOp>(&op.what);
    if (send == nullptr || op.error || op.repeated || op.caller.system()) continue;
    // One says nothing of when it was read, the other nothing of the conversation.
    if (send->send.unattended || send->send.thread_root != 0) continue;
    const StagedEvent& event = done.events[op.seq - done.events.front().stored.seq];
    mark(op.caller.user, {.received = op.seq,
                          .read = op.seq,
                          .ordinal = event.ordinal,
                          .has_ordinal = true,
                          .hidden = op.caller.hides_reads || ignores(op.caller.user)});
  }
}

void Conversation::State::finish_committed(Staged& done, const layout::HeadCell& before) {
  mark_senders(done);
  tallies_committed(done);
  apply_admissions();
  if (done.head.sealed > before.sealed && (head.flags & layout::head_has_overlays) != 0)
    merge_due = true;
  // The next batch is on its way before anybody hears of this one.
  std::vector<OpPtr> decided;
  if (!waiting.empty() || force_flush || tallies_ready()) decided = build();
  if (!load_waiters.empty()) run_load_waiters({});
  // Before the answers: who hears of its own message finds it in history.
  publish(done.events, before.mark);
  if (space())
    answer_when_told(std::move(done.ops), done.events);
  else
    answer_all(done.ops);
  if (done.has_note) host.feed_moved();
  answer_all(decided);
  serve_row_waiters();
  if (ended()) {
    host.conversation_ended(id);
    return finish_end({});
  }
  apply_pending();
  move_threads();
  maybe_seal();
  maybe_merge();
  maybe_trim();
  start_flush_timer();
}

/// Consecutive pieces; each ends with an event that ends or changes somebody's access.
void Conversation::State::publish(const std::vector<StagedEvent>& events, Mark before) {
  std::shared_ptr<Published> piece;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const StagedEvent& event = events[i];
    if (!piece) {
      piece = std::make_shared<Published>();
      piece->conversation = id;
      piece->kind = info.kind;
      piece->epoch = head.epoch;
      piece->first = event.stored.seq;
      piece->before = before;
    }
    piece->records.push_back(event.stored.record);
    piece->mark = before = event.stored.mark;
    piece->head_ordinal = event.ordinal;
    piece->ended = event.ended;
    piece->changed = event.changed;
    piece->everybody = event.everybody;
    piece->opened = event.opened;
    piece->for_all = piece->for_all && event.for_all;
    const bool last = event.ended || event.changed || event.everybody || event.opened;
    if (!last && i + 1 < events.size()) continue;
    host.published(std::move(piece));
    piece.reset();
  }
}

/// What no commit carries is committed on its own after a second.
void Conversation::State::start_flush_timer() {
  if (flush_timer != Effects::Timer::none || phase != Phase::ready || !housekeeping() || ended())
    return;
  flush_timer = effects.start_timer(flush_delay, [this, here = std::weak_ptr<const void>(alive)] {
    if (here.expired()) return;
    flush_timer = Effects::Timer::none;
    force_flush = true;
    apply_pending();
    apply_admissions();
    bear_children();
    maybe_merge();
    pump();
    start_flush_timer();
  });
}

}  // namespace parley::core
