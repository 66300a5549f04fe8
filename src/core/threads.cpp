// threads.cpp: replies inside threads. The root's record counts them, in the reply's own commit;
// the index of a thread (space 10) and what each user keeps about it (space 9) follow from `t` rows
// of the same commit, which go once both have them. Reads wait for that.

#include <algorithm>
#include <string>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/event_reader.hpp"
#include "core/read_as_member.hpp"
#include "core/refusals.hpp"

namespace parley::core {
namespace {

constexpr std::size_t moves_at_once = 256;  // replies of one thread in one commit
constexpr auto move_again_after = std::chrono::milliseconds(500);
constexpr std::uint32_t deleted_per_scan = 4'096;

Error no_root() {
  return {Errc::invalid_argument, "thread_root: expected the seq of a message you can see"};
}

/// Whoever replies follows, and has read that far; who is named follows unless they said no. The
/// same reply twice, after a crash, says nothing new.
void follow(layout::FollowRow& row, const layout::ThreadChange& change, Seq seq, UserId user) {
  if (user == change.sender) {
    if (seq <= row.applied) return;
    row.state = layout::FollowRow::State::follows;
    row.read = std::max(row.read, seq);
    row.applied = seq;
  } else if (row.state == layout::FollowRow::State::unset) {
    row.state = layout::FollowRow::State::follows;
  }
}

}  // namespace

// ---- The commit of a reply, and of its deletion ----

/// The root's entry; null: the decision is `later` or made.
MessageRows::Entry* Conversation::State::thread_root(Op& op, Seq root, Decision& decision) {
  MessageRows::Entry* entry = message(op, root, decision);
  if (entry == nullptr) {
    if (op.error.errc() == Errc::invalid_argument) op.error = no_root();
    return nullptr;
  }
  const wire::RecordFields fields = wire::read_record(message_now(*entry).record.bytes());
  if (fields.deleted) op.error = {Errc::invalid_argument, "thread_root: the message was deleted"};
  if (fields.thread_root != 0)
    op.error = {Errc::invalid_argument, "thread_root: a reply has none; name its own root"};
  // Who is blocked or shadow banned answers its own hidden messages as ever, and is not told by an
  // error; such a reply counts nowhere.
  if (fields.audience != audience::everyone && !muffled(op))
    op.error = {Errc::invalid_argument, "thread_root: expected a message that everybody sees"};
  // Whether who wrote an imported root is a member, and follows, must be known.
  bool later = false;
  if (!op.error && fields.written_ms != 0 && fields.sender)
    (void)member(fields.sender, later, op.error);
  if (later) decision = Decision::later;
  return later || op.error ? nullptr : entry;
}

std::uint64_t Conversation::State::next_thread_ordinal(Seq root) {
  const MessageRows::Entry& entry = *messages.find(root);
  return wire::read_record(message_now(entry).record.bytes()).thread.head + 1;
}

/// After the reply was staged.
void Conversation::State::stage_reply(const wire::RecordFields& reply) {
  MessageRows::Entry& entry = *messages.find(reply.thread_root);
  const Payload before = message_now(entry).record;
  wire::RecordFields root = wire::read_record(before.bytes());
  layout::ThreadChange change{
      .fresh = true, .ordinal = reply.thread_ordinal, .sender = reply.sender, .followers = {}};
  // Whoever is said to have written an imported root may never have been here.
  const bool author = root.written_ms == 0 || known_member(root.sender);
  if (root.sender && root.sender != reply.sender && author) change.followers.push_back(root.sender);
  for (const UserId user : reply.extras.mentions)
    if (user != reply.sender && user != root.sender && known_member(user))
      change.followers.push_back(user);
  root.thread = {root.thread.head + 1, root.thread.replies + 1, reply.seq};
  root.changed = reply.seq;
  stage_message(reply.thread_root, entry, root);
  stage_thread_change(reply.thread_root, reply.seq, std::move(change));
}

/// A reply that is deleted by the event `by` is not counted any more.
void Conversation::State::stage_reply_deleted(const wire::RecordFields& reply, Seq by) {
  MessageRows::Entry& entry = *messages.find(reply.thread_root);
  layout::ThreadChange change{.gone = true, .ordinal = reply.thread_ordinal};
  stage_thread_change(reply.thread_root, reply.seq, std::move(change));
  if (!entry.present || reply.thread_root < staged->head.floor) return;  // nobody sees the root
  const Payload before = message_now(entry).record;
  wire::RecordFields root = wire::read_record(before.bytes());
  root.thread.replies -= std::min<std::uint64_t>(root.thread.replies, 1);
  root.changed = by;
  stage_message(reply.thread_root, entry, root);
}

void Conversation::State::stage_thread_change(Seq root, Seq seq, layout::ThreadChange change) {
  const std::pair key{root, seq};
  if (const auto known = thread_changes.find(key); known != thread_changes.end())
    change.add(known->second.row);
  for (auto& [other, row] : staged->thread_changes)
    if (other == key) return row.add(change);
  std::erase(expired_keys, layout::thread_change_key(root, seq));
  staged->rows += 1;
  staged->bytes += 17 + layout::thread_change_size(change.followers.size());
  staged->thread_changes.emplace_back(key, std::move(change));
  staged->head.flags |= layout::head_has_threads;
}

void Conversation::State::threads_committed(Staged& done) {
  for (auto& [key, row] : done.thread_changes) {
    // What was moved while this was under way is not all of the row any more.
    std::erase(expired_keys, layout::thread_change_key(key.first, key.second));
    add_thread_change(key, std::move(row));
  }
  done.thread_changes.clear();
}

void Conversation::State::add_thread_change(std::pair<Seq, Seq> key, layout::ThreadChange row) {
  thread_changes.insert_or_assign(key, NumberedChange{++thread_change_number, std::move(row)});
}

// ---- Moving: the index of the thread, then its followers, then the rows may go ----

struct Conversation::State::ThreadJob {
  Seq root = 0;
  std::string partition;
  std::uint64_t generation = 0;
  std::vector<std::pair<Seq, NumberedChange>> changes;  // ascending
  std::vector<std::pair<UserId, Seq>> followers;        // and the change that names them
};

void Conversation::State::move_threads() {
  if (phase != Phase::ready) return;
  for (auto at = thread_changes.begin(); at != thread_changes.end();) {
    const Seq root = at->first.first;
    if (root < head.floor && !all_landed())
      move_threads_later();
    else if (!moving_threads.contains(root))
      move_thread(root);
    at = thread_changes.lower_bound({root + 1, 0});
  }
}

void Conversation::State::move_thread(Seq root) {
  auto job = std::make_shared<ThreadJob>();
  job->root = root;
  job->partition = layout::thread_id(host.ns(), id, root);
  job->generation = generation;
  for (auto at = thread_changes.lower_bound({root, 0});
       at != thread_changes.end() && at->first.first == root; ++at) {
    if (job->changes.size() == moves_at_once) break;
    job->changes.emplace_back(at->first.second, at->second);
  }
  moving_threads.insert(root);
  if (root >= head.floor) return index_replies(std::move(job));
  erase_message_partitions(root, [this, job](const Error& error) { thread_moved(*job, error); });
}

void Conversation::State::index_replies(std::shared_ptr<ThreadJob> job) {
  get(owned_get({{layout::thread, job->partition, {}}}), [this, job](Result<Cells> cells) {
    if (job->generation != generation) return;
    if (!cells) return thread_moved(*job, cells.error());
    layout::CountCell cell;
    const auto& known = cells->values[0];
    if (known) {
      const auto decoded = layout::decode_count(*known);
      if (!decoded) return thread_moved(*job, unreadable("a thread's partition"));
      cell = *decoded;
    }
    BatchWriter writer(layout::thread, job->partition, 64 * job->changes.size());
    if (known) writer.expect(*known);
    for (const auto& [seq, change] : job->changes) {
      const layout::ThreadChange& row = change.row;
      cell.count = std::max(cell.count, row.ordinal);
      if (row.fresh) writer.put(layout::event_key(seq), layout::encode_thread_ordinal(row.ordinal));
      if (row.gone) writer.put(layout::deleted_key(seq), {});
    }
    cell.revision += 1;
    cell.nonce = effects.random();
    writer.guard(layout::encode(cell));
    commit(std::move(writer).finish(), [this, job](Settled outcome) {
      switch (outcome.outcome) {
        case Settled::Outcome::done:
          gather_followers(*job);
          return note_followers(job);
        case Settled::Outcome::refused:  // doing it again changes nothing
          return index_replies(job);
        case Settled::Outcome::failed:
          return thread_moved(*job, outcome.error);
      }
    });
  });
}

void Conversation::State::gather_followers(ThreadJob& job) {
  for (const auto& [seq, change] : job.changes) {
    if (!change.row.fresh) continue;
    if (change.row.sender) job.followers.emplace_back(change.row.sender, seq);
    for (const UserId user : change.row.followers) job.followers.emplace_back(user, seq);
  }
  std::reverse(job.followers.begin(), job.followers.end());  // taken from the end
}

/// One user after the other.
void Conversation::State::note_followers(std::shared_ptr<ThreadJob> job) {
  if (job->generation != generation) return;
  if (job->followers.empty()) return thread_moved(*job, {});
  const UserId user = job->followers.back().first;
  std::vector<std::pair<Seq, layout::ThreadChange>> named;
  for (const auto& [seq, change] : job->changes)
    for (const auto& [who, at] : job->followers)
      if (who == user && at == seq) named.emplace_back(seq, change.row);
  std::erase_if(job->followers, [user](const auto& each) { return each.first == user; });
  change_follow(
      user, job->root,
      [user, named](layout::FollowRow& row) {
        for (const auto& [seq, change] : named) follow(row, change, seq, user);
      },
      [this, job](Result<layout::FollowRow> row) {
        if (!row) return thread_moved(*job, row.error());
        note_followers(job);
      });
}

void Conversation::State::thread_moved(const ThreadJob& job, const Error& error) {
  if (job.generation != generation) return;  // read again since
  moving_threads.erase(job.root);
  if (error) {
    if (!error.retryable() || hurried) return drop_threads(error);
    return move_threads_later();
  }
  for (const auto& [seq, change] : job.changes) {
    const auto now = thread_changes.find({job.root, seq});
    if (now == thread_changes.end() || now->second.number != change.number) continue;
    thread_changes.erase(now);
    expired_keys.push_back(layout::thread_change_key(job.root, seq));
  }
  serve_thread_waiters();
  move_threads();
  start_flush_timer();
}

void Conversation::State::move_threads_later() {
  if (thread_timer != Effects::Timer::none) return;
  thread_timer =
      effects.start_timer(move_again_after, [this, here = std::weak_ptr<const void>(alive)] {
        if (here.expired()) return;
        thread_timer = Effects::Timer::none;
        move_threads();
      });
}

/// The rows stay where they are: the next life moves them.
void Conversation::State::drop_threads(const Error& error) {
  thread_changes.clear();
  for (ThreadWaiter& waiter : std::exchange(thread_waiters, {})) waiter.then(error);
}

/// Runs `then` once what is committed now has reached index and followers.
void Conversation::State::when_threads_moved(std::function<void(const Error&)> then) {
  if (thread_changes.empty()) return then({});
  thread_waiters.push_back({thread_change_number, std::move(then)});
  move_threads();
}

void Conversation::State::serve_thread_waiters() {
  std::uint64_t oldest = ~std::uint64_t{0};
  for (const auto& [key, change] : thread_changes) oldest = std::min(oldest, change.number);
  std::vector<ThreadWaiter> ready;
  std::erase_if(thread_waiters, [&](ThreadWaiter& waiter) {
    if (waiter.until >= oldest) return false;
    ready.push_back(std::move(waiter));
    return true;
  });
  for (ThreadWaiter& waiter : ready) waiter.then({});
}

// ---- What a user keeps about a thread ----

void Conversation::State::change_follow(UserId user, Seq root, ChangeFollow change,
                                        std::function<void(Result<layout::FollowRow>)> then) {
  const std::string partition = layout::personal_id(host.ns(), id, user);
  auto request = owned_scan_of(layout::personal, partition, layout::follow_key(root));
  scan(std::move(request), [this, user, root, partition, change = std::move(change),
                            then = std::move(then)](Result<Rows> rows) {
    if (!rows) return then(std::move(rows).error());
    layout::CountCell cell;
    layout::FollowRow row;
    if (rows->guard) {
      const auto known = layout::decode_count(*rows->guard);
      if (!known) return then(unreadable("a thread's partition"));
      cell = *known;
    }
    if (!rows->rows.empty()) {
      const auto known = layout::decode_follow(rows->rows[0].value);
      if (!known) return then(unreadable("a thread's partition"));
      row = *known;
    }
    const layout::FollowRow before = row;
    change(row);
    if (row == before) return then(row);
    BatchWriter writer(layout::personal, partition, 128);
    if (rows->guard) writer.expect(*rows->guard);
    cell.revision += 1;
    cell.nonce = effects.random();
    writer.guard(layout::encode(cell));
    writer.put(layout::follow_key(root), layout::encode(row));
    auto settled = [this, user, root, row, change, then](Settled outcome) {
      switch (outcome.outcome) {
        case Settled::Outcome::done:
          return then(row);
        case Settled::Outcome::refused:
          return change_follow(user, root, change, then);
        case Settled::Outcome::failed:
          return then(outcome.error);
      }
    };
    auto batch = std::make_shared<Batch>(std::move(writer).finish());
    keep_own_row(user, [this, batch, settled = std::move(settled), then](const Error& error) {
      if (error) return then(error);
      if (ended()) return then(denied());
      commit(std::move(*batch), settled);
    });
  });
}

// ---- Reading ----

/// Replies after `base` that are there still. One row, and those of deleted replies.
void Conversation::State::count_unread(Seq root, Seq base, OwnDeletionsPtr own,
                                       Then<std::uint64_t> then) {
  auto request = owned_scan(layout::thread, layout::thread_id(host.ns(), id, root),
                            layout::event_key(base + 1), "f");
  request.max_rows = 1;
  scan(std::move(request),
       [this, root, base, own = std::move(own), then = std::move(then)](Result<Rows> rows) {
         if (!rows) return then(std::move(rows).error());
         if (rows->rows.empty()) return then(std::uint64_t{0});
         const auto cell = rows->guard ? layout::decode_count(*rows->guard) : std::nullopt;
         const auto first = layout::decode_thread_ordinal(rows->rows[0].value);
         if (!cell || !first || *first == 0) return then(unreadable("a thread's partition"));
         const std::uint64_t after = cell->count - std::min(cell->count, *first - 1);
         auto gone = owned_scan(layout::thread, layout::thread_id(host.ns(), id, root),
                                layout::deleted_key(base + 1), "y");
         gone.max_rows = deleted_per_scan;
         std::vector<Seq> own_replies;
         if (own) own_replies = own->replies(root, base);
         scan(std::move(gone), [after, own_replies, then](Result<Rows> deleted) mutable {
           if (!deleted) return then(std::move(deleted).error());
           for (const Row& row : deleted->rows)
             if (const auto seq = layout::parse_number_key('x', row.key))
               std::erase(own_replies, *seq);  // one gone for everybody is counted once
           then(after - std::min<std::uint64_t>(after, deleted->rows.size() + own_replies.size()));
         });
       });
}

/// A thread's root as it stands, and where the user is in it; `from`: what they may see.
void Conversation::State::read_thread_state(Reader reader, Seq root, Seq from,
                                            Then<wire::ThreadState> then) {
  read_messages(
      {root}, reader,
      [this, user = reader.user, own = reader.deletions, root, from,
       then](Result<std::vector<Payload>> found) {
        if (!found) return then(std::move(found).error());
        if (found->empty()) return then(no_root());
        const wire::RecordFields message = wire::read_record((*found)[0].bytes());
        if (message.kind != EventKind::message || message.thread_root != 0) return then(no_root());
        change_follow(
            user, root, [](layout::FollowRow&) {},
            [this, root, from, own, record = (*found)[0], then](Result<layout::FollowRow> row) {
              if (!row) return then(std::move(row).error());
              wire::ThreadState state{.conversation = id,
                                      .root = record,
                                      .followed = row->state == layout::FollowRow::State::follows,
                                      .read = row->read};
              count_unread(root, std::max(row->read, from - 1), own,
                           [state, then](Result<std::uint64_t> unread) mutable {
                             if (!unread) return then(std::move(unread).error());
                             state.unread = *unread;
                             then(std::move(state));
                           });
            });
      });
}

void Conversation::thread(Caller caller, wire::Thread asked, Then<wire::ThreadPage> then) {
  if (asked.limit == 0 || asked.limit > limits::page_replies)
    return then(Error{Errc::invalid_argument, "limit: expected 1 to 100 replies"});
  State& state = *state_;
  state.read_as_member(
      caller, std::move(then),
      [&state, asked](Seq from, Reader reader, Then<wire::ThreadPage> answer) {
        if (asked.root < from || asked.root > state.head.head) return answer(no_root());
        state.when_threads_moved([&state, asked, from, reader, answer](const Error& error) {
          if (error) return answer(error);
          state.read_thread_state(
              reader, asked.root, from,
              [&state, asked, from, reader, answer](Result<wire::ThreadState> thread) {
                if (!thread) return answer(std::move(thread).error());
                state.read_replies(asked, from, reader, std::move(*thread), answer);
              });
        });
      });
}

void Conversation::State::read_replies(const wire::Thread& asked, Seq from, Reader reader,
                                       wire::ThreadState thread, Then<wire::ThreadPage> then) {
  Seq first = from, end = head.head + 1;
  if (asked.backward && asked.from != 0) end = std::min(end, asked.from);
  if (!asked.backward) first = std::max(first, asked.from);
  if (first >= end) return then(wire::ThreadPage{std::move(thread), {}, false});
  auto request = owned_scan(layout::thread, layout::thread_id(host.ns(), id, asked.root),
                            layout::event_key(first), layout::event_key(end));
  request.max_rows = asked.limit;
  request.reverse = asked.backward;
  scan(std::move(request), [this, reader, thread = std::move(thread), then](Result<Rows> rows) {
    if (!rows) return then(std::move(rows).error());
    std::vector<Seq> seqs;
    for (const Row& row : rows->rows)
      if (const auto seq = layout::parse_event_key(row.key)) seqs.push_back(*seq);
    std::sort(seqs.begin(), seqs.end());
    read_messages(std::move(seqs), reader,
                  [thread, more = rows->more, then](Result<std::vector<Payload>> found) {
                    if (!found) return then(std::move(found).error());
                    then(wire::ThreadPage{thread, std::move(*found), more});
                  });
  });
}

void Conversation::threads(Caller caller, wire::Threads asked, Then<wire::ThreadsPage> then) {
  if (asked.limit == 0 || asked.limit > limits::page_threads)
    return then(Error{Errc::invalid_argument, "limit: expected 1 to 50 threads"});
  State& state = *state_;
  state.read_as_member(
      caller, std::move(then),
      [&state, asked](Seq from, Reader reader, Then<wire::ThreadsPage> answer) {
        state.when_threads_moved([&state, asked, from, reader, answer](const Error& error) {
          if (error) return answer(error);
          state.list_followed(reader, asked, from, answer);
        });
      });
}

struct Conversation::State::FollowedJob {
  Reader reader;
  Seq from = 0;
  std::vector<Seq> roots;  // taken from the end
  wire::ThreadsPage page;
  Then<wire::ThreadsPage> then;
};

void Conversation::State::list_followed(Reader reader, const wire::Threads& asked, Seq from,
                                        Then<wire::ThreadsPage> then) {
  auto request = owned_scan(
      layout::personal, layout::personal_id(host.ns(), id, reader.user), layout::follow_key(from),
      asked.before == 0 ? std::string("u") : layout::follow_key(asked.before));
  request.reverse = true;
  request.max_rows = asked.limit;
  scan(std::move(request), [this, reader, from, then](Result<Rows> rows) {
    if (!rows) return then(std::move(rows).error());
    auto job = std::make_shared<FollowedJob>();
    job->reader = reader;
    job->from = from;
    job->then = then;
    job->page.conversation = id;
    job->page.more = rows->more;
    for (const Row& row : rows->rows) {
      const auto root = layout::parse_number_key('t', row.key);
      const auto follow = layout::decode_follow(row.value);
      if (!root || !follow) return then(unreadable("a thread's partition"));
      job->page.next = *root;
      if (follow->state == layout::FollowRow::State::follows) job->roots.push_back(*root);
    }
    std::reverse(job->roots.begin(), job->roots.end());
    next_followed(job);
  });
}

void Conversation::State::next_followed(std::shared_ptr<FollowedJob> job) {
  if (job->roots.empty()) return job->then(std::move(job->page));
  const Seq root = job->roots.back();
  job->roots.pop_back();
  read_thread_state(job->reader, root, job->from, [this, job](Result<wire::ThreadState> thread) {
    if (thread) job->page.threads.push_back(std::move(*thread));
    const bool gone = !thread && thread.error().errc() == Errc::invalid_argument;  // trimmed
    if (!thread && !gone) return job->then(std::move(thread).error());
    next_followed(job);
  });
}

// ---- Following and reading on ----

void Conversation::threads_moved(Then<void> then) {
  State& state = *state_;
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, then](const Error& error) {
    if (error) return then(error.retryable() ? Result<void>(error) : Result<void>());
    state.when_threads_moved([&state, then](const Error& moved) {
      then(moved && !state.ended() ? Result<void>(moved) : Result<void>());
    });
  });
}

