// session_subscribe.cpp: subscribe requests, the answers of CONTRACT I4, and the refill of those
// who are behind (I5).
#include <algorithm>
#include <utility>

#include "core/event_reader.hpp"
#include "core/operations.hpp"
#include "core/session.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

constexpr std::size_t refill_bytes = 128 * limits::kib;  // one page on its way to a lagging session
constexpr std::size_t refill_least = 4 * limits::kib;  // when many read at once, or little is left

}  // namespace

/// One Subscribe request on its way. Touched on the session's shard only.
struct Sessions::Subscribing {
  struct Outcome {
    ResumeAnswer answer;
    Seq next = 0;               // full: the first event to push
    bool follow = false;        // the subscription stays
    std::uint16_t attempt = 0;  // the subscription that was opened for it
    Seq mark_at = 0;            // the event whose mark decides, or is told
    /// Too far behind: the last events follow what is told as the head.
    void begin_at_tail() {
      answer.answer = Resume::snapshot;
      mark_at = answer.head.seq - limits::snapshot_tail;
      next = mark_at + 1;
    }
  };
  SessionRef ref;
  std::uint32_t number = 0;   // 0: nobody asked (in-process sessions follow by themselves)
  bool from_visible = false;  // start at the first visible event: just entered
  std::vector<wire::Subscribe::Item> items;
  std::vector<Outcome> outcomes;
  std::size_t open = 0;
  Error error;  // a store that cannot answer fails the whole request
};

Subscription* Sessions::subscription(SessionState& session, const ConversationId& id) noexcept {
  Fan* fan = shard_.fans.find(id);
  const auto* follow = fan == nullptr ? nullptr : session.follow(*fan);
  return follow == nullptr ? nullptr : &fan->subscriptions[follow->index];
}

void Sessions::unsubscribe(SessionState& session, const ConversationId& id) {
  Fan* fan = shard_.fans.find(id);
  const auto* follow = fan == nullptr ? nullptr : session.follow(*fan);
  if (follow != nullptr) shard_.fans.remove(*fan, follow->index);
}

void Sessions::subscribe(SessionRef ref, std::uint32_t number, wire::Subscribe subscribe) {
  SessionState* session = find(ref);
  if (session == nullptr) return;
  const auto fresh = [&](const wire::Subscribe::Item& item) {
    return item.level != Level::none && subscription(*session, item.conversation) == nullptr;
  };
  const auto more = std::count_if(subscribe.items.begin(), subscribe.items.end(), fresh);
  if (session->follows.size() + static_cast<std::size_t>(more) > limits::subscriptions) {
    return answer(ref, number,
                  wire::Failed{Error(Errc::limit_reached, "items: more than 10000 subscriptions")});
  }
  auto work = std::make_shared<Subscribing>();
  work->ref = ref;
  work->number = number;
  work->items = std::move(subscribe.items);
  work->outcomes.resize(work->items.size());
  work->open = work->items.size();
  for (std::size_t i = 0; i < work->items.size(); ++i) open_item(work, i);
}

void Sessions::follow_list(SessionRef ref, const std::vector<ListEntry>& entries, bool fresh) {
  SessionState* session = find(ref);
  if (session == nullptr) return;
  auto work = std::make_shared<Subscribing>();
  work->ref = ref;
  work->from_visible = fresh;
  for (const ListEntry& entry : entries) {
    if (subscription(*session, entry.conversation) != nullptr) continue;
    work->items.push_back({entry.conversation, Level::full, std::nullopt});
  }
  const std::size_t room = limits::subscriptions - session->follows.size();
  if (work->items.size() > room) work->items.resize(room);
  if (work->items.empty()) return;
  work->outcomes.resize(work->items.size());
  work->open = work->items.size();
  for (std::size_t i = 0; i < work->items.size(); ++i) open_item(work, i);
}

/// A session that follows everything of its user follows the new channel of its space.
void Sessions::child_opened(std::uint32_t slot, const ConversationId& child) {
  const SessionState* session = sessions_.at(slot);
  if (session == nullptr || !session->auto_subscribe) return;
  ListEntry entry;
  entry.conversation = child;
  follow_list(ref_of(slot), {entry}, true);
}

