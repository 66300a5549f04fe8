#include "core/fan.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/thrown.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {

using namespace std::chrono_literals;

Fan& Fans::fan(const ConversationId& id) {
  auto [it, fresh] = fans_.try_emplace(id);
  if (fresh) {
    it->second = std::make_unique<Fan>();
    it->second->id = id;
    it->second->counted = shard_.online.counts(id);
    unknown_.insert(id);
  }
  return *it->second;
}

Fan* Fans::find(const ConversationId& id) noexcept {
  auto it = fans_.find(id);
  return it == fans_.end() ? nullptr : it->second.get();
}

void Fans::opened(Fan& fan, const Access& access) {
  if (!fan.known) unknown_.erase(fan.id);
  if (access.space && !fan.known) by_space_[access.space].insert(fan.id);
  if (fan.known && fan.epoch == access.head.epoch && fan.head >= access.head.seq) return;
  fan.kind = access.kind;
  fan.epoch = access.head.epoch;
  fan.head = access.head.seq;
  fan.mark = access.head.mark;
  fan.head_ordinal = access.head_ordinal;
  fan.floor = access.floor;
  if (!std::exchange(fan.known, true)) return;
  // The home answered from a head whose events are not published yet, or never will be: what is
  // live here has not been given them, so they come from the store.
  for (Subscription& sub : fan.subscriptions) {
    if (sub.level != Level::full || sub.state != Subscription::State::live) continue;
    if (sub.next > fan.head) continue;
    sub.state = Subscription::State::filling;
    shard_.sessions.refill(sub.session, fan);
  }
}

void Fans::published(const Published& events) {
  Fan* found = find(events.conversation);
  if (found == nullptr || !found->known)
    return;  // the home's answer, still to come, has a later head
  Fan& fan = *found;
  if (events.epoch != fan.epoch || events.first != fan.head + 1) return;  // an older head: seen
  fan.head = events.last();
  fan.mark = events.mark;
  fan.head_ordinal = events.head_ordinal;
  push_events(fan, events);
  if (events.ended) end_access(fan, events.ended, events.last());
  if (events.changed) change_access(fan, events.changed);
  if (events.everybody) change_access_of_all(fan);
  if (!events.opened) return;
  for (const Subscription& sub : fan.subscriptions)
    shard_.sessions.child_opened(sub.session, events.opened);
}

namespace {

/// The frames of one piece of the stream, one a class of readers: made at most once each.
class Frames {
 public:
  Frames(const Fan& fan, const Published& events) : fan_(fan), events_(events) {
    if (events.for_all) return;
    for (const Payload& record : events.records) {
      const wire::RecordFields fields = wire::read_record(record.bytes());
      if (fields.audience == audience::sender) owners_.push_back(owner_of(fields));
    }
  }
  const FramePtr& of(const Subscription& sub) {
    if (sub.deletes) {
      const Reader reader = fan_.reader(sub);
      if (reader.deletions && touches(*reader.deletions))
        return own_ = make(shown_to(events_.records, reader));
    }
    if (events_.for_all) return for_all_ ? for_all_ : for_all_ = make(events_.records);
    Class who{sub.audiences, {}};
    const bool all_own = (who.audiences >> audience::sender & 1) != 0;
    if (!all_own && std::find(owners_.begin(), owners_.end(), sub.user) != owners_.end())
      who.owner = sub.user;
    FramePtr& frame = by_class_[who];
    if (!frame) frame = make(shown_to(events_.records, {who.owner, who.audiences}));
    return frame;
  }

 private:
  struct Class {
    Audiences audiences;
    UserId owner;  // of events in this piece that others of these audiences do not see
    auto operator<=>(const Class&) const = default;
  };
  [[nodiscard]] FramePtr make(std::vector<Payload> records) const {
    wire::Events body;
    body.conversation = fan_.id;
    body.epoch = fan_.epoch;
    body.first = events_.first;
    body.records = std::move(records);
    body.mark = events_.mark;
    return make_frame(0, std::move(body));
  }

