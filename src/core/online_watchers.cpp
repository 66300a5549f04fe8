// online_watchers.cpp: see the header.
#include "core/online_watchers.hpp"

#include <algorithm>
#include <utility>

#include "core/permissions.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {

OnlineWatchers::Watcher* OnlineWatchers::find(const ConversationId& id, SessionRef ref) noexcept {
  const auto known = watched_.find(id);
  if (known == watched_.end()) return nullptr;
  const auto watcher = known->second.watchers.find(ref);
  return watcher == known->second.watchers.end() ? nullptr : &watcher->second;
}

// ---- Sessions come and go ----

bool OnlineWatchers::may_watch_more(const SessionState& session) const {
  const auto watched = std::ranges::count_if(
      session.watched(), [](const auto& each) { return each.whole && !each.user; });
  return static_cast<std::size_t>(watched) < limits::watched_conversations;
}

void OnlineWatchers::request(SessionRef ref, std::uint32_t number,
                             const wire::WatchConversation& asked) {
  const ConversationId& id = asked.conversation;
  SessionState& session = *shard_.sessions.find(ref);
  Watcher* watcher = find(id, ref);
  if (!asked.on) {
    const Online nobody{.conversation = id};
    if (watcher != nullptr) end(id, ref, nobody);
    return shard_.sessions.answer(ref, number, wire::Answer(nobody));
  }
  if (watcher != nullptr) {
    watcher->requests.push_back(number);
    if (watcher->granted) serve(id, ref, *watcher);
    return;
  }
  if (!may_watch_more(session)) {
    const Error full{Errc::limit_reached, "conversation: 10 others are watched; end one first"};
    return shard_.sessions.answer(ref, number, wire::Failed{full});
  }
  session.make_interests().watched.push_back({id, {}, true});
  watched_[id].watchers[ref] = {.number = ++last_, .requests = {number}};
  const Caller caller{session.user, session.device};
  shard_.at(shard_.shard_of(id),
            [id, ref, caller](ShardState& there) { there.online_homes.watch(id, ref, caller); });
}

OnlineWatchers::Watcher OnlineWatchers::take_out(const ConversationId& id, SessionRef ref) {
  const auto known = watched_.find(id);
  auto& watchers = known->second.watchers;
  Watcher watcher = std::move(watchers.extract(ref).mapped());
  if (watchers.empty()) watched_.erase(known);
  if (watcher.granted) {  // else when the grant comes
    shard_.at(shard_.shard_of(id), [id, here = shard_.index](ShardState& there) {
      there.online_homes.release(id, here);
    });
  }
  return watcher;
}

void OnlineWatchers::end(const ConversationId& id, SessionRef ref, const wire::Answer& answer) {
  const Watcher watcher = take_out(id, ref);
  shard_.sessions.unwatch(
      ref, [&id](const auto& each) { return each.whole && each.conversation == id; });
  for (const std::uint32_t request : watcher.requests)
    shard_.sessions.answer(ref, request, wire::Answer(answer));
}

void OnlineWatchers::unwatch(SessionRef ref, const ConversationId& id, const Error& why) {
  if (find(id, ref) != nullptr) end(id, ref, wire::Failed{why});
}

void OnlineWatchers::session_closed(SessionRef ref, const ConversationId& id) {
  if (find(id, ref) != nullptr) static_cast<void>(take_out(id, ref));
}

template <class Which>
void OnlineWatchers::end_all(const ConversationId& id, Which which) {
  const auto known = watched_.find(id);
  if (known == watched_.end()) return;
  std::vector<SessionRef> gone;
  for (const auto& [ref, watcher] : known->second.watchers)
    if (watcher.granted && which(ref)) gone.push_back(ref);
  for (const SessionRef ref : gone) end(id, ref, wire::Failed{denied()});
}

void OnlineWatchers::left(const ConversationId& id, UserId user) {
  end_all(id, [&](SessionRef ref) { return shard_.sessions.find(ref)->user == user; });
}

void OnlineWatchers::ended(const ConversationId& id) {
  end_all(id, [](SessionRef) { return true; });
}

void OnlineWatchers::check(const ConversationId& id) {
  const auto known = watched_.find(id);
  if (known == watched_.end()) return;
  for (const auto& [ref, watcher] : known->second.watchers) {
    if (!watcher.granted) continue;
    const Caller caller{shard_.sessions.find(ref)->user, {}};
    shard_.at_home(id, [id, ref = ref, caller](ShardState& there, Conversation& home) {
      home.count_members(caller, [&there, id, ref](const Result<std::uint64_t>& members) {
        if (members || members.error().errc() != Errc::denied) return;
        there.at(ref.shard,
                 [id, ref](ShardState& here) { here.online.unwatch(ref, id, denied()); });
      });
    });
  }
}

