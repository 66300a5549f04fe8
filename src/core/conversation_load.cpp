// conversation_load.cpp: reads a conversation into memory, catches up with what others committed,
// and reads rows by key.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/event_reader.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

constexpr int load_attempts_most = 8;
constexpr std::uint32_t scan_rows_most = 4096, scan_bytes_most = 1024 * 1024;
constexpr std::size_t wanted_at_once = 1024;  // cells

}  // namespace

// ---- The conversation: guard and info first, then the member (or pending) rows under one guard
// ----

void Conversation::State::load() {
  phase = Phase::loading;
  scan_info();
}

void Conversation::State::scan_info() {
  auto request = owned_scan_of(layout::conversation, *name, layout::info_key());
  scan(std::move(request), [this](Result<Rows> rows) {
    if (!rows) return load_failed(rows.error());
    if (!rows->guard) {
      phase = Phase::absent;
      load_attempts = 0;
      run_load_waiters(denied());
      host.found_absent(id);
      return pump();
    }
    load_guard = *rows->guard;
    const auto cell = layout::decode_head(load_guard);
    const auto row = rows->rows.empty() ? std::nullopt : layout::decode_info(rows->rows[0].value);
    // The last commit but one of a deletion erases the info row.
    const bool erased = cell && !row && (cell->flags & layout::head_ended) != 0;
    if (!cell || (!row && !erased)) return load_failed(unreadable("the head cell or the info row"));
    head = *cell;
    info = row.value_or(layout::InfoRow{});
    inherits = bool(info.space);
    members.clear();
    pending.clear();
    deleted.clear();
    pins.clear();
    restrictions.clear();
    invites.clear();
    admitted.clear();
    requests.clear();
    children.clear();
    thread_changes.clear();
    keeping = {};
    const char prefix = channel() ? 'p' : 'm';
    scan_rows(prefix, std::string(1, prefix));
  });
}

void Conversation::State::scan_rows(char prefix, std::string from) {
  auto request = owned_scan(layout::conversation, *name, std::move(from),
                            std::string(1, static_cast<char>(prefix + 1)));
  request.max_rows = scan_rows_most;
  request.max_bytes = scan_bytes_most;
  scan(std::move(request), [this, prefix](Result<Rows> rows) {
    if (!rows) return load_failed(rows.error());
    if (!rows->guard || *rows->guard != load_guard) {  // rows of another guard: begin again
      if (++load_attempts < load_attempts_most) return scan_info();
      return load_failed({Errc::unavailable, "the conversation moves faster than it can be read"});
    }
    for (const Row& row : rows->rows) take_row(prefix, row);
    if (rows->more && !rows->rows.empty())
      return scan_rows(prefix, std::string(rows->rows.back().key) + '\0');
    scan_next(prefix);
  });
}

/// Rows that few conversations have come after the members.
void Conversation::State::scan_next(char prefix) {
  const auto has = [this](std::uint16_t flag) { return (head.flags & flag) != 0; };
  const std::pair<char, bool> rest[] = {
      {'x', head.deleted_ordinal != 0},          {'i', has(layout::head_has_pins)},
      {'b', has(layout::head_has_restrictions)}, {'v', has(layout::head_has_invites)},
      {'y', has(layout::head_has_admissions)},   {'j', has(layout::head_has_join_requests)},
      {'c', has(layout::head_has_children)},     {'t', has(layout::head_has_threads)},
      {'a', has(layout::head_has_retention)}};
  bool next = prefix == 'm' || prefix == 'p';
  for (const auto& [rows, there] : rest) {
    if (next && there)
      return scan_rows(rows, rows == 'a' ? layout::retention_key() : std::string(1, rows));
    next = next || rows == prefix;
  }
  rows_loaded();
}

