#include "core/user_home.hpp"

#include <algorithm>
#include <utility>

#include "core/shard_state.hpp"
#include "core/user_write.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

constexpr auto retry_delay = std::chrono::milliseconds(50);
constexpr std::size_t changes_per_commit = 128;

Scan scan_of(const std::string& partition, std::string from, std::string to) {
  struct Memory {
    std::string partition, from, to;
  };
  auto memory = std::make_shared<Memory>(Memory{partition, std::move(from), std::move(to)});
  Scan scan;
  scan.partition = {layout::user, memory->partition};
  scan.from = memory->from;
  scan.to = memory->to;
  scan.max_rows = 100'000;
  scan.max_bytes = 16 * 1024 * 1024;
  scan.owner = memory;
  return scan;
}

}  // namespace

void UserHome::News::add(const News& more) {
  for (const ConversationId& id : more.conversations) {
    if (std::find(conversations.begin(), conversations.end(), id) == conversations.end())
      conversations.push_back(id);
  }
  devices |= more.devices;
  settings |= more.settings;
  requests |= more.requests;
  blocks |= more.blocks;
}

UserHome::UserHome(ShardState& shard, UserId id, std::vector<UserSession> sessions)
    : shard_(shard),
      id_(id),
      partition_(layout::user_id(shard.config.ns, id)),
      sessions_(std::move(sessions)),
      used_(shard.world.now().steady) {
  for (UserSession& session : sessions_) session.told_after = 0;  // of this home's announcements
  announced_.user = announced_own_.user = id;
}

bool UserHome::idle() const noexcept {
  return watchers_.empty() && !loading_ && !committing_ && changes_.empty() && operations_ == 0 &&
         read_from_.use_count() == 1 && presence_timer_ == Effects::Timer::none;
}

// ---- Loading ----

void UserHome::load(std::function<void(Error)> then) {
  used_ = shard_.world.now().steady;
  if (loaded_) return then({});
  waiting_.push_back(std::move(then));
  if (loading_) return;
  loading_ = true;
  // Blocks ('b'), rows of the list ('c') and devices ('d'); the guard comes with them. 10,000
  // conversations fit.
  shard_.world.scan(scan_of(partition_, "b", "e"), [this](Result<Rows> rows) {
    if (!rows) return load_finished(rows.error());
    if (!rows->guard) return load_finished({Errc::denied, "no such user, or not allowed"});
    load_profile(std::move(*rows));
  });
}

/// Requests ('j') and settings ('k') lie beyond the events. The guard must be the same for both.
void UserHome::load_profile(Rows list) {
  auto before = std::make_shared<Rows>(std::move(list));
  shard_.world.scan(scan_of(partition_, "j", "l"), [this, before](Result<Rows> rows) {
    if (!rows) return load_finished(rows.error());
    if (rows->guard == before->guard) return loaded(*before, *rows);
    shard_.world.scan(scan_of(partition_, "b", "e"), [this](Result<Rows> again) {
      if (!again) return load_finished(again.error());
      if (!again->guard) return load_finished({Errc::denied, "no such user, or not allowed"});
      load_profile(std::move(*again));
    });
  });
}

void UserHome::loaded(const Rows& list, const Rows& profile) {
  const auto head = layout::decode_head(*list.guard);
  if (!head) return load_finished({Errc::store_corrupt, "the head cell of a user is damaged"});
  guard_ = std::string(*list.guard);
  head_ = *head;
  list_.clear();
  devices_.clear();
  settings_ = {};
  requests_.clear();
  blocked_.clear();
  for (const Row& row : list.rows) {
    const auto number = layout::parse_number_key('d', row.key);
    if (const auto device = number ? layout::decode_device(row.value) : std::nullopt) {
      devices_.emplace(DeviceId{*number}, *device);
      last_shown_ms_ = std::max(last_shown_ms_, device->shown_ms);
    }
    if (const auto other = layout::parse_number_key('b', row.key)) blocked_.insert(UserId{*other});
    auto entry = row.key.size() == 17 ? layout::decode_list(row.value) : std::nullopt;
    if (!entry) continue;
    ConversationId id;
    row.key.copy(reinterpret_cast<char*>(id.bytes.data()), 16, 1);
    list_.emplace(id, std::move(*entry));
  }
  for (const Row& row : profile.rows) {
    if (const auto asked =
            row.key[0] == 'j' ? layout::decode_own_request(row.value) : std::nullopt) {
      ConversationId id;
      row.key.copy(reinterpret_cast<char*>(id.bytes.data()), 16, 1);
      requests_.emplace(id, *asked);
    }
    if (row.key != layout::setting_key("settings")) continue;
    if (auto found = layout::decode_settings(row.value)) settings_ = std::move(*found);
  }
  profile_read_ = true;
  scheduled_.clear();
  if ((head_.flags & layout::head_has_due) != 0) return read_scheduled("q");
  load_finished({});
}

