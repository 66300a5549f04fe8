#include "core/feed_follower.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "base/endian.hpp"
#include "core/conversation_commit.hpp"
#include "core/event_reader.hpp"
#include "core/shard_state.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t page_size = 256;
constexpr auto save_period = std::chrono::seconds(1);
constexpr std::uint32_t rebuild_rows = 1'000;

std::string guard_of(std::uint64_t revision, std::uint64_t nonce, std::string_view position) {
  std::string guard(17, '\0');
  guard[0] = 1;  // format
  base::put_be64(guard.data() + 1, revision);
  base::put_be64(guard.data() + 9, nonce);
  return guard.append(position);
}

/// Partition ids start with the namespace (4); a conversation's id follows.
std::optional<ConversationId> conversation_in(Bytes partition) {
  if (partition.size() < 20) return std::nullopt;
  ConversationId id;
  partition.copy(reinterpret_cast<char*>(id.bytes.data()), 16, 4);
  return id;
}

bool membership(EventKind kind) {
  return kind == EventKind::created || kind == EventKind::joined || kind == EventKind::left ||
         kind == EventKind::added || kind == EventKind::removed;
}

/// What an event says of a request to join; none mostly.
std::optional<JoinRequestState> request_state(EventKind kind) {
  switch (kind) {
    case EventKind::join_requested:
      return JoinRequestState::waiting;
    case EventKind::join_approved:
      return JoinRequestState::approved;
    case EventKind::join_denied:
      return JoinRequestState::denied;
    case EventKind::join_withdrawn:
      return JoinRequestState::withdrawn;
    default:
      return std::nullopt;
  }
}

}  // namespace

struct FeedFollower::Asked {
  UserId user;
  layout::OwnRequestRow row;
};

/// A page of the feed on its way through: all partitions at once, the entries of each in order, so
/// that a page takes as long as the longest of them and their commits share their flushes.
struct FeedFollower::Work {
  Changes changes;
  std::map<Bytes, std::vector<std::size_t>> of_partition;  // entries, taken from the end
  std::size_t open = 0;                                    // partitions
};

void FeedFollower::start() { read_position(); }