void Conversation::follow_thread(Caller caller, Seq root, bool on, Then<wire::ThreadState> then) {
  state_->set_follow(caller, root, std::move(then), [on](layout::FollowRow& row) {
    row.state = on ? layout::FollowRow::State::follows : layout::FollowRow::State::left;
  });
}

void Conversation::read_thread(Caller caller, Seq root, Seq seq, Then<wire::ThreadState> then) {
  state_->set_follow(caller, root, std::move(then), [this, seq](layout::FollowRow& row) {
    row.read = std::max(row.read, std::min(seq, state_->head.head));
  });
}

void Conversation::State::set_follow(Caller caller, Seq root, Then<wire::ThreadState> then,
                                     ChangeFollow change) {
  if (caller.system()) return then(Error{Errc::invalid_argument, "the system follows no thread"});
  read_as_member(
      caller, std::move(then),
      [this, caller, root, change = std::move(change)](Seq from, Reader reader,
                                                       Then<wire::ThreadState> answer) {
        if (root < from || root > head.head) return answer(no_root());
        when_threads_moved([this, caller, root, from, reader, change, answer](const Error& error) {
          if (error) return answer(error);
          // First whether it is a root at all.
          read_thread_state(
              reader, root, from,
              [this, caller, root, from, reader, change, answer](Result<wire::ThreadState> before) {
                if (!before) return answer(std::move(before).error());
                change_follow(caller.user, root, change,
                              [this, root, from, reader, answer](Result<layout::FollowRow> row) {
                                if (!row) return answer(std::move(row).error());
                                read_thread_state(reader, root, from, answer);
                              });
              });
        });
      });
}

}  // namespace parley::core