void Conversation::State::take_row(char prefix, const Row& row) {
  if (prefix == 't') {
    const auto key = layout::parse_thread_change(row.key);
    auto change = layout::decode_thread_change(row.value);
    if (key && change) add_thread_change({key->root, key->seq}, std::move(*change));
    return;
  }
  if (const auto secret = layout::parse_invite_key(row.key)) {
    if (const auto link = layout::decode_invite(row.value)) invites.emplace(*secret, *link);
    return;
  }
  if (const auto child = layout::parse_child_key(row.key)) {
    if (auto known = layout::decode_child(row.value)) children.emplace(*child, std::move(*known));
    return;
  }
  if (row.key == layout::retention_key()) {
    if (const auto kept = layout::decode_retention(row.value)) keeping = *kept;
    return;
  }
  const auto number = layout::parse_number_key(prefix, row.key);
  if (!number) return;  // a kind of row that a later version writes
  if (prefix == 'm') {
    if (const auto member = layout::decode_member(row.value)) members.put(UserId{*number}, *member);
  } else if (prefix == 'x') {
    deleted.push_back(*number);
  } else if (prefix == 'i') {
    if (const auto pin = layout::decode_pin(row.value)) pins.emplace(*number, *pin);
  } else if (prefix == 'b') {
    if (const auto kept = layout::decode_restriction(row.value))
      restrictions.emplace(UserId{*number}, *kept);
  } else if (prefix == 'j') {
    if (auto asks = layout::decode_join_request(row.value))
      requests.emplace(UserId{*number}, std::move(*asks));
  } else if (prefix == 'y') {
    if (const auto let = layout::decode_admission(row.value))
      admitted.emplace(UserId{*number}, Admitted{.row = *let});
  } else if (const auto change = layout::decode_pending(row.value)) {
    pending.push_back({.seq = *number, .row = *change});
  }
}

void Conversation::State::rows_loaded() {
  if (info.kind == ConversationKind::direct && !pair.known)
    return read_pair(info.first, info.second,
                     [this](const Error& error) { error ? load_failed(error) : rows_loaded(); });
  load_attempts = 0;
  guard = load_guard;
  if (published && published->epoch == head.epoch && published->seq < head.head) return catch_up();
  loaded();
}

/// Others committed (or an attempt of ours that was given up): followers here get their events too.
void Conversation::State::catch_up() {
  ReadRange range{.partition = *name,
                  .conversation = id,
                  .ns = host.ns(),
                  .from = published->seq + 1,
                  .to = head.head};
  read_events(effects, std::move(range), input<Result<EventPage>>([this](Result<EventPage> page) {
                if (!page) return load_failed(page.error());
                publish_foreign(std::move(page->events));
                published->seq < head.head ? catch_up() : loaded();
              }));
}

void Conversation::State::publish_foreign(std::vector<layout::StoredEvent> events) {
  std::vector<StagedEvent> seen;
  seen.reserve(events.size());
  for (layout::StoredEvent& event : events) {
    const wire::RecordFields fields = wire::read_record(event.record.bytes());
    const bool ends = fields.kind == EventKind::left || fields.kind == EventKind::removed;
    if (doubtful && staged && !staged->events.empty()) {
      const layout::StoredEvent& ours = staged->events.front().stored;
      if (ours.seq == event.seq && ours.mark == event.mark) landed = true;
    }
    const bool mutes = fields.kind == EventKind::muted || fields.kind == EventKind::unmuted;
    const bool changes = fields.kind == EventKind::role_changed ||
                         fields.kind == EventKind::visibility_changed || (mutes && space());
    const bool everybody = inherits && fields.settings && fields.settings->join == JoinRule::added;
    seen.push_back({.stored = std::move(event),
                    .ordinal = fields.ordinal,
                    .ended = ends ? fields.target : UserId{},
                    .changed = changes ? fields.target : UserId{},
                    .for_all = fields.audience == audience::everyone,
                    .everybody = everybody,
                    .opened = fields.kind == EventKind::child_opened ? fields.conversation
                                                                     : ConversationId{}});
  }
  publish(seen, published->mark);
  if (space()) foreign.insert(foreign.end(), seen.begin(), seen.end());
  published->seq = seen.back().stored.seq;
  published->mark = seen.back().stored.mark;
}