void Sessions::open_item(std::shared_ptr<Subscribing> work, std::size_t item) {
  SessionState* session = find(work->ref);
  const wire::Subscribe::Item& wanted = work->items[item];
  ResumeAnswer& answer = work->outcomes[item].answer;
  answer.conversation = wanted.conversation;
  answer.level = wanted.level;
  if (session == nullptr) return item_done(std::move(work));
  unsubscribe(*session, wanted.conversation);
  if (wanted.level == Level::none) {
    answer.answer = Resume::caught_up;
    return item_done(std::move(work));
  }
  Fan& fan = shard_.fans.fan(wanted.conversation);
  Subscription subscription;
  subscription.outlet = session->outlet;
  subscription.session = work->ref.slot;
  subscription.level = wanted.level;
  subscription.user = session->user;
  subscription.attempt = work->outcomes[item].attempt = ++session->attempts;
  session->add({&fan, shard_.fans.add(fan, subscription)});
  const ConversationId id = wanted.conversation;
  shard_.at_home(id, [work = std::move(work), item, id, user = session->user](ShardState& there,
                                                                              Conversation& home) {
    const auto& cursor = work->items[item].cursor;
    home.access(
        user,
        [&there, work, item, id](Result<Access> access) {
          const ShardIndex asking = work->ref.shard;
          if (access && access->role != Role::none) {
            auto& followers = there.home(id).followers;
            if (std::find(followers.begin(), followers.end(), asking) == followers.end()) {
              followers.push_back(asking);
            }
            if (work->items[item].level == Level::full) there.growing.announce(id, work->ref);
          }
          there.at(asking, [work, item, access = std::move(access)](ShardState& here) mutable {
            here.sessions.item_opened(work, item, std::move(access));
          });
        },
        cursor ? cursor->seq : 0);
  });
}

/// The subscription that was opened for an item, unless a later request replaced it.
Subscription* Sessions::opening(SessionState& session, const Subscribing& work,
                                std::size_t item) noexcept {
  Subscription* sub = subscription(session, work.items[item].conversation);
  const bool own = sub != nullptr && sub->state == Subscription::State::opening &&
                   sub->attempt == work.outcomes[item].attempt;
  return own ? sub : nullptr;
}

void Sessions::item_opened(std::shared_ptr<Subscribing> work, std::size_t item,
                           Result<Access> access) {
  SessionState* session = find(work->ref);
  if (session == nullptr) return item_done(std::move(work));
  Subscribing::Outcome& outcome = work->outcomes[item];
  Subscription* sub = opening(*session, *work, item);
  if (!access || access->role == Role::none) {
    if (access) {
      outcome.answer.answer = Resume::not_member;
      outcome.answer.last_visible = access->left_at;
    } else if (access.error().errc() != Errc::denied) {
      work->error = std::move(access).error();
    }
    if (sub != nullptr) unsubscribe(*session, work->items[item].conversation);
    shard_.fans.forget_unknown(work->items[item].conversation);
    return item_done(std::move(work));
  }
  answer_item(*work, item, *access);
  if (sub == nullptr) {
    outcome.follow = false;  // replaced by a later request, which is answered after this one
  } else {
    shard_.fans.opened(*shard_.fans.find(work->items[item].conversation), *access);
    sub->visible_from = access->visible_from;
    sub->audiences = access->audiences;
    sub->unheard = access->unheard;
    sub->stale = false;
    shard_.fans.take_deletions(*shard_.fans.find(work->items[item].conversation), session->user,
                               access->deletions);
    sub->last = 0;  // an end told before this answer belongs to an earlier membership
    shard_.fans.admit(*shard_.fans.find(work->items[item].conversation), *sub, true);
  }
  if (outcome.mark_at != 0) return check_cursor(std::move(work), item);
  item_done(std::move(work));
}