  [[nodiscard]] bool touches(const OwnDeletions& deletions) const {
    return std::any_of(events_.records.begin(), events_.records.end(), [&](const Payload& record) {
      return deletions.covers(wire::read_record(record.bytes()));
    });
  }

  const Fan& fan_;
  const Published& events_;
  FramePtr for_all_, own_;
  std::vector<UserId> owners_;
  std::map<Class, FramePtr> by_class_;
};

}  // namespace

/// The hot path: one frame for all, or for a class of readers; an entry costs a compare and a push.
void Fans::push_events(Fan& fan, const Published& events) {
  Frames frames(fan, events);
  const std::size_t most = shard_.world.queue_limit();
  bool heads = false;
  for (Subscription& sub : fan.subscriptions) {
    if (sub.level != Level::full) {
      heads |= sub.level == Level::heads;
      continue;
    }
    if (sub.state != Subscription::State::live) continue;
    if (sub.outlet->backlog() > most) {
      sub.state = Subscription::State::filling;  // lagging: the store has it, the marker tells
      shard_.sessions.lag(sub.session, fan);
      continue;
    }
    sub.outlet->push(frames.of(sub));
    sub.next = events.last() + 1;
  }
  if (heads) heads_later(fan);
}

void Fans::end_access(Fan& fan, UserId user, Seq last) {
  for (const std::uint32_t slot : shard_.sessions.followers_of(user, fan)) {
    Subscription& sub = *shard_.sessions.subscription(slot, fan);
    // Opening or filling: what it may see still comes from the store, up to the first such event.
    if (sub.last == 0) sub.last = last;
    admit(fan, sub, false);
    const bool given = sub.state == Subscription::State::live ||
                       (sub.state == Subscription::State::filling && sub.next > last);
    if (!given && sub.level == Level::full) continue;
    const bool told = sub.state != Subscription::State::opening;  // else the answer says it
    remove(fan, static_cast<std::uint32_t>(&sub - fan.subscriptions.data()));
    shard_.sessions.unwatch_all(slot, fan.id);
    if (told) shard_.sessions.left(slot, fan.id);
  }
}

void Fans::change_access(Fan& fan, UserId user) {
  for (const std::uint32_t slot : shard_.sessions.followers_of(user, fan)) {
    Subscription& sub = *shard_.sessions.subscription(slot, fan);
    if (sub.last != 0) continue;
    if (sub.state == Subscription::State::opening)
      sub.stale = true;
    else
      shard_.sessions.ask_again(sub, fan.id);
  }
}

OwnDeletionsPtr Fan::deletions_of(const Subscription& sub) const noexcept {
  if (!sub.deletes) return nullptr;
  const auto known = deletions.find(sub.user);
  return known == deletions.end() ? nullptr : known->second;
}

void Fans::take_deletions(Fan& fan, UserId user, OwnDeletionsPtr all) {
  const auto slots = shard_.sessions.followers_of(user, fan);
  if (!all || slots.empty()) return;
  for (const std::uint32_t slot : slots) shard_.sessions.subscription(slot, fan)->deletes = true;
  OwnDeletionsPtr& known = fan.deletions[user];
  if (!known || known->revision() < all->revision()) known = std::move(all);
}

void Fans::change_access_of_all(Fan& fan) {
  for (Subscription& sub : fan.subscriptions) {
    if (sub.last != 0) continue;
    if (sub.state == Subscription::State::opening)
      sub.stale = true;
    else
      shard_.sessions.ask_again(sub, fan.id);
  }
}

/// An answer that is under way may be from before the change: it is not the last word.
void Fans::look_again(Fan& fan, Subscription& sub) {
  if (sub.state == Subscription::State::opening)
    sub.unsettled = true;
  else if (sub.last == 0)
    shard_.sessions.ask_again(sub, fan.id);
}