void FeedFollower::retry(std::function<void()> step, const Error& error) {
  serve(serving_, false);
  serve(waiting_, false);
  if (stopping_) {
    busy_ = again_ = false;
    started_ = true;
    return;
  }
  if (failures_++ % 32 == 0) {
    shard_.world.log(Effects::Severity::warning, "the change feed waits: " + error.message);
  }
  const auto delay = std::chrono::milliseconds(std::min(1'000, 20 << std::min(failures_, 6)));
  shard_.world.start_timer(delay, std::move(step));
}

void FeedFollower::read_position() {
  auto memory = std::make_shared<std::string>(layout::system_id("consumer:lists"));
  Get get;
  get.cells.push_back({{layout::system, *memory}, {}});
  get.owner = memory;
  shard_.world.get(std::move(get), [this](Result<Cells> cells) {
    if (!cells) return retry([this] { read_position(); }, cells.error());
    if (const auto& guard = cells->values[0]; guard && guard->size() >= 17) {
      guard_ = std::string(*guard);
      revision_ = base::get_be64(guard_.data() + 1);
      position_ = saved_ = guard_.substr(17);
    }
    started_ = true;
    kick();
  });
}

void FeedFollower::kick() {
  if (!started_) return;
  if (busy_) {
    again_ = true;
    return;
  }
  busy_ = true;
  poll();
}

void FeedFollower::when_current(Current then) {
  waiting_.push_back(std::move(then));
  kick();
}

void FeedFollower::serve(std::vector<Current>& waiters, bool current) {
  for (const Current& then : std::exchange(waiters, {})) then(current);
}

void FeedFollower::poll() {
  again_ = false;
  serving_.insert(serving_.end(), std::make_move_iterator(waiting_.begin()),
                  std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  shard_.world.changes(position_, page_size, [this](Result<Changes> changes) {
    if (!changes) return retry([this] { poll(); }, changes.error());
    failures_ = 0;
    auto work = std::make_shared<Work>();
    work->changes = std::move(*changes);
    if (!work->changes.trimmed) return process(std::move(work));
    shard_.world.log(Effects::Severity::warning, "the change feed was trimmed: rebuilding lists");
    rebuild(layout::conversation, {},
            [this, work] { rebuild(layout::member, {}, [this, work] { process(work); }); });
  });
}

void FeedFollower::process(std::shared_ptr<Work> work) {
  const auto& entries = work->changes.entries;
  for (std::size_t i = entries.size(); i-- > 0;)
    work->of_partition[entries[i].partition.id].push_back(i);
  work->open = work->of_partition.size() + 1;
  for (auto& [partition, waiting] : work->of_partition) next_entry(work, waiting);
  partition_done(work);
}

void FeedFollower::next_entry(const std::shared_ptr<Work>& work,
                              std::vector<std::size_t>& waiting) {
  if (waiting.empty()) return partition_done(work);
  const std::size_t at = waiting.back();
  waiting.pop_back();
  entry(work->changes.entries[at], [this, work, &waiting] { next_entry(work, waiting); });
}

void FeedFollower::partition_done(const std::shared_ptr<Work>& work) {
  if (--work->open == 0) page_done(work);
}

void FeedFollower::page_done(std::shared_ptr<Work> work) {
  const bool moved = !work->changes.entries.empty();
  if (!work->changes.next.empty()) position_ = std::string(work->changes.next);
  save_later();
  if (work->changes.entries.size() < page_size) serve(serving_, true);
  if (moved || again_) return poll();
  busy_ = false;
}

void FeedFollower::save_later() {
  if (position_ == saved_ || save_timer_ != Effects::Timer::none || stopping_) return;
  save_timer_ = shard_.world.start_timer(save_period, [this] {
    save_timer_ = Effects::Timer::none;
    save_position();
  });
}

void FeedFollower::save_position() {
  if (saving_ || position_ == saved_) return;
  if (!save_waits_) {  // what is being told now must be told before this position is kept
    candidate_ = position_;
    save_after_ = next_telling_;
  }
  save_waits_ = !telling_.empty() && *telling_.begin() < save_after_;
  if (save_waits_) return;
  saving_ = true;
  struct Save {
    std::string partition, expect, guard, position;
  };
  auto save = std::make_shared<Save>();
  save->partition = layout::system_id("consumer:lists");
  save->expect = guard_;
  save->position = candidate_;
  save->guard = guard_of(revision_ + 1, shard_.world.random(), candidate_);
  Batch batch;
  batch.partition = {layout::system, save->partition};
  if (!guard_.empty()) batch.expect = save->expect;
  batch.guard = save->guard;
  batch.owner = save;
  shard_.world.commit(std::move(batch), [this, save](Committed committed) {
    saving_ = false;
    if (committed.verdict != Verdict::done) {
      // Not saved, or not known: repeating the feed from the older position is harmless.
      started_ = false;
      return read_saved();
    }
    guard_ = save->guard;
    ++revision_;
    saved_ = save->position;
    shard_.world.forget_changes(saved_, [](Result<void>) {});
    save_later();  // what was read while this position waited
  });
}

/// Takes the guard as it is now; the position in memory is newer and stays.
void FeedFollower::read_saved() {
  auto memory = std::make_shared<std::string>(layout::system_id("consumer:lists"));
  Get get;
  get.cells.push_back({{layout::system, *memory}, {}});
  get.owner = memory;
  shard_.world.get(std::move(get), [this](Result<Cells> cells) {
    if (!cells) return retry([this] { read_saved(); }, cells.error());
    const auto& guard = cells->values[0];
    guard_ = guard ? std::string(*guard) : std::string();
    revision_ = guard_.size() >= 17 ? base::get_be64(guard_.data() + 1) : 0;
    started_ = true;
    kick();
  });
}

// ---- One entry: whose membership moved? ----

void FeedFollower::entry(const Changes::Entry& entry, Next next) {
  const auto note = layout::decode_note(entry.note);
  const auto conversation = conversation_in(entry.partition.id);
  if (!note || !conversation) return next();
  if (note->kind == layout::Note::Kind::reactions) {
    retell(*conversation, note->first, note->last);
    return next();
  }
  if (note->kind == layout::Note::Kind::events) {
    return read_users(*conversation, note->first, note->last, next);
  }
  read_rows(*conversation, note->users, next);
}

/// Reactions were stored: their conversation's stream must tell of them. Others do not wait for it,
/// but the position kept does.
void FeedFollower::retell(ConversationId conversation, Seq seq, std::uint64_t revision) {
  const std::uint64_t number = next_telling_++;
  telling_.insert(number);
  ask_to_retell(conversation, seq, revision, number);
}

void FeedFollower::ask_to_retell(ConversationId conversation, Seq seq, std::uint64_t revision,
                                 std::uint64_t number) {
  const ShardIndex here = shard_.index;
  shard_.at_home(conversation, [=, this](ShardState& there, Conversation& home) {
    home.retell(seq, revision, [=, this, &there](Result<void> told) {
      there.at(here, [=, this](ShardState&) {
        if (!told && told.error().retryable() && !stopping_) {
          shard_.world.start_timer(std::chrono::seconds(1), [=, this] {
            ask_to_retell(conversation, seq, revision, number);
          });
          return;
        }
        telling_.erase(number);
        if (save_waits_ && (telling_.empty() || *telling_.begin() >= save_after_)) save_position();
      });
    });
  });
}

void FeedFollower::read_users(ConversationId conversation, Seq first, Seq last, Next next) {
  ReadRange range;
  range.conversation = conversation;
  range.ns = shard_.config.ns;
  range.partition = layout::conversation_id(range.ns, conversation);
  range.from = first;
  range.to = last;
  range.max_events = static_cast<std::uint32_t>(limits::page_events);
  read_events(shard_.world, range, [=, this](Result<EventPage> page) {
    if (!page && page.error().errc() == Errc::denied) return next();  // gone since
    if (!page) {
      return unless_ended(conversation, next, [=, this, error = page.error()] {
        retry([=, this] { read_users(conversation, first, last, next); }, error);
      });
    }
    if (page->head.floor > first) {  // trimmed before anybody read them here: all members, then
      auto home = std::make_shared<std::vector<std::string>>(1, range.partition);
      return rebuild_partition(layout::conversation, std::move(home), 0, {}, next);
    }
    std::vector<UserId> users;
    std::vector<Asked> asked;
    Seq after = first, joins = 0;  // the last event that said how it is entered
    for (const auto& event : page->events) {
      after = event.seq + 1;
      const wire::RecordFields fields = wire::read_record(event.record.bytes());
      if (const auto state = request_state(fields.kind))
        asked.push_back(
            {fields.target, {static_cast<std::uint8_t>(*state), event.seq, fields.time_ms}});
      if (fields.kind == EventKind::settings_changed && fields.settings && fields.settings->join)
        joins = event.seq;
      if (!membership(fields.kind)) continue;
      const UserId user = fields.kind == EventKind::created ? fields.sender : fields.target;
      if (user && std::find(users.begin(), users.end(), user) == users.end()) users.push_back(user);
    }
    const Next then =
        page->more ? Next([=, this] { read_users(conversation, after, last, next); }) : next;
    tell_requests(conversation, std::move(asked), [=, this, users = std::move(users)] {
      tell_space(conversation, joins, [=, this] { read_rows(conversation, users, then); });
    });
  });
}

/// Of what was deleted the events may be gone already, and the lists follow by its end.
void FeedFollower::unless_ended(ConversationId conversation, Next ended, Next otherwise) {
  const std::string partition = layout::conversation_id(shard_.config.ns, conversation);
  shard_.world.get(
      owned_get({{layout::conversation, partition, {}}}),
      [ended = std::move(ended), otherwise = std::move(otherwise)](Result<Cells> cells) {
        if (!cells) return otherwise();
        const auto& guard = cells->values[0];
        const auto head = guard ? layout::decode_head(*guard) : std::nullopt;
        const bool gone = !guard || (head && (head->flags & layout::head_ended) != 0);
        gone ? ended() : otherwise();
      });
}

/// One after the other: the newest counts, and it may be about the same user.
void FeedFollower::tell_requests(ConversationId conversation, std::vector<Asked> asked, Next next) {
  if (asked.empty()) return next();
  const Asked first = asked.front();
  const ShardIndex here = shard_.index;
  auto again = [=, this] { tell_requests(conversation, asked, next); };
  auto others = [=, this, rest = std::vector<Asked>(asked.begin() + 1, asked.end())] {
    tell_requests(conversation, rest, next);
  };
  shard_.at_user(first.user, [=, this](ShardState& there, UserHome& home) {
    home.change(RequestChange{conversation, first.row}, [=, this, &there](Result<void> told) {
      there.at(here, [=, this](ShardState&) {
        // A user that does not exist has asked nobody.
        if (told || told.error().errc() == Errc::denied) return others();
        retry(again, told.error());
      });
    });
  });
}

/// The space of a channel is told whether that is open. What the info row says now may be newer
/// than the event: it is told again then.
void FeedFollower::tell_space(ConversationId conversation, Seq as_of, Next next) {
  if (as_of == 0) return next();
  const std::string partition = layout::conversation_id(shard_.config.ns, conversation);
  auto again = [=, this] { tell_space(conversation, as_of, next); };
  shard_.world.get(owned_get({{layout::conversation, partition, layout::info_key()}}),
                   [=, this](Result<Cells> cells) {
                     if (!cells) return retry(again, cells.error());
                     const auto& value = cells->values[0];
                     const auto info = value ? layout::decode_info(*value) : std::nullopt;
                     if (!info || !info->space) return next();
                     const ShardIndex here = shard_.index;
                     const bool open = info->settings.join == JoinRule::open;
                     shard_.at_home(info->space, [=, this, title = info->settings.title](
                                                     ShardState& there, Conversation& space) {
                       space.child_changed(conversation, open, title, as_of,
                                           [=, this, &there](const Result<void>& told) {
                                             there.at(here, [=, this](ShardState&) {
                                               if (told || !told.error().retryable()) return next();
                                               retry(again, told.error());
                                             });
                                           });
                     });
                   });
}

/// What the membership of these users is now: both places where it may be written, and the kind.
void FeedFollower::read_rows(ConversationId conversation, std::vector<UserId> users, Next next) {
  if (users.empty()) return next();
  const layout::Namespace ns = shard_.config.ns;
  struct Memory {
    std::deque<std::string> strings;
    Bytes keep(std::string text) { return strings.emplace_back(std::move(text)); }
  };
  auto memory = std::make_shared<Memory>();
  Get get;
  const Bytes home = memory->keep(layout::conversation_id(ns, conversation));
  get.cells.push_back({{layout::conversation, home}, {}});
  get.cells.push_back({{layout::conversation, home}, memory->keep(layout::info_key())});
  for (const UserId user : users) {
    const Bytes key = memory->keep(layout::member_key(user));
    const auto bucket = layout::bucket_of(user, layout::channel_member_buckets);
    get.cells.push_back({{layout::conversation, home}, key});
    get.cells.push_back(
        {{layout::member, memory->keep(layout::member_id(ns, conversation, bucket))}, key});
  }
  get.owner = memory;
  shard_.world.get(std::move(get), [=, this](Result<Cells> cells) {
    apply(conversation, users, next, std::move(cells));
  });
}

void FeedFollower::apply(ConversationId conversation, std::vector<UserId> users, Next next,
                         Result<Cells> cells) {
  auto again = [=, this] { read_rows(conversation, users, next); };
  if (!cells) return retry(again, cells.error());
  const auto head = cells->values[0] ? layout::decode_head(*cells->values[0]) : std::nullopt;
  const auto info = cells->values[1] ? layout::decode_info(*cells->values[1]) : std::nullopt;
  if (!head || !info) return next();
  const bool ended = (head->flags & layout::head_ended) != 0;
  struct Gather {
    std::size_t open = 0;
    Error error;
  };
  auto gather = std::make_shared<Gather>();
  gather->open = users.size();
  for (std::size_t i = 0; i < users.size(); ++i) {
    const bool channel = scattered(info->kind);
    const auto& value = cells->values[2 + 2 * i + (channel ? 1 : 0)];
    const auto member = value ? layout::decode_member(*value) : std::nullopt;
    ListChange change;
    change.conversation = conversation;
    change.row.kind = info->kind;
    change.row.entered = member && member->role != Role::none && !ended;
    if (member) {
      change.row.visible_from = member->visible_from;
      change.row.visible_ordinal = member->visible_ordinal;
      change.row.joined_ms = member->since_ms;
    }
    if (info->kind == ConversationKind::direct) {
      change.row.peer = info->first == users[i] ? info->second : info->first;
    }
    auto changed = [=, this](const Error& error) {
      // A user that does not exist has no list: nothing to derive.
      if (error && error.errc() != Errc::denied) gather->error = error;
      if (--gather->open != 0) return;
      if (!gather->error) return next();
      retry(again, gather->error);
    };
    const ShardIndex here = shard_.index;
    shard_.at_user(users[i], [here, change, changed](ShardState& there, UserHome& home) {
      home.change(change, [&there, here, changed](Result<void> result) {
        const Error error = result ? Error() : result.error();
        there.at(here, [changed, error](ShardState&) { changed(error); });
      });
    });
  }
}

// ---- Rebuild: from every partition, when the feed lost entries ----

void FeedFollower::rebuild(std::uint8_t space, std::string after, std::function<void()> then) {
  shard_.world.list(space, after, page_size, [=, this](Result<Listed> listed) {
    if (!listed) return retry([=, this] { rebuild(space, after, then); }, listed.error());
    auto ids = std::make_shared<std::vector<std::string>>();
    for (const Row& partition : listed->partitions) ids->emplace_back(partition.key);
    const std::string next(listed->next);
    rebuild_partition(space, ids, 0, {}, [=, this] {
      if (next.empty()) return then();
      rebuild(space, next, then);
    });
  });
}

void FeedFollower::rebuild_partition(std::uint8_t space,
                                     std::shared_ptr<std::vector<std::string>> ids, std::size_t at,
                                     std::string from, std::function<void()> then) {
  if (at == ids->size()) return then();
  auto memory = std::make_shared<std::pair<std::string, std::string>>(
      (*ids)[at], from.empty() ? std::string("m") : from);
  Scan scan;
  scan.partition = {space, memory->first};
  scan.from = memory->second;
  scan.to = "n";
  scan.max_rows = rebuild_rows;
  scan.owner = memory;
  shard_.world.scan(std::move(scan), [=, this](Result<Rows> rows) {
    if (!rows) {
      return retry([=, this] { rebuild_partition(space, ids, at, from, then); }, rows.error());
    }
    const auto conversation = conversation_in((*ids)[at]);
    std::vector<UserId> users;
    std::string last;
    for (const Row& row : rows->rows) {
      last = std::string(row.key);
      if (row.key.size() == 9) users.push_back(UserId{base::get_be64(row.key.data() + 1)});
    }
    const bool more = rows->more && !last.empty();
    auto next = [=, this] {
      if (more) return rebuild_partition(space, ids, at, last + '\0', then);
      rebuild_partition(space, ids, at + 1, {}, then);
    };
    if (!conversation || users.empty()) return next();
    read_rows(*conversation, std::move(users), next);
  });
}

}  // namespace parley::core