// ---- What they are told ----

void OnlineWatchers::granted(const ConversationId& id, SessionRef ref, const OnlineNewsPtr& news) {
  Watcher* watcher = find(id, ref);
  if (watcher == nullptr || watcher->granted) {  // it went, or has gone and come again
    shard_.at(shard_.shard_of(id), [id, here = shard_.index](ShardState& there) {
      there.online_homes.release(id, here);
    });
    return;
  }
  watcher->granted = true;
  take(id, news);
  serve(id, ref, *watcher);
}

void OnlineWatchers::told(const ConversationId& id, const OnlineNewsPtr& news) {
  if (!watched_.contains(id)) return;
  take(id, news);
  for (auto& [ref, watcher] : watched_.at(id).watchers)
    if (watcher.granted) serve(id, ref, watcher);
}

void OnlineWatchers::take(const ConversationId& id, const OnlineNewsPtr& news) {
  Watched& watched = watched_.at(id);
  if (watched.news && watched.news->revision >= news->revision) return;
  watched.news = news;
  watched.frame.reset();
}

/// Brings one watcher up to the news. One question to the users' homes at a time, so that what is
/// told is in order.
void OnlineWatchers::serve(const ConversationId& id, SessionRef ref, Watcher& watcher) {
  Watched& watched = watched_.at(id);
  const OnlineNewsPtr news = watched.news;
  SessionState& session = *shard_.sessions.find(ref);
  if (watcher.asking || (watcher.revision == news->revision && watcher.requests.empty())) return;
  std::vector<UserId> wanted = news->users;
  if (news->step == PresenceStep::count) std::erase(wanted, session.user);
  std::vector<UserId> fresh = wanted;
  bool gone = false;
  for (const auto& each : session.watched()) {
    if (!each.whole || each.conversation != id || !each.user) continue;
    if (std::erase(fresh, each.user) == 0) gone = true;
  }
  shard_.sessions.unwatch(ref, [&](const auto& each) {
    return each.whole && each.conversation == id && each.user &&
           !std::binary_search(wanted.begin(), wanted.end(), each.user);
  });
  const bool another = news->step == PresenceStep::count && (gone || !fresh.empty());
  const bool whole = !watcher.requests.empty() || news->step != watcher.step || another;
  if (!whole && fresh.empty()) return tell_count(watched, id, ref, watcher);
  const auto& asked = whole ? wanted : fresh;
  if (asked.empty()) return show(id, ref, watcher.number, news, whole, {});
  watcher.asking = true;
  shard_.sessions.watch_each(
      ref, id, asked, true,
      [this, id, ref, number = watcher.number, news, whole](std::vector<Presence> found) {
        show(id, ref, number, news, whole, std::move(found));
      });
}

void OnlineWatchers::tell_count(Watched& watched, const ConversationId& id, SessionRef ref,
                                Watcher& watcher) {
  watcher.revision = watched.news->revision;
  if (watched.news->step == PresenceStep::full) return;  // somebody left: the stream says so
  SessionState& session = *shard_.sessions.find(ref);
  if (session.outlet->backlog() > shard_.world.queue_limit() / 2) return;  // shed first
  if (!watched.frame)
    watched.frame = make_frame(0, Online{id, watched.news->step, watched.news->count, {}});
  session.outlet->push(watched.frame);
}

void OnlineWatchers::show(const ConversationId& id, SessionRef ref, std::uint64_t number,
                          const OnlineNewsPtr& news, bool whole, std::vector<Presence> found) {
  Watcher* watcher = find(id, ref);
  if (watcher == nullptr || watcher->number != number) return;
  watcher->asking = false;
  const Watched& watched = watched_.at(id);
  if (watched.news->step != news->step) return serve(id, ref, *watcher);  // it is out of date
  watcher->revision = news->revision;
  watcher->step = news->step;
  SessionState& session = *shard_.sessions.find(ref);
  if (!whole) {
    session.outlet->push(make_frame(0, wire::PresenceChanged{std::move(found)}));
    return serve(id, ref, *watcher);
  }
  std::sort(found.begin(), found.end(),
            [](const Presence& a, const Presence& b) { return a.user < b.user; });
  if (news->step == PresenceStep::count) {
    std::erase_if(found, [](const Presence& each) { return !each.online; });
    if (found.size() > limits::online_sample) found.resize(limits::online_sample);
  }
  const Online online{id, news->step, watched.news->count, std::move(found)};
  const auto requests = std::exchange(watcher->requests, {});
  if (requests.empty()) session.outlet->push(make_frame(0, Online(online)));
  for (const std::uint32_t request : requests)
    shard_.sessions.answer(ref, request, wire::Answer(online));
  serve(id, ref, *watcher);
}