void Conversation::State::loaded() {
  phase = Phase::ready;
  if (inherits) host.child_loaded(info.space, id);
  if (!published) may_still_land();  // what another life left under way
  published = Cursor{head.epoch, head.head, head.mark};
  merge_due = (head.flags & layout::head_has_overlays) != 0;
  std::vector<OpPtr> answers;
  if (doubtful) {
    doubtful = false;
    if (staged->has_note) host.feed_moved();  // a hint: it may have landed
    if (landed) {
      mark_senders(*staged);
      answers = std::move(staged->ops);
    } else {
      requeue(staged->ops);
    }
    staged.reset();
    landed = false;
  }
  for (const MemberWaiter& waiter : member_waiters) want(waiter.user);
  run_load_waiters(ended() ? denied() : Error());
  if (space())
    answer_when_told(std::move(answers), std::exchange(foreign, {}));
  else
    answer_all(answers);
  serve_row_waiters();
  if (ended()) return finish_end({});
  serve_mention_waiters();
  apply_pending();
  apply_admissions();
  bear_children();
  for (ThreadWaiter& waiter : thread_waiters) waiter.until = thread_change_number;
  serve_thread_waiters();
  move_threads();
  pump();
  maybe_merge();
  maybe_trim();
}

void Conversation::State::load_failed(const Error& error) {
  load_attempts = 0;
  if (doubtful) {  // nobody may be answered before it is known what landed
    const auto again = [this] { scan_info(); };
    ++outstanding;
    effects.start_timer(std::chrono::milliseconds(100),
                        [this, here = std::weak_ptr<const void>(alive), again] {
                          if (here.expired()) return;
                          --outstanding;
                          again();
                        });
    return;
  }
  drop_caches();
  std::vector<OpPtr> ops(std::make_move_iterator(waiting.begin()),
                         std::make_move_iterator(waiting.end()));
  waiting.clear();
  auto readers = std::exchange(member_waiters, {});
  run_load_waiters(error);
  for (MemberWaiter& reader : readers) reader.then(error);
  for (MentionWaiter& reader : std::exchange(mention_waiters, {})) reader.then(error);
  drop_threads(error);
  for (const OpPtr& op : ops) op->error = error;
  answer_all(ops);
  tallies_failed(error);
  serve_row_waiters();
}

void Conversation::State::run_load_waiters(const Error& error) {
  for (auto& waiter : std::exchange(load_waiters, {})) waiter(error);
}

/// After a guard that is not ours: nothing read under an older one may be used again (STORE §1.1).
void Conversation::State::drop_caches() {
  ++generation;
  earlier_writes += std::exchange(writes, 0);
  phase = Phase::cold;
  pair.known = false;
  senders.clear();
  host_keys.clear();
  last_sent.clear();
  restrictions.clear();
  invites.clear();
  admitted.clear();
  requests.clear();
  children.clear();
  channel_members.clear();
  mentions.clear();
  thread_changes.clear();
  moving_threads.clear();
  members.clear();
  pending.clear();
  counts.clear();
  wanted.clear();
  expired_keys.clear();
  tail.clear();
  tail_bytes = 0;
  recent.clear();
  archived = 0;
  archived_ends.clear();
  sealing = false;
  sealing_through = 0;
  tail_checked = false;
  messages.clear();
  deleted.clear();
  pins.clear();
  merging = merge_due = no_overlays = false;
  merged.clear();
  archive_guard.reset();
  archive_swept = false;
}

// ---- Rows by key: one read at a time, what is wanted meanwhile gathers ----

void Conversation::State::want(const SenderId& sender) {
  if (senders.find(sender) != nullptr) return;
  senders.insert(sender);
  wanted.push_back({.what = Wanted::What::sender, .sender = sender});
}

void Conversation::State::want(UserId member) {
  if (channel_members.find(member) != nullptr) return;
  channel_members.insert(member);
  wanted.push_back({.what = Wanted::What::member, .sender = {member, {}}});
}

void Conversation::State::want(MentionId id) {
  if (mentions.find(id) != nullptr) return;
  mentions.insert(id);
  wanted.push_back({.what = Wanted::What::mention, .sender = {id.user, {}}});
}

void Conversation::State::want(const KeyHash& key) {
  if (host_keys.find(key) != nullptr) return;
  host_keys.insert(key);
  wanted.push_back({.what = Wanted::What::host_key, .key = key});
}

void Conversation::State::want_last_sent(UserId user) {
  if (last_sent.find(user) != nullptr) return;
  last_sent.insert(user);
  wanted.push_back({.what = Wanted::What::last_sent, .sender = {user, {}}});
}

