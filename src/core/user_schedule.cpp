// user_schedule.cpp: messages that a user will send later. They wait in the user's partition and
// are sent by its home, once: the conversation keeps their key (STORE §6).
#include <algorithm>
#include <string>
#include <utility>

#include "base/endian.hpp"
#include "core/conversation_commit.hpp"
#include "core/shard_state.hpp"
#include "core/user_write.hpp"
#include "parley/limits.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

/// No host's key begins like this: host keys are text.
std::string key_of(Snowflake id) {
  std::string key("\0scheduled", 10);
  base::append_be(key, id);
  return key;
}

layout::ScheduledRow row_of(const wire::Schedule& schedule, UserId sender) {
  const wire::Send& message = schedule.message;
  wire::RecordFields fields{.sender = sender,
                            .kind = EventKind::message,
                            .audience = message.audience,
                            .content_type = message.content_type,
                            .body = message.body.bytes(),
                            .reply_to = message.reply_to,
                            .thread_root = message.thread_root,
                            .extras = message.extras,
                            .expires_ms = static_cast<std::int64_t>(message.expires_after_ms)};
  if (message.poll) fields.poll = wire::terms_of(*message.poll, message.poll->closes_after.count());
  layout::ScheduledRow row;
  row.due_ms = schedule.at.time_since_epoch().count();
  row.conversation = message.conversation;
  row.record = wire::build_record(fields);
  return row;
}

/// A row whose record can be read.
std::optional<layout::ScheduledRow> read_row(Bytes value) {
  auto row = layout::decode_scheduled(value);
  if (row && !wire::verify_record(row->record.bytes())) row.reset();
  return row;
}

wire::Send message_of(const layout::ScheduledRow& row) {
  const wire::RecordFields fields = wire::read_record(row.record.bytes());
  wire::Send message;
  message.conversation = row.conversation;
  message.content_type = fields.content_type;
  message.body = Payload(row.record.owner(), fields.body);
  message.reply_to = fields.reply_to;
  message.audience = fields.audience;
  // Here the times are those after sending.
  message.expires_after_ms = static_cast<std::uint64_t>(fields.expires_ms);
  message.thread_root = fields.thread_root;
  message.extras = fields.extras;
  if (const auto& poll = fields.poll)
    message.poll = PollDraft{.options = {poll->options.begin(), poll->options.end()},
                             .multiple = poll->multiple,
                             .anonymous = poll->anonymous,
                             .closes_after = std::chrono::milliseconds(poll->closes_ms)};
  return message;
}

wire::Scheduled::Item item_of(Snowflake id, const layout::ScheduledRow& row) {
  return {.id = id,
          .at = wall_time(row.due_ms),
          .message = message_of(row),
          .failed = row.failed,
          .why = row.why};
}

Error no_such() { return {Errc::denied, "id: no scheduled message of yours"}; }

}  // namespace

struct UserHome::Sending {
  std::int64_t now_ms = 0;
  std::vector<Snowflake> left;  // the last one is the next
  Error error;                  // something stays that may go through later
};

// ---- Loading: with the list, when the head says that there are some ----

void UserHome::read_scheduled(std::string from) {
  auto request = owned_scan(layout::user, partition_, std::move(from), "r");
  shard_.world.scan(std::move(request), [this](Result<Rows> rows) {
    if (!rows) return load_finished(rows.error());
    for (const Row& found : rows->rows) {
      const auto id = layout::parse_number_key('q', found.key);
      const auto row = read_row(found.value);
      if (id && row)
        scheduled_[*id] = {row->due_ms, row->conversation, row->record.size(), row->failed != 0};
    }
    if (rows->more && !rows->rows.empty())
      return read_scheduled(std::string(rows->rows.back().key) + '\0');
    if (const auto next = next_due()) wake_up_.known(*next);
    load_finished({});
  });
}

/// What is on its way counts too: its wake-up was stored before it.
std::optional<std::int64_t> UserHome::next_due() const {
  std::optional<std::int64_t> next;
  const auto count = [&](std::int64_t due) { next = std::min(next.value_or(due), due); };
  for (const auto& [id, waiting] : scheduled_)
    if (!waiting.failed) count(waiting.due_ms);
  for (const Change& change : changes_)
    if (const auto* message = std::get_if<ScheduledChange>(&change.what);
        message != nullptr && message->row && message->row->failed == 0)
      count(message->row->due_ms);
  return next;
}