// ---- Who follows here ----

void OnlineWatchers::count(const ConversationId& id, std::uint64_t round) {
  Fan* fan = shard_.fans.find(id);
  if (fan != nullptr) fan->counted = round != 0;
  counting_.erase(id);
  if (round == 0) return;
  Counting& counting = counting_[id];
  counting.round = round;
  if (fan != nullptr) {
    for (const Subscription& sub : fan->subscriptions)
      if (sub.admitted && shard_.sessions.shows_user(sub.session)) counting.here.came(sub.user);
  }
  report(id, round, counting.here.take_changes());
}

void OnlineWatchers::note(const ConversationId& id, UserId user, bool here) {
  Counting& counting = counting_.at(id);
  here ? counting.here.came(user) : counting.here.went(user);
  if (std::exchange(report_due_, true)) return;
  shard_.world.start_timer(limits::online_gather, [this] { report_changes(); });
}

/// Of all conversations at once: a session that closes was in many.
void OnlineWatchers::report_changes() {
  report_due_ = false;
  for (auto& [id, counting] : counting_) {
    OnlineHere::Change change = counting.here.take_changes();
    if (!change.empty()) report(id, counting.round, std::move(change));
  }
}

void OnlineWatchers::report(const ConversationId& id, std::uint64_t round,
                            OnlineHere::Change change) {
  shard_.at(shard_.shard_of(id),
            [id, here = shard_.index, round, change = std::move(change)](ShardState& there) {
              there.online_homes.report(id, here, round, change);
            });
}

// ---- The sessions' part ----

void Sessions::unwatch(SessionRef ref,
                       const std::function<bool(const SessionState::Watched&)>& which) {
  SessionState* session = find(ref);
  if (session == nullptr || !session->interests) return;
  std::vector<UserId> gone;
  std::erase_if(session->interests->watched, [&](const SessionState::Watched& watched) {
    if (!which(watched)) return false;
    if (watched.user) gone.push_back(watched.user);
    return true;
  });
  for (const UserId user : gone) {
    const bool still = std::ranges::any_of(
        session->watched(), [&](const auto& watched) { return watched.user == user; });
    if (still) continue;
    shard_.at_user(user, [ref](ShardState&, UserHome& home) { home.unwatch(ref); });
  }
}

void Sessions::unwatch_named(SessionRef ref, const ConversationId& conversation) {
  unwatch(ref, [&](const SessionState::Watched& watched) {
    return !watched.whole && watched.conversation == conversation;
  });
}

void Sessions::watch_each(SessionRef ref, const ConversationId& conversation,
                          const std::vector<UserId>& users, bool whole,
                          std::function<void(std::vector<Presence>)> then) {
  struct Gather {
    std::vector<Presence> found;
    std::size_t open = 0;
    std::function<void(std::vector<Presence>)> then;
  };
  auto gather = std::make_shared<Gather>();
  gather->open = users.size();
  gather->then = std::move(then);
  SessionState& session = *find(ref);
  for (const UserId user : users) {
    const auto same = [&](const SessionState::Watched& each) {
      return each.whole && each.user == user && each.conversation == conversation;
    };
    if (!whole || std::ranges::none_of(session.watched(), same))
      session.make_interests().watched.push_back({conversation, user, whole});
    shard_.at_user(user, [ref, watcher = session.user, gather](ShardState& there, UserHome& home) {
      home.watch(ref, watcher, [&there, ref, gather](const Presence& presence) {
        there.at(ref.shard, [gather, presence](ShardState&) {
          gather->found.push_back(presence);
          if (--gather->open == 0) gather->then(std::move(gather->found));
        });
      });
    });
  }
}

void Sessions::user_shown(SessionRef ref, bool shown) {
  SessionState* session = find(ref);
  if (session == nullptr || std::exchange(session->shows_user, shown) == shown) return;
  for (const SessionState::Follow& follow : session->follows) {
    const Fan& fan = *follow.fan;
    if (fan.counted && fan.subscriptions[follow.index].admitted)
      shard_.online.note(fan.id, session->user, shown);
  }
}

bool Sessions::shows_user(std::uint32_t slot) noexcept {
  const SessionState* session = sessions_.at(slot);
  return session != nullptr && session->shows_user;
}

}  // namespace parley::core