void Fans::rights_changed(const ConversationId& space, UserId user) {
  const auto of_user = [&](const Fan& fan) {
    for (const std::uint32_t slot : shard_.sessions.followers_of(user, fan))
      if (Subscription* sub = shard_.sessions.subscription(slot, *find(fan.id)))
        look_again(*find(fan.id), *sub);
  };
  const auto look = [&](Fan& fan) {
    if (user) return of_user(fan);
    for (Subscription& sub : fan.subscriptions) look_again(fan, sub);
  };
  if (const auto known = by_space_.find(space); known != by_space_.end())
    for (const ConversationId& id : known->second)
      if (Fan* fan = find(id)) look(*fan);
  for (const ConversationId& id : unknown_)  // that one may be a channel of the space
    if (Fan* fan = find(id)) look(*fan);
}

void Fans::end_all(Fan& fan) {
  while (!fan.subscriptions.empty()) {
    const Subscription sub = fan.subscriptions.back();
    remove(fan, static_cast<std::uint32_t>(fan.subscriptions.size() - 1));
    shard_.sessions.unwatch_all(sub.session, fan.id);
    const bool told = sub.state != Subscription::State::opening;  // else the answer says it
    if (told) shard_.sessions.left(sub.session, fan.id);
  }
}

void Fans::heads_later(Fan& fan) {
  if (fan.heads_due) return;
  fan.heads_due = true;
  heads_due_.push_back(fan.id);
  if (heads_timer_ != Effects::Timer::none) return;
  heads_timer_ = shard_.world.start_timer(limits::head_moved_period, [this] {
    heads_timer_ = Effects::Timer::none;
    push_heads();
  });
}

void Fans::push_heads() {
  for (const ConversationId& id : std::exchange(heads_due_, {})) {
    Fan* fan = find(id);
    if (fan == nullptr) continue;
    fan->heads_due = false;
    const FramePtr frame = make_frame(0, wire::HeadMoved{id, fan->cursor(), fan->head_ordinal});
    for (Subscription& sub : fan->subscriptions) {
      if (sub.level != Level::heads || sub.state == Subscription::State::opening) continue;
      sub.outlet->push(frame);
    }
  }
}

void Fans::receipts(const ConversationId& id, ConversationKind kind,
                    const std::vector<MovedReceipt>& receipts) {
  Fan* fan = find(id);
  if (fan == nullptr) return;
  // As one session may know them: one's own as they are, others' reads unless somebody hides them.
  const auto told = [&](UserId user, bool hides, bool others) {
    wire::ReceiptsMoved moved{id, {}};
    for (const MovedReceipt& receipt : receipts) {
      if (receipt.own.user == user) {
        moved.receipts.push_back(receipt.own);
      } else if (others && !receipt.own_only) {
        const Seq shown = hides ? 0 : receipt.shown;
        moved.receipts.push_back({receipt.own.user, receipt.own.received, shown});
      }
    }
    return make_frame(0, std::move(moved));
  };
  const auto of = [&](UserId user) {
    const auto found = std::lower_bound(
        receipts.begin(), receipts.end(), user,
        [](const MovedReceipt& receipt, UserId wanted) { return receipt.own.user < wanted; });
    return found != receipts.end() && found->own.user == user ? found : receipts.end();
  };
  const bool for_others = std::any_of(receipts.begin(), receipts.end(),
                                      [](const MovedReceipt& each) { return !each.own_only; });
  FramePtr all, hidden;
  for (Subscription& sub : fan->subscriptions) {
    if (sub.state == Subscription::State::opening) continue;
    const auto own = of(sub.user);
    const bool moved = own != receipts.end();
    // Channels, spaces and `heads`: a user's own position only, for its other devices.
    if (scattered(kind) || sub.level != Level::full) {
      if (moved) sub.outlet->push(told(sub.user, false, false));
      continue;
    }
    const bool hides = shard_.sessions.hides_reads(sub.session);
    if (moved && (hides || own->shown != own->own.read)) {
      sub.outlet->push(told(sub.user, hides, true));
      continue;
    }
    if (!for_others) continue;
    FramePtr& frame = hides ? hidden : all;
    if (!frame) frame = told({}, hides, true);
    sub.outlet->push(frame);
  }
}

bool Fans::host_passes(const wire::Signalled& signal, UserId receiver) const {
  try {
    return shard_.config.signal_filter({signal.conversation, signal.sender, signal.kind,
                                        signal.data, std::chrono::milliseconds(signal.lasts_ms)},
                                       receiver);
  } catch (...) {
    shard_.world.log(Effects::Severity::error,
                     "EngineOptions::signal_filter threw: " + base::what_was_thrown());
    return false;
  }
}