/// Everything of I4 that needs no reading; `mark_at` is left where a mark must be read.
void Sessions::answer_item(Subscribing& work, std::size_t item, const Access& access) {
  Subscribing::Outcome& outcome = work.outcomes[item];
  ResumeAnswer& answer = outcome.answer;
  const wire::Subscribe::Item& wanted = work.items[item];
  answer.head = access.head;
  answer.head_ordinal = access.head_ordinal;
  answer.floor = access.floor;
  answer.floor_mark = access.floor_mark;
  outcome.follow = true;
  outcome.next = access.head.seq + 1;
  if (work.from_visible && !scattered(access.kind)) {
    answer.answer = Resume::range;
    outcome.next = std::max(access.visible_from, access.floor);
    return;
  }
  if (!wanted.cursor) {
    answer.answer = Resume::snapshot;
    return;
  }
  const Cursor& cursor = *wanted.cursor;
  const Seq start = std::max(access.visible_from, access.floor);
  if (cursor.epoch != access.head.epoch) {
    answer.answer = Resume::forked;
  } else if (cursor.seq > access.head.seq) {
    answer.answer = Resume::ahead;
    // On a client's word: said once a minute, whoever repeats it.
    const auto now = shard_.world.now().steady;
    if (now >= alarm_after_) {
      alarm_after_ = now + std::chrono::minutes(1);
      shard_.world.log(Effects::Severity::error, "a client knows more of " +
                                                     to_string(answer.conversation) +
                                                     " than the store: data was lost or restored");
    }
  } else if (cursor.seq == access.head.seq) {
    answer.answer = cursor.mark == access.head.mark ? Resume::caught_up : Resume::forked;
  } else if (cursor.seq + 1 < start) {
    answer.answer = Resume::trimmed;
    answer.floor = start;
    outcome.next = start;
    if (start != access.floor) outcome.mark_at = start - 1;  // else floor_mark is right already
  } else if (cursor.seq == 0) {
    answer.answer = cursor.mark == 0 ? Resume::range : Resume::forked;
    if (answer.answer == Resume::range) outcome.next = 1;
  } else if (wanted.level != Level::full) {
    answer.answer = Resume::range;  // there is more; opening it at `full` compares the marks
  } else if (cursor.seq + 1 == access.floor) {
    answer.answer = cursor.mark == access.floor_mark ? Resume::range : Resume::forked;
    if (answer.answer == Resume::range) outcome.next = cursor.seq + 1;
  } else {
    answer.answer = Resume::range;
    outcome.next = cursor.seq + 1;
    outcome.mark_at = cursor.seq;
  }
  if (answer.answer == Resume::range && wanted.level == Level::full && outcome.mark_at == 0 &&
      access.head.seq - cursor.seq > limits::snapshot_after)
    outcome.begin_at_tail();
}

void Sessions::check_cursor(std::shared_ptr<Subscribing> work, std::size_t item) {
  ReadRange range;
  range.conversation = work->items[item].conversation;
  range.ns = shard_.config.ns;
  range.partition = layout::conversation_id(range.ns, range.conversation);
  range.from = range.to = work->outcomes[item].mark_at;
  range.max_events = 1;
  read_events(shard_.world, range, [this, work, item](Result<EventPage> page) {
    Subscribing::Outcome& outcome = work->outcomes[item];
    if (!page) {
      work->error = std::move(page).error();
    } else if (page->events.size() != 1) {
      work->error = Error(Errc::unavailable, "the stream moved while it was read; try again");
    } else if (outcome.answer.answer == Resume::snapshot) {
      const layout::StoredEvent& before = page->events[0];
      outcome.answer.head = {page->head.epoch, before.seq, before.mark};
      outcome.answer.head_ordinal = wire::read_record(before.record.bytes()).ordinal;
    } else if (outcome.answer.answer == Resume::trimmed) {
      outcome.answer.floor_mark = page->events[0].mark;
    } else if (page->events[0].mark != work->items[item].cursor->mark) {
      outcome.answer.answer = Resume::forked;
      outcome.next = outcome.answer.head.seq + 1;
    } else if (outcome.answer.head.seq - outcome.mark_at > limits::snapshot_after) {
      outcome.begin_at_tail();
      return check_cursor(work, item);  // for the mark there
    }
    item_done(work);
  });
}

void Sessions::item_done(std::shared_ptr<Subscribing> work) {
  if (--work->open != 0) return;
  SessionState* session = find(work->ref);
  if (session == nullptr) return;
  if (work->error) {
    for (std::size_t i = 0; i < work->items.size(); ++i) {
      if (opening(*session, *work, i) != nullptr) {
        unsubscribe(*session, work->items[i].conversation);
      }
    }
    if (work->number != 0) answer(work->ref, work->number, wire::Failed{work->error});
    return;
  }
  if (work->number != 0) {
    wire::Subscribed subscribed;
    for (auto& outcome : work->outcomes) {
      if (!outcome.follow) outcome.answer.level = Level::none;  // the level now in force
      subscribed.answers.push_back(outcome.answer);
    }
    answer(work->ref, work->number, std::move(subscribed));
  }
  for (std::size_t i = 0; i < work->items.size(); ++i) settle(*work, i);
  pump(work->ref);
}

/// After the answer: from here on the subscription pushes.
void Sessions::settle(Subscribing& work, std::size_t item) {
  const Subscribing::Outcome& outcome = work.outcomes[item];
  if (!outcome.follow) return;
  SessionState* session = find(work.ref);
  Subscription* sub = opening(*session, work, item);
  if (sub == nullptr) return;
  const Fan& fan = *shard_.fans.find(work.items[item].conversation);
  if (const auto deleted = fan.deletions_of(*sub); deleted && sub->level == Level::full)
    session->outlet->push(make_frame(0, DeletedForMe{fan.id, deleted->seqs()}));
  sub->next = outcome.next;
  if (std::exchange(sub->unsettled, false) || sub->stale) return ask_again(*sub, fan.id);
  const Seq end = sub->last != 0 ? sub->last : fan.head;
  if (sub->level != Level::full || sub->next > end) {
    if (sub->last != 0) return ask_again(*sub, fan.id);
    sub->state = Subscription::State::live;
    return;
  }
  sub->state = Subscription::State::filling;
  session->to_fill.push_back(fan.id);
}