void UserHome::load_finished(const Error& error) {
  loading_ = false;
  loaded_ = !error;
  for (auto& then : std::exchange(waiting_, {})) then(error);
}

// ---- Changes ----

void UserHome::queue(Change change) {
  ++operations_;
  load([this, change = std::move(change)](Error error) mutable {
    --operations_;
    if (error) return change.then(std::move(error));
    changes_.push_back(std::move(change));
    commit_changes();
  });
}

/// By what the store has now.
void UserHome::decide_anew() {
  ++operations_;
  load([this](const Error& error) {
    --operations_;
    if (!error) return commit_changes();
    for (auto& change : std::exchange(changes_, {})) change.then(error);
  });
}

void UserHome::commit_changes() {
  if (committing_ || changes_.empty()) return;
  if (!loaded_) return decide_anew();  // an end was begun meanwhile
  auto write = std::make_shared<Write>();
  std::vector<std::pair<Then<void>, Error>> answers;
  layout::HeadCell head = head_;
  while (!changes_.empty() && write->changes.size() < changes_per_commit) {
    Change change = std::move(changes_.front());
    changes_.pop_front();
    bool known = false;
    Error error = decide(change, known);
    if (error || known) {
      answers.emplace_back(std::move(change.then), std::move(error));
      continue;
    }
    stage(*write, head, change);
    write->changes.push_back(std::move(change));
  }
  for (auto& [then, error] : answers) then(error ? Result<void>(std::move(error)) : Result<void>());
  if (write->batch.puts.empty() && write->batch.erases.empty()) return;
  // The stream stays bounded: what falls behind is erased, and the floor moves in the same commit.
  while (head.head - head.floor + 1 > kept_events) {
    if (head.floor <= head_.head) {
      write->batch.erases.push_back(write->keep(layout::event_key(head.floor)));
    } else {
      const std::string key = layout::event_key(head.floor);
      std::erase_if(write->batch.puts, [&](const Row& row) { return row.key == key; });
    }
    ++head.floor;
  }
  head.nonce = shard_.world.random();
  write->head = head;
  write->expect = guard_;
  write->guard = layout::encode(head);
  write->batch.partition = {layout::user, partition_};
  write->batch.expect = write->expect;
  write->batch.guard = write->guard;
  committing_ = true;
  submit(std::move(write));
}

void UserHome::submit(std::shared_ptr<Write> write) {
  Batch batch = write->batch;
  batch.partition.id = write->keep(partition_);
  batch.owner = write;
  shard_.world.commit(std::move(batch),
                      [this, write](Committed result) { committed(write, std::move(result)); });
}

void UserHome::committed(std::shared_ptr<Write> write, Committed result) {
  used_ = shard_.world.now().steady;
  if (result.verdict != Verdict::done) return settle(std::move(write));
  guard_ = write->guard;
  head_ = write->head;
  committing_ = false;
  News news;
  std::vector<ScheduledChange> scheduled;
  for (auto& change : write->changes) {
    came_true(change, news);
    if (auto* message = std::get_if<ScheduledChange>(&change.what))
      scheduled.push_back(std::move(*message));
    change.then({});
  }
  announce_scheduled(scheduled);
  if (listings_ > 0) changed_.add(news);
  announce_later(news);
  commit_changes();
}