// ---- Changes ----

void UserHome::schedule(wire::Schedule schedule, Then<wire::Scheduled> then) {
  ++operations_;
  load([this, schedule = std::move(schedule), then = std::move(then)](Error error) mutable {
    if (!error && schedule.id != 0 && !scheduled_.contains(schedule.id)) error = no_such();
    if (error) {
      --operations_;
      return then(std::move(error));
    }
    const Snowflake id = schedule.id != 0 ? schedule.id : shard_.next_snowflake();
    ScheduledChange change{id, schedule.id == 0, row_of(schedule, id_)};
    const std::int64_t due = change.row->due_ms;
    wake_up_.ensure(
        shard_, layout::timer_of(id_), due,
        [this, change = std::move(change), then = std::move(then)](Result<void> stored) {
          --operations_;
          if (!stored) return then(std::move(stored).error());
          change_scheduled(change, [change, then](Result<void> done) {
            if (!done) return then(std::move(done).error());
            then(wire::Scheduled{.items = {item_of(change.id, *change.row)}});
          });
        });
  });
}

void UserHome::unschedule(Snowflake id, Then<void> then) {
  ++operations_;
  load([this, id, then = std::move(then)](Error error) {
    --operations_;
    if (error) return then(std::move(error));
    change_scheduled({id, false, std::nullopt}, then);
  });
}

void UserHome::change_scheduled(ScheduledChange change, Then<void> then) {
  const auto known = scheduled_.find(change.id);
  if (change.row)
    change.conversation = change.row->conversation;
  else if (known != scheduled_.end())
    change.conversation = known->second.conversation;
  changes_.push_back({std::move(change), std::move(then)});
  commit_changes();
}

Error UserHome::decide(ScheduledChange& change, bool& /*known*/) const {
  const auto old = scheduled_.find(change.id);
  if (!change.fresh && old == scheduled_.end()) return no_such();
  if (!change.row) return {};
  std::size_t bytes = change.row->record.size();
  for (const auto& [id, waiting] : scheduled_)
    if (id != change.id) bytes += waiting.bytes;
  if (change.fresh && scheduled_.size() >= limits::scheduled)
    return {Errc::limit_reached, "100 messages are scheduled; send or drop some first"};
  if (bytes > limits::scheduled_bytes)
    return {Errc::limit_reached, "the scheduled messages together are larger than 512 KiB"};
  return {};
}

void UserHome::stage_scheduled(Write& write, layout::HeadCell& head,
                               const ScheduledChange& change) {
  const std::string key = layout::scheduled_key(change.id);
  if (change.row) {
    write.put(key, layout::encode(*change.row));
    scheduled_[change.id] = {change.row->due_ms, change.row->conversation,
                             change.row->record.size(), change.row->failed != 0};
    head.flags |= layout::head_has_due;
    return;
  }
  write.erase(key);
  scheduled_.erase(change.id);
  if (scheduled_.empty()) head.flags &= static_cast<std::uint16_t>(~layout::head_has_due);
}

void UserHome::announce_scheduled(const std::vector<ScheduledChange>& changes) {
  if (changes.empty()) return;
  wire::Scheduled news;
  for (const ScheduledChange& change : changes) {
    std::erase_if(news.items, [&](const auto& item) { return item.id == change.id; });
    if (change.row)
      news.items.push_back(item_of(change.id, *change.row));
    else
      news.removed.push_back(change.id);
  }
  for (const UserSession& session : sessions_) {
    shard_.at(session.ref.shard, [ref = session.ref, news](ShardState& there) {
      there.sessions.tell(ref, make_frame(0, news));
    });
  }
}

void UserHome::scheduled(Then<wire::Scheduled> then) {
  struct Job {
    wire::Scheduled list{.whole = true};
    Then<wire::Scheduled> then;
    std::function<void(std::shared_ptr<Job>, std::string)> read;
  };
  auto job = std::make_shared<Job>();
  job->then = std::move(then);
  job->read = [this](std::shared_ptr<Job> self, std::string from) {
    auto request = owned_scan(layout::user, partition_, std::move(from), "r");
    shard_.world.scan(std::move(request), [this, self](Result<Rows> rows) {
      for (const Row& found : rows ? rows->rows : std::vector<Row>{}) {
        const auto id = layout::parse_number_key('q', found.key);
        const auto row = read_row(found.value);
        if (id && row) self->list.items.push_back(item_of(*id, *row));
      }
      if (rows && rows->more && !rows->rows.empty())
        return self->read(self, std::string(rows->rows.back().key) + '\0');
      --operations_;
      self->read = nullptr;
      self->then(rows ? Result<wire::Scheduled>(std::move(self->list)) : std::move(rows).error());
    });
  };
  ++operations_;
  job->read(job, layout::scheduled_key(0));
}