void Sessions::lag(std::uint32_t slot, Fan& fan) {
  SessionState* session = sessions_.at(slot);
  if (session == nullptr) return;
  session->outlet->push(make_frame(0, wire::HeadMoved{fan.id, fan.cursor(), fan.head_ordinal}));
  session->to_fill.push_back(fan.id);
  session->outlet->lag();
}

void Sessions::refill(std::uint32_t slot, Fan& fan) {
  SessionState* session = sessions_.at(slot);
  if (session == nullptr) return;
  session->to_fill.push_back(fan.id);
  pump(ref_of(slot));
}

void Sessions::drained(SessionRef ref) {
  pump(ref);
  if (SessionState* session = find(ref)) line_up(ref, *session);
  read_pages_soon();
}

/// Reads one page for the subscription that waits longest; one read and one page a session. Pages
/// on their way count as queued: those of many sessions at once are small.
void Sessions::pump(SessionRef ref) {
  SessionState* session = find(ref);
  if (session == nullptr || session->phase != SessionState::Phase::ready || session->reading != 0)
    return;
  while (!session->to_fill.empty()) {
    const std::size_t most = shard_.world.queue_limit();
    if (session->outlet->backlog() > most) return session->outlet->lag();  // and drained() comes
    const ConversationId id = session->to_fill.front();
    const Subscription* sub = subscription(*session, id);
    if (sub == nullptr || sub->state != Subscription::State::filling) {
      session->to_fill.pop_front();
      continue;
    }
    const Fan& fan = *shard_.fans.find(id);
    ReadRange range;
    range.conversation = id;
    range.ns = shard_.config.ns;
    range.partition = layout::conversation_id(range.ns, id);
    range.from = sub->next;
    range.to = sub->last != 0 ? sub->last : fan.head;
    const std::size_t left = most - std::min(most, reading_);
    range.max_bytes = static_cast<std::uint32_t>(std::clamp(left, refill_least, refill_bytes));
    session->reading = range.max_bytes;
    reading_ += session->reading;
    read_events(shard_.world, range, [this, ref, id, range](Result<EventPage> page) {
      fill(ref, id, range, std::move(page));
    });
    return;
  }
}

void Sessions::stop_reading(SessionState& session) noexcept {
  reading_ -= std::exchange(session.reading, 0);
}

void Sessions::fill(SessionRef ref, const ConversationId& id, const ReadRange& range,
                    Result<EventPage> page) {
  SessionState* session = find(ref);
  if (session == nullptr) return;
  stop_reading(*session);
  if (!session->to_fill.empty() && session->to_fill.front() == id) session->to_fill.pop_front();
  Subscription* sub = subscription(*session, id);
  if (sub == nullptr || sub->state != Subscription::State::filling) return pump(ref);
  session->to_fill.push_back(id);
  const Seq first = range.from;
  if (sub->next != first) return pump(ref);            // replaced while the page was read
  if (!page && page.error().errc() == Errc::denied) {  // deleted for good, meanwhile
    unwatch_all(ref.slot, id);
    unsubscribe(*session, id);
    left(ref.slot, id);
    return pump(ref);
  }
  if (page && page->head.epoch == shard_.fans.find(id)->epoch && page->head.floor > first) {
    // What it was behind is gone. It sees the gap, asks, and is told `trimmed`.
    sub->next = page->head.floor;
    return pump(ref);
  }
  if (!page && !page.error().retryable()) {
    shard_.world.log(Effects::Severity::error,
                     to_string(id) + " cannot be read: " + page.error().message);
    return close(ref, CloseReason::internal, "a conversation cannot be read");
  }
  const Fan& fan = *shard_.fans.find(id);
  if (!page || page->events.empty() || page->events.front().seq != first ||
      page->head.epoch != fan.epoch || (sub->last == 0 && edited_after(page->events, range.to))) {
    shard_.world.start_timer(std::chrono::milliseconds(100), [this, ref] { pump(ref); });
    return;
  }
  hide(page->events, fan.reader(*sub), sub->last);
  wire::Events events;
  events.conversation = id;
  events.epoch = fan.epoch;
  events.first = first;
  events.mark = page->events.back().mark;
  for (auto& event : page->events) events.records.push_back(std::move(event.record));
  sub->next = first + events.records.size();
  session->outlet->push(make_frame(0, std::move(events)));
  const Seq end = sub->last != 0 ? sub->last : fan.head;
  if (sub->next > end) {
    session->to_fill.pop_back();
    if (sub->last != 0) {
      ask_again(*sub, id);
    } else {
      sub->state = Subscription::State::live;
    }
  }
  pump(ref);
}