/// Refused, failed or unknown: the guard tells (STORE §1.2). What did not land goes in again.
void UserHome::settle(std::shared_ptr<Write> write) {
  auto memory = std::make_shared<std::string>(partition_);
  Get get;
  get.cells.push_back({{layout::user, *memory}, {}});
  get.owner = memory;
  shard_.world.get(std::move(get), [this, write](Result<Cells> cells) {
    if (!cells && !cells.error().retryable()) {  // the store is to be opened anew
      loaded_ = false;
      committing_ = false;
      for (auto& change : write->changes) change.then(cells.error());
      return commit_changes();
    }
    if (!cells) {
      shard_.world.start_timer(retry_delay, [this, write] { settle(write); });
      return;
    }
    if (!cells->values[0]) return forgotten(*write);
    const Bytes guard = *cells->values[0];
    if (guard == write->guard) {
      Committed done;
      done.verdict = Verdict::done;
      return committed(write, std::move(done));
    }
    if (guard == write->expect) {  // it may still land: the same batch again, one of them can win
      shard_.world.start_timer(retry_delay, [this, write] { submit(write); });
      return;
    }
    // Somebody else's commit: read everything anew, then decide again.
    loaded_ = false;
    committing_ = false;
    for (auto it = write->changes.rbegin(); it != write->changes.rend(); ++it) {
      changes_.push_front(std::move(*it));
    }
    decide_anew();
  });
}

/// The partition was ended while this was written: there is no such user any more.
void UserHome::forgotten(Write& write) {
  loaded_ = false;
  committing_ = false;
  const Error gone(Errc::denied, "no such user, or not allowed");
  for (auto& change : write.changes) change.then(gone);
  for (auto& change : std::exchange(changes_, {})) change.then(gone);
}

// ---- What the sessions are told ----

void UserHome::announce_later(const News& news) {
  to_announce_.add(news);
  if (!announcing_) announce();
}

void UserHome::position_moved(const ConversationId& conversation, bool to_head) {
  if (!told_of_position(sessions_.size(), to_head)) return;
  const News news{{conversation}};
  if (listings_ > 0) changed_.add(news);
  announce_later(news);
}

void UserHome::deleted_for_me(const ConversationId& conversation,
                              const std::vector<Seq>& messages) {
  if (sessions_.empty()) return;
  if (!messages.empty()) tell(DeletedForMe{conversation, messages});
  const News news{{conversation}};
  if (listings_ > 0) changed_.add(news);
  announce_later(news);
}

/// Tells the sessions what their list looks like now. One at a time and none left out, because the
/// token that comes with an announcement covers all changes before it.
void UserHome::announce() {
  if (to_announce_.empty()) return;
  const News news = std::exchange(to_announce_, {});
  if (sessions_.empty()) return;
  announcing_ = true;
  const auto told = [this, news, number = ++announcements_](Result<wire::ListChanged> list) {
    if (!list) {
      shard_.world.log(Effects::Severity::warning,
                       "a list change waits to be announced: " + list.error().message);
      announce_later(news);  // announcing_ still: nothing starts before the timer
      ++operations_;
      shard_.world.start_timer(retry_delay, [this] {
        --operations_;
        announcing_ = false;
        announce();
      });
      return;
    }
    for (const UserSession& session : sessions_) {
      if (session.told_after >= number) continue;
      shard_.at(session.ref.shard, [ref = session.ref, told = *list](ShardState& there) {
        there.sessions.tell(ref, make_frame(0, told));
      });
    }
    announcing_ = false;
    announce();
  };
  ++operations_;
  load([this, news, told](Error error) {
    --operations_;
    if (error) return told(std::move(error));
    entries(news, told);
  });
}

void UserHome::tell(const wire::Answer& answer) {
  for (const UserSession& session : sessions_) {  // a frame is of one shard
    shard_.at(session.ref.shard, [ref = session.ref, answer](ShardState& there) {
      there.sessions.tell(ref, make_frame(0, wire::Answer(answer)));
    });
  }
}

/// A list was answered. What changed while it was read is told after it: the list may have it old,
/// and a session that was still attaching was not told.
void UserHome::listed() {
  const News again = changed_;
  if (--listings_ == 0) changed_ = {};
  announce_later(again);
}

}  // namespace parley::core