// ---- Sending ----

void UserHome::wake(std::int64_t now_ms, Then<void> then) {
  ++operations_;
  wakers_.push_back({now_ms, std::move(then)});
  if (!std::exchange(sending_, true)) send_due();
}

void UserHome::send_due() {
  load([this](Error error) {
    auto work = std::make_shared<Sending>();
    work->error = std::move(error);
    for (const auto& [now_ms, then] : wakers_) work->now_ms = std::max(work->now_ms, now_ms);
    if (work->error) return all_sent(work);
    for (const auto& [id, waiting] : scheduled_)
      if (!waiting.failed && waiting.due_ms <= work->now_ms) work->left.push_back(id);
    std::sort(work->left.begin(), work->left.end(), [this](Snowflake a, Snowflake b) {
      return std::pair(scheduled_.at(a).due_ms, a) > std::pair(scheduled_.at(b).due_ms, b);
    });
    send_next(work);
  });
}

/// One after the other: they keep their order.
void UserHome::send_next(const std::shared_ptr<Sending>& work) {
  if (work->left.empty()) return all_sent(work);
  const Snowflake id = work->left.back();
  work->left.pop_back();
  auto request = owned_get({{layout::user, partition_, layout::scheduled_key(id)}});
  shard_.world.get(std::move(request), [this, work, id](Result<Cells> cells) {
    if (!cells) work->error = cells.error();
    if (!cells || !cells->values[0] || !scheduled_.contains(id)) return send_next(work);
    auto row = read_row(*cells->values[0]);
    if (!row) return send_next(work);
    wire::Send message = message_of(*row);
    message.key = key_of(id);
    message.random = id;
    message.unattended = true;
    const ShardIndex here = shard_.index;
    shard_.at_home(row->conversation,
                   [this, work, id, row = std::move(*row), here, message = std::move(message)](
                       ShardState& there, Conversation& home) mutable {
                     home.send({id_, {}}, std::move(message),
                               [this, work, id, row, here, &there](Result<Ack> ack) {
                                 const Error error = ack ? Error() : ack.error();
                                 there.at(here, [this, work, id, row, error](ShardState&) {
                                   sent(work, id, row, error);
                                 });
                               });
                   });
  });
}

void UserHome::sent(const std::shared_ptr<Sending>& work, Snowflake id, layout::ScheduledRow row,
                    const Error& error) {
  const bool stays = error.retryable() || error.errc() == Errc::engine_closed;
  if (stays) {
    work->error = error;
    return send_next(work);
  }
  ScheduledChange change{id, false, std::nullopt};
  // A key that stands for another content: it was sent, and then changed before that was known.
  if (error && error.errc() != Errc::key_reused) {
    row.failed = static_cast<std::uint32_t>(error.code.value());
    row.why = error.message;
    change.row = std::move(row);
  }
  change_scheduled(std::move(change), [this, work](Result<void> done) {
    const bool dropped = !done && done.error().errc() == Errc::denied;  // by the user, meanwhile
    if (!done && !dropped) work->error = done.error();
    send_next(work);
  });
}

void UserHome::all_sent(const std::shared_ptr<Sending>& work) {
  const auto answer = [this](const Result<void>& result) {
    sending_ = false;
    for (auto& [now_ms, then] : std::exchange(wakers_, {})) {
      --operations_;
      then(result);
    }
  };
  if (work->error) return answer(work->error);
  const bool later = std::any_of(wakers_.begin(), wakers_.end(),
                                 [&](const auto& waker) { return waker.first > work->now_ms; });
  if (later) return send_due();
  wake_up_.passed(work->now_ms);
  const auto next = next_due();
  if (!next) return answer({});
  wake_up_.ensure(shard_, layout::timer_of(id_), *next, answer);
}

}  // namespace parley::core