void Fans::signalled(const wire::Signalled& signal, SessionRef except) {
  Fan* fan = find(signal.conversation);
  if (fan == nullptr) return;
  const FramePtr frame = make_frame(0, signal);
  const std::size_t most = shard_.world.queue_limit() / 2;
  for (Subscription& sub : fan->subscriptions) {
    if (sub.level != Level::full || sub.state != Subscription::State::live) continue;
    if (except.shard == shard_.index && except.slot == sub.session && except.generation != 0)
      continue;
    if (sub.outlet->backlog() > most) continue;  // signals go first
    if (shard_.config.signal_filter && !host_passes(signal, sub.user)) continue;
    sub.outlet->push(frame);
  }
}

/// Who misses a piece finds out by the next one.
void Fans::streamed(const wire::Streamed& piece, SessionRef except) {
  Fan* fan = find(piece.conversation);
  if (fan == nullptr) return;
  const FramePtr frame = make_frame(0, piece);
  const std::size_t most = shard_.world.queue_limit() / 2;
  for (Subscription& sub : fan->subscriptions) {
    if (sub.level != Level::full || sub.state != Subscription::State::live) continue;
    if (except.shard == shard_.index && except.slot == sub.session && except.generation != 0)
      continue;
    if (sub.outlet->backlog() > most) continue;
    sub.outlet->push(frame);
  }
}

std::uint32_t Fans::add(Fan& fan, Subscription subscription) {
  fan.subscriptions.push_back(subscription);
  return static_cast<std::uint32_t>(fan.subscriptions.size() - 1);
}

void Fans::admit(Fan& fan, Subscription& sub, bool on) {
  if (std::exchange(sub.admitted, on) == on || !fan.counted) return;
  if (shard_.sessions.shows_user(sub.session)) shard_.online.note(fan.id, sub.user, on);
}

void Fans::remove(Fan& fan, std::uint32_t index) {
  admit(fan, fan.subscriptions[index], false);
  shard_.sessions.forget(fan.subscriptions[index].session, fan);
  const bool deletes = fan.subscriptions[index].deletes;
  const UserId user = fan.subscriptions[index].user;
  const auto last = static_cast<std::uint32_t>(fan.subscriptions.size() - 1);
  if (index != last) {
    fan.subscriptions[index] = fan.subscriptions[last];
    shard_.sessions.moved(fan.subscriptions[index].session, fan, index);
  }
  fan.subscriptions.pop_back();
  if (deletes && shard_.sessions.followers_of(user, fan).empty()) fan.deletions.erase(user);
  if (fan.subscriptions.empty()) fan.empty_since = shard_.world.now().steady;
}

void Fans::forget_unknown(const ConversationId& id) {
  const auto it = fans_.find(id);
  if (it == fans_.end() || it->second->known || !it->second->subscriptions.empty()) return;
  fans_.erase(it);
  unknown_.erase(id);
}

void Fans::sweep(std::chrono::steady_clock::time_point now) {
  for (auto it = fans_.begin(); it != fans_.end();) {
    Fan& fan = *it->second;
    const auto idle = fan.known ? shard_.idle_after() : 0ms;
    if (!fan.subscriptions.empty() || now - fan.empty_since < idle) {
      ++it;
      continue;
    }
    // An unknown one, too: its answer may be on the way, with this shard among the followers.
    shard_.at(shard_.shard_of(fan.id), [id = fan.id, here = shard_.index](ShardState& there) {
      auto home = there.homes.find(id);
      if (home != there.homes.end()) std::erase(home->second.followers, here);
    });
    if (!fan.known) unknown_.erase(fan.id);
    it = fans_.erase(it);
  }
  for (auto space = by_space_.begin(); space != by_space_.end();) {
    std::erase_if(space->second, [this](const ConversationId& id) { return !fans_.contains(id); });
    space = space->second.empty() ? by_space_.erase(space) : std::next(space);
  }
}

}  // namespace parley::core