namespace {

template <class Cache, class Key, class Decode>
void fill(Cache& cache, const Key& key, const Result<Cells>& cells, std::size_t from,
          std::size_t count, Decode decode) {
  auto* entry = cache.find(key);
  if (entry == nullptr || entry->phase != Cache::Phase::loading) return;
  entry->phase = cells ? Cache::Phase::ready : Cache::Phase::failed;
  if (!cells) {
    entry->error = cells.error();
    return;
  }
  for (std::size_t i = from; i < from + count; ++i) {
    if (!cells->values[i]) continue;
    const auto row = decode(*cells->values[i]);
    if (!row) {
      entry->phase = Cache::Phase::failed;
      entry->error = unreadable("a row of the conversation");
      return;
    }
    entry->row = *row;
    entry->present = true;
    return;
  }
}

}  // namespace

void Conversation::State::add_cells(const Wanted& row, std::vector<OwnedCell>& cells) const {
  switch (row.what) {
    case Wanted::What::sender:
      cells.push_back(
          {layout::conversation, *name, layout::sender_key(row.sender.user, row.sender.device)});
      break;
    case Wanted::What::member: {
      const UserId user = row.sender.user;
      const auto bucket = layout::bucket_of(user, layout::channel_member_buckets);
      cells.push_back(
          {layout::member, layout::member_id(host.ns(), id, bucket), layout::member_key(user)});
      break;
    }
    case Wanted::What::last_sent:
      cells.push_back({layout::conversation, *name, layout::last_sent_key(row.sender.user)});
      break;
    case Wanted::What::mention:
      cells.push_back({layout::conversation, *name, layout::mention_key(row.sender.user)});
      break;
    case Wanted::What::host_key:
      // From tomorrow on: the clock may have been set back since.
      for (std::uint32_t age = 0; age <= limits::host_key_days + 1 && age <= today() + 1; ++age)
        cells.push_back(
            {layout::conversation, *name, layout::host_key(today() + 1 - age, row.key)});
      break;
  }
}

void Conversation::State::fill_wanted(const Wanted& row, const Result<Cells>& cells,
                                      std::size_t from, std::size_t count) {
  switch (row.what) {
    case Wanted::What::sender:
      fill(senders, row.sender, cells, from, count, [this](Bytes value) {
        auto stored = layout::decode_sender(value);
        // A commit that our guard does not show yet vouches for nothing; if it landed, ours
        // is refused and the row is read again.
        if (stored)
          std::erase_if(stored->open, [this](const auto& open) { return open.seq > head.head; });
        return stored;
      });
      break;
    case Wanted::What::member:
      fill(channel_members, row.sender.user, cells, from, count, layout::decode_member);
      break;
    case Wanted::What::last_sent:
      fill(last_sent, row.sender.user, cells, from, count, layout::decode_last_sent);
      break;
    case Wanted::What::mention:
      fill(mentions, MentionId{row.sender.user}, cells, from, count, [this](Bytes value) {
        auto stored = layout::decode_mention(value);
        if (stored)
          std::erase_if(stored->messages,
                        [this](const auto& message) { return message.seq > head.head; });
        return stored;
      });
      break;
    case Wanted::What::host_key:
      fill(host_keys, row.key, cells, from, count, layout::decode_host_key);
      break;
  }
}

void Conversation::State::read_wanted() {
  if (reading_wanted || wanted.empty() || phase != Phase::ready) return;
  struct Span {
    Wanted wanted;
    std::size_t from, count;
  };
  std::vector<OwnedCell> cells;
  std::vector<Span> spans;
  while (!wanted.empty() && cells.size() < wanted_at_once) {
    const Wanted next = wanted.back();
    wanted.pop_back();
    const std::size_t from = cells.size();
    add_cells(next, cells);
    spans.push_back({next, from, cells.size() - from});
  }
  reading_wanted = true;
  get(owned_get(std::move(cells)),
      [this, spans = std::move(spans), from = generation](Result<Cells> result) {
        reading_wanted = false;
        if (from == generation) {
          for (const Span& span : spans) fill_wanted(span.wanted, result, span.from, span.count);
          serve_member_waiters();
          serve_mention_waiters();
        }
        pump();
        read_wanted();
      });
}

}  // namespace parley::core
