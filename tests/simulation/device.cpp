// device.cpp: the session of a device: connecting, the outbox, streams, the list.
#include "simulation/device.hpp"

#include <algorithm>

#include "parley/limits.hpp"

namespace parley::simulation {

using namespace std::chrono_literals;

Device::Device(Place place, Random random, std::uint32_t index, std::string subject)
    : place_(place),
      random_(random),
      index_(index),
      subject_(std::move(subject)),
      name_("device" + std::to_string(index)) {
  pace_ = random_.between(30ms, 600ms);
}

void Device::start() {
  connect();
  tick();
}

void Device::calm() {
  calm_ = true;
  for (auto& [id, view] : kept_.views) {
    if (view.wanted != Level::full) view.subscribed = false;
    view.wanted = Level::full;
  }
}

void Device::leave() {
  away_ = true;
  if (link_ != 0) place_.network.hang_up(link_);
  drop_link();
}

// ---- The link ----

void Device::connect() {
  if (away_ || retired_ || link_ != 0) return;
  link_ = place_.network.connect(*this, hosted() ? subject_ : "");
}

void Device::connected(LinkId link) {
  if (link != link_) return;
  wire::Hello hello{.token = subject_,
                    .ticket = random_.chance(0.5) ? ticket_ : "",
                    .device = name_,
                    .sync_token = random_.chance(0.1) ? "" : kept_.token};
  const bool whole = hello.sync_token.empty();
  ask(std::move(hello), [this, whole](const wire::Reply* reply) {
    if (reply == nullptr) return;
    const auto* welcome = std::get_if<wire::Welcome>(&reply->answer);
    if (welcome == nullptr) {
      place_.network.hang_up(link_);
      return disconnected(link_);
    }
    if (whole && !welcome->list.whole) throw Broken("C12 everything was asked, a part came");
    if (!welcome->list.whole) place_.report.reached(Sometimes::list_incremental);
    online_ = true;
    attempts_ = 0;
    kept_.user = welcome->user;
    device_id_ = welcome->device;
    ticket_ = welcome->ticket;
    take_list(welcome->list);
    upkeep();
  });
}

void Device::drop_link() {
  link_ = 0;
  online_ = false;
  presence_.clear();
  for (auto& [id, view] : kept_.views) {
    view.subscribed = view.subscribing = view.behind = false;
    view.receipts.clear();
  }
  for (auto& [id, outbox] : kept_.outboxes) {
    for (Item& item : outbox.items) item.request = 0;
  }
  for (auto& [number, then] : std::exchange(open_, {})) then(nullptr);
}

void Device::disconnected(LinkId link) {
  if (link != link_) return;
  drop_link();
  if (away_) return;
  const Time most = std::min<Time>(30s, 500ms * (1 << std::min(attempts_++, 6U)));
  place_.scheduler.after(random_.between(0ms, calm_ ? std::min<Time>(most, 2s) : most),
                         [this] { connect(); });
}

void Device::received(LinkId link, const wire::Reply& reply) {
  if (link != link_) return;
  if (reply.request != 0) {
    const auto at = open_.find(reply.request);
    if (at == open_.end()) throw Broken("A an answer to nothing reached " + name_);
    const Then then = std::move(at->second);
    open_.erase(at);
    return then(&reply);
  }
  if (const auto* events = std::get_if<wire::Events>(&reply.answer)) apply(*events);
  if (const auto* list = std::get_if<wire::ListChanged>(&reply.answer)) take_list(*list);
  if (const auto* presence = std::get_if<wire::PresenceChanged>(&reply.answer)) {
    take_presence(*presence);
  }
  if (const auto* online = std::get_if<Online>(&reply.answer); online && online->users)
    take_presence({*online->users});
  if (const auto* moved = std::get_if<wire::HeadMoved>(&reply.answer)) {
    View& view = kept_.views[moved->conversation];
    if (view.wanted != Level::full) passed_over(moved->conversation, moved->head);
    if (!view.cursor || moved->head.seq > view.cursor->seq) view.behind = true;
  }
  if (const auto* moved = std::get_if<wire::ReceiptsMoved>(&reply.answer)) {
    for (const Receipt& receipt : moved->receipts) {
      Receipt& known = kept_.views[moved->conversation].receipts[receipt.user];
      known = {receipt.user, receipt.received, std::max(known.read, receipt.read)};
    }
  }
  if (std::holds_alternative<wire::Signalled>(reply.answer)) {
    place_.report.reached(Sometimes::signal_passed);
  }
}

void Device::ask(wire::Operation operation, Then then) {
  if (++last_request_ == 0) ++last_request_;
  open_.emplace(last_request_, std::move(then));
  place_.network.send(link_, wire::Request{last_request_, std::move(operation)});
}

void Device::take_presence(const wire::PresenceChanged& changed) {
  for (const Presence& user : changed.users) {
    presence_[user.user] = user.online;
    place_.report.reached(user.online ? Sometimes::presence_online : Sometimes::presence_offline);
  }
}

void Device::take_list(const wire::ListChanged& changed) {
  if (changed.whole) {
    for (auto& [id, view] : kept_.views) view.member = false;
  }
  for (const ListEntry& entry : changed.entries) {
    View& view = kept_.views[entry.conversation];
    view.member = true;
    view.entry = entry;
    place_.rumours.all.push_back(entry.conversation);
  }
  for (const ListEntry& entry : changed.entries)
    if (entry.kind == ConversationKind::space) keep_children(entry);
  for (const auto& id : changed.removed) {
    View& view = kept_.views[id];
    view.member = view.subscribed = false;
    ListEntry gone;
    gone.conversation = id;
    if (view.entry.kind == ConversationKind::space) keep_children(gone);
  }
  for (const ListEntry& entry : changed.entries) kept_.unlisted.erase(entry.conversation);
  for (const auto& id : changed.removed) kept_.unlisted.erase(id);
  for (const ListEntry& entry : changed.entries)
    for (const ConversationId& child : entry.children)
      if (!kept_.views[child].member) kept_.unlisted.insert(child);
  if (changed.blocked) kept_.blocked = *changed.blocked;
  if (changed.requests) kept_.requests = *changed.requests;
  kept_.token = changed.token;
}

/// Its channels that are in the list, and no others.
void Device::keep_children(const ListEntry& space) {
  for (auto& [id, view] : kept_.views) {
    if (view.entry.space != space.conversation || !view.member) continue;
    if (std::find(space.children.begin(), space.children.end(), id) != space.children.end())
      continue;
    view.member = view.subscribed = false;
  }
}

/// Events of a space that are not read here may say of other channels.
void Device::passed_over(const ConversationId& id, const Cursor& head) {
  const View& view = kept_.views[id];
  const bool space = view.member && view.entry.kind == ConversationKind::space;
  if (space && head.seq > view.entry.head.seq) kept_.unlisted.insert(id);
}

void Device::sync() {
  syncing_ = true;
  ask(wire::Sync{kept_.token, unlisted()}, [this](const wire::Reply* reply) {
    syncing_ = false;
    if (reply == nullptr) return;
    if (const auto* list = std::get_if<wire::ListChanged>(&reply->answer)) take_list(*list);
  });
}

// ---- Streams ----

void Device::subscribe(const std::vector<ConversationId>& ids) {
  wire::Subscribe subscribe;
  for (const auto& id : ids) {
    View& view = kept_.views[id];
    view.subscribing = true;
    view.behind = false;
    subscribe.items.push_back({.conversation = id, .level = view.wanted, .cursor = view.cursor});
  }
  ask(subscribe, [this, subscribe](const wire::Reply* reply) {
    if (reply == nullptr) return;
    if (const auto* answer = std::get_if<wire::Subscribed>(&reply->answer)) {
      return subscribed(subscribe, *answer);
    }
    for (const auto& item : subscribe.items) {
      kept_.views[item.conversation].subscribing = kept_.views[item.conversation].subscribed =
          false;
    }
  });
}

void Device::subscribed(const wire::Subscribe& asked, const wire::Subscribed& answer) {
  for (std::size_t i = 0; i < answer.answers.size(); ++i) {
    const ResumeAnswer& resume = answer.answers[i];
    View& view = kept_.views[resume.conversation];
    view.subscribing = false;
    view.subscribed = asked.items[i].level == view.wanted;
    view.receipts.clear();  // what moved meanwhile was not pushed; a page of members tells
    const bool skips = resume.answer != Resume::caught_up && resume.answer != Resume::range;
    if (skips || asked.items[i].level != Level::full) passed_over(resume.conversation, resume.head);
    const auto start_at = [&](const Cursor& cursor) {
      view.cursor = cursor;
      view.first = cursor.seq + 1;
      view.log.clear();
    };
    switch (resume.answer) {
      case Resume::caught_up:
        break;
      case Resume::range:
        // At `heads` the events must be fetched.
        if (asked.items[i].level != Level::full) view.behind = true;
        break;
      case Resume::trimmed:
        start_at({resume.head.epoch, resume.floor - 1, resume.floor_mark});
        break;
      case Resume::snapshot:
        start_at(resume.head);
        break;
      case Resume::forked:
      case Resume::ahead:
        throw Broken("C11 an honest cursor of " + name_ + " was called forked or ahead");
      case Resume::not_member:
        // The list may know of a return that the conversation is still waiting to be told of.
        if (view.member) {
          ask(wire::Sync{}, [this](const wire::Reply* reply) {
            if (reply == nullptr) return;
            if (const auto* list = std::get_if<wire::ListChanged>(&reply->answer)) take_list(*list);
          });
        }
        view.member = view.subscribed = false;
        break;
      case Resume::denied:
        view.member = view.subscribed = false;
        break;
    }
  }
}

void Device::apply(const wire::Events& events) {
  View& view = kept_.views[events.conversation];
  if (!view.cursor) return;
  Cursor& cursor = *view.cursor;
  const Seq last = events.first + events.records.size() - 1;
  if (last <= cursor.seq) return;
  if (events.epoch != cursor.epoch || events.first > cursor.seq + 1) {
    // A leftover of an earlier subscription, or a loss: the store decides.
    view.behind = true;
    return;
  }
  for (Seq seq = cursor.seq + 1; seq <= last; ++seq) {
    const Bytes record = events.records[seq - events.first].bytes();
    const auto fields = wire::verify_record(record);
    if (!fields) throw Broken("C4 " + name_ + " was sent a record that is none");
    view.log.push_back(fields->kind == EventKind::hidden ? hidden_identity : identity_of(*fields));
    if (fields->kind == EventKind::message) {
      (fields->sender == kept_.user ? view.mine : view.others).push_back(seq);
      if (fields->poll) view.polls.push_back(seq);
      if (view.polls.size() > 10) view.polls.erase(view.polls.begin());
      if (view.mine.size() > 20) view.mine.erase(view.mine.begin());
      if (view.others.size() > 20) view.others.erase(view.others.begin());
    }
    // Only those who may answer are told.
    if (fields->kind == EventKind::join_requested && !calm_ && random_.chance(0.5))
      answer_requests(events.conversation);
    if (fields->kind == EventKind::child_opened || fields->kind == EventKind::child_closed) {
      place_.report.reached(Sometimes::child_told);
      kept_.unlisted.insert(fields->conversation);
    }
    const bool gone = fields->kind == EventKind::removed || fields->kind == EventKind::left;
    if (gone && fields->target == kept_.user) {
      // The list tells the end; in a page of history this may be an earlier life's.
      place_.report.reached(Sometimes::removed_while_subscribed);
    }
  }
  cursor = {events.epoch, last, events.mark};
}

// ---- Upkeep ----

void Device::tick() {
  if (away_) return;
  place_.scheduler.after(calm_ ? random_.between(50ms, 200ms) : random_.between(1ms, 2 * pace_),
                         [this] { tick(); });
  if (!online_) return;
  upkeep();
  if (calm_) return;
  if (random_.chance(place_.faults.device_crashes)) return crash(false);
  if (random_.chance(place_.faults.device_restores)) return crash(true);
  if (random_.chance(0.005)) backup_ = kept_;
  if (!room()) return;
  if (random_.chance(place_.faults.hostile)) {
    act_hostile();
  } else {
    act();
  }
}

void Device::upkeep() {
  for (auto& [id, outbox] : kept_.outboxes) {
    for (Item& item : outbox.items) {
      if (item.request == 0 && item.not_before <= place_.scheduler.now() && room()) {
        transmit(id, item, false);
      } else if (item.request != 0 && !calm_ && random_.chance(place_.faults.repeats) && room()) {
        transmit(id, item, true);
      }
    }
  }
  std::vector<ConversationId> missing;
  for (auto& [id, view] : kept_.views) {
    const bool wants = view.member && view.wanted != Level::none;
    if (!wants || view.subscribing || (view.subscribed && !view.behind)) continue;
    if (view.subscribed && view.behind && view.wanted == Level::heads && !random_.chance(0.1))
      continue;
    missing.push_back(id);
    if (missing.size() == 20) break;
  }
  if (!missing.empty() && room()) subscribe(missing);
  if (!kept_.unlisted.empty() && !syncing_ && room()) sync();
}

/// Forgets what was not stored: the link and everything under way. Restored: what was stored since
/// the backup as well.
void Device::crash(bool restore) {
  place_.report.trace(place_.scheduler.now(), name_ + (restore ? " is restored" : " crashes"));
  if (link_ != 0) place_.network.hang_up(link_);
  drop_link();
  if (restore && backup_) {
    place_.report.reached(Sometimes::client_restored);
    // Messages that only the lost life knew are nobody's any more.
    kept_ = *backup_;
    ++life_;
    for (auto& [id, outbox] : kept_.outboxes) {
      for (Item& item : outbox.items) item.request = 0;
    }
    for (auto& [id, view] : kept_.views) view.subscribed = view.subscribing = view.behind = false;
  } else {
    place_.report.reached(Sometimes::client_crashed);
  }
  place_.scheduler.after(random_.between(0ms, 3s), [this] { connect(); });
}

std::size_t Device::unsent() const {
  std::size_t count = 0;
  if (away_) return count;
  for (const auto& [id, outbox] : kept_.outboxes) count += outbox.items.size();
  return count;
}

bool Device::settled() const { return unsettled().empty(); }

std::string Device::unsettled() const {
  if (away_) return "";
  if (!online_) return name_ + " is offline";
  if (!open_.empty()) return name_ + " waits for " + std::to_string(open_.size()) + " answers";
  for (const auto& [id, outbox] : kept_.outboxes) {
    if (!outbox.items.empty()) {
      return name_ + " has unsent messages for " + short_name(id);
    }
  }
  for (const auto& [id, view] : kept_.views) {
    if (!view.member) continue;
    if (!view.subscribed || view.behind) return name_ + " does not follow " + short_name(id);
    const TrueStream* truth = place_.checker.truth().stream(id);
    if (truth == nullptr || !view.cursor || view.cursor->seq != truth->head()) {
      return name_ + " is at " + std::to_string(view.cursor ? view.cursor->seq : 0) + " of " +
             std::to_string(truth == nullptr ? 0 : truth->head()) + " in " + short_name(id);
    }
  }
  return "";
}

std::optional<ConversationId> Device::some_conversation() {
  std::vector<ConversationId> mine;
  for (const auto& [id, view] : kept_.views) {
    if (view.member) mine.push_back(id);
  }
  if (mine.empty()) return std::nullopt;
  return random_.pick(mine);
}

}  // namespace parley::simulation