void Sessions::forget_deleted(SessionRef ref, const ConversationId& id, Reader& reader) {
  SessionState* session = find(ref);
  const Subscription* sub = session == nullptr ? nullptr : subscription(*session, id);
  if (sub == nullptr || sub->user != reader.user) return;
  if (auto newest = shard_.fans.find(id)->deletions_of(*sub)) reader.deletions = std::move(newest);
}

/// Its user sees other audiences from here on; or the access ended, and the user may have come back
/// while the subscription was behind, and the list may have told so already.
void Sessions::ask_again(Subscription& sub, const ConversationId& id) {
  const SessionRef ref = ref_of(sub.session);
  sub.state = Subscription::State::opening;
  sub.attempt = ++find(ref)->attempts;
  const Reopening asked{ref, id, sub.next - 1, sub.attempt};
  shard_.at_home(id, [asked, user = sub.user](ShardState& there, Conversation& home) {
    home.access(user, [&there, asked](Result<Access> access) {
      there.at(asked.ref.shard, [asked, access = std::move(access)](ShardState& here) {
        here.sessions.asked_again(asked, access);
      });
    });
  });
}

void Sessions::asked_again(const Reopening& asked, const Result<Access>& access) {
  SessionState* session = find(asked.ref);
  if (session == nullptr) return;
  Subscription* sub = subscription(*session, asked.id);
  if (sub == nullptr || sub->state != Subscription::State::opening || sub->attempt != asked.attempt)
    return;  // replaced by a later request
  if (!access && access.error().retryable()) {
    shard_.world.start_timer(std::chrono::milliseconds(100), [this, asked] {
      SessionState* later = find(asked.ref);
      if (later == nullptr) return;
      Subscription* still = subscription(*later, asked.id);
      if (still != nullptr && still->attempt == asked.attempt) ask_again(*still, asked.id);
    });
    return;
  }
  if (!access || access->role == Role::none) {
    unwatch_all(asked.ref.slot, asked.id);
    unsubscribe(*session, asked.id);
    return left(asked.ref.slot, asked.id);
  }
  if (std::exchange(sub->unsettled, false)) return ask_again(*sub, asked.id);
  // Events that passed while it was no member are a gap, which the gap rule (I2) makes a client ask
  // about: `trimmed` is then its answer.
  Fan& fan = *shard_.fans.find(asked.id);
  sub->visible_from = access->visible_from;
  sub->audiences = access->audiences;
  sub->unheard = access->unheard;
  sub->stale = false;
  shard_.fans.take_deletions(fan, sub->user, access->deletions);
  sub->next = std::max({asked.last + 1, access->visible_from, access->floor});
  sub->last = 0;
  shard_.fans.admit(fan, *sub, true);
  if (sub->level == Level::heads && fan.head != 0) {  // one may have come due meanwhile
    session->outlet->push(make_frame(0, wire::HeadMoved{fan.id, fan.cursor(), fan.head_ordinal}));
  }
  if (sub->level != Level::full || sub->next > fan.head) {
    sub->state = Subscription::State::live;
    return;
  }
  sub->state = Subscription::State::filling;
  refill(asked.ref.slot, fan);
}

void Sessions::watch(SessionRef ref, std::uint32_t number, const ConversationId& conversation,
                     const std::vector<UserId>& users) {
  SessionState* session = find(ref);
  if (session == nullptr) return;
  const auto elsewhere =
      std::ranges::count_if(session->watched(), [&](const SessionState::Watched& watched) {
        return !watched.whole && watched.conversation != conversation;
      });
  if (static_cast<std::size_t>(elsewhere) + users.size() > limits::watched_users) {
    return answer(ref, number,
                  wire::Failed{Error(Errc::limit_reached, "users: more than 1000 watched")});
  }
  unwatch_named(ref, conversation);
  if (users.empty()) return answer(ref, number, wire::PresenceChanged{});
  watch_each(ref, conversation, users, false, [this, ref, number](std::vector<Presence> found) {
    answer(ref, number, wire::PresenceChanged{std::move(found)});
  });
}

}  // namespace parley::core
