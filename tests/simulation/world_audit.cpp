// world_audit.cpp: after convergence: what everybody holds, asked in every way there is, against
// the store.
#include <algorithm>
#include <optional>
#include <set>

#include "base/crc32c.hpp"
#include "parley/limits.hpp"
#include "simulation/broken.hpp"
#include "simulation/world.hpp"
#include "store/layout_messages.hpp"

namespace parley::simulation {

using namespace std::chrono_literals;

namespace {}  // namespace

wire::Reply World::ask(Device& device, wire::Operation operation) {
  auto answer = std::make_shared<std::optional<wire::Reply>>();
  auto lost = std::make_shared<bool>(false);
  device.ask(std::move(operation), [answer, lost](const wire::Reply* reply) {
    if (reply == nullptr) {
      *lost = true;
    } else {
      answer->emplace(*reply);
    }
  });
  const Time deadline = scheduler_.now() + 30s;
  while (!*answer && !*lost && step(deadline)) {}
  if (*lost) broken_audit("A", device.subject() + "'s link broke in the calm");
  if (!*answer)
    broken_audit("A", "a question of " + device.subject() + " got no answer within 30 s");
  return **std::move(answer);
}

void World::audit() {
  // Half-open links of the first phase are gone by now, and merged receipts committed.
  run_until(scheduler_.now() + 50s);
  converge();
  const bool later = random_.chance(0.7);
  if (!later) pass_an_hour();
  audit_blocks();
  for (auto& device : devices_) audit_device(*device);
  audit_reactions();
  audit_exports();
  audit_receipts();
  audit_online();
  audit_presence();
  audit_devices();
  if (later) pass_an_hour();
  // A wake-up is that much late when the clock was set back since.
  await("C17", 11min, [this]() -> std::string { return checker_.truth().leftovers(); });
  audit_layout();
  checker_.finish();
}

/// Every device knows whom its user blocks. Then nobody is blocked, so that the other audits may
/// expect everybody to hear of everything.
void World::audit_blocks() {
  for (auto& device : devices_) {
    const auto reply = ask(*device, wire::ListBlocked{});
    const auto* blocked = std::get_if<wire::BlockedUsers>(&reply.answer);
    if (blocked == nullptr) broken_audit("C12", device->subject() + " may not know whom it blocks");
    if (blocked->users != device->blocked())
      broken_audit("C12", device->subject() + " holds other blocks than its user has");
  }
  for (auto& device : devices_) {
    const auto reply = ask(*device, wire::ListBlocked{});
    for (const UserId user : std::get<wire::BlockedUsers>(reply.answer).users)
      ask(*device, wire::BlockUser{user, false});
  }
  run_until(scheduler_.now() + 5s);
}

void World::audit_device(Device& device) {
  for (const auto& [id, view] : device.views()) {
    if (!view.cursor) continue;
    const TrueStream* truth = checker_.truth().stream(id);
    if (truth == nullptr) broken_audit("C4", "a copy of what does not exist");
    const Cursor& cursor = *view.cursor;
    if (cursor.epoch != truth->epoch || cursor.seq > truth->head() ||
        cursor.mark != truth->mark_at(cursor.seq)) {
      broken_audit("C4",
                   device.subject() + "'s cursor of " + short_name(id) + " is not the store's");
    }
    if (view.log.size() != cursor.seq + 1 - view.first) {
      broken_audit("C4", device.subject() + "'s copy of " + short_name(id) + " has a hole");
    }
    for (std::size_t i = 0; i < view.log.size(); ++i) {
      if (view.log[i] == hidden_identity) continue;  // the checker looked whether it may be
      if (view.log[i] != truth->at(view.first + i).identity) {
        broken_audit("C4", device.subject() + "'s copy of " + short_name(id) + " differs at seq " +
                               std::to_string(view.first + i));
      }
    }
  }
  audit_list(device);
  for (const auto& [id, view] : device.views()) {
    if (!view.member) continue;
    audit_history(device, id);
    audit_members(device, id);
    audit_threads(device, id);
  }
}

void World::audit_list(Device& device) {
  // First what the token brings, then everything: both must give the same list.
  for (int round = 0; round == 0 || (round < 3 && !device.unlisted().empty()); ++round) {
    const auto part = ask(device, wire::Sync{device.token(), device.unlisted()});
    if (const auto* list = std::get_if<wire::ListChanged>(&part.answer)) device.take_list(*list);
  }
  const auto reply = ask(device, wire::Sync{});
  const auto* list = std::get_if<wire::ListChanged>(&reply.answer);
  if (list == nullptr || !list->whole)
    broken_audit("C12", "a sync without a token is no whole list");
  audit_requests(device, *list);
  std::set<ConversationId> listed;
  for (const ListEntry& entry : list->entries) {
    const auto& id = entry.conversation;
    listed.insert(id);
    const std::string what = device.subject() + "'s entry of " + short_name(id);
    const auto held = device.views().find(id);
    if (held == device.views().end() || !held->second.member)
      broken_audit("C12", what + " never reached it");
    const TrueStream* truth = checker_.truth().stream(id);
    const auto row = checker_.truth().member(id, device.user());
    if (truth == nullptr || !row || row->role == Role::none)
      broken_audit("C12", what + " is of a stranger");
    if (entry.head.seq != truth->head()) broken_audit("C12", what + " is behind the head");
    if (entry.role != row->role || entry.visible_from != row->visible_from) {
      broken_audit("C12", what + " has another role or beginning than the member row");
    }
    const auto rows = checker_.truth().list_of(device.user());
    const auto set = rows.find(id);
    const bool inherited = set == rows.end() && checker_.truth().space_of(id);
    if (inherited && !entry.pinned && entry.draft.empty()) {
      report_.reached(Sometimes::inherited_listed);
    } else if (set == rows.end() || set->second.pinned != entry.pinned ||
               set->second.has_draft != !entry.draft.empty() ||
               held->second.entry.pinned != entry.pinned ||
               held->second.entry.draft != entry.draft) {
      broken_audit("C12", what + " has other settings than its row, or than reached the device");
    }
    const auto receipt = checker_.truth().receipt(id, device.user());
    if (entry.read < (receipt ? receipt->read : 0))
      broken_audit("C12", what + " has an old receipt");
    const auto own = checker_.truth().own_deletions(id, device.user());
    const auto [least, most] = truth->mentions_after(device.user(), entry.read, *row, own);
    if (entry.mentions < std::min<std::uint64_t>(least, limits::mentions_counted) ||
        entry.mentions > most)
      broken_audit("C12", what + " tells " + std::to_string(entry.mentions) + " mentions of " +
                              std::to_string(least) + " to " + std::to_string(most));
  }
  for (const auto& [id, view] : device.views()) {
    if (view.member && !listed.contains(id)) {
      broken_audit(
          "C12", device.subject() + " still holds " + short_name(id) + ", the whole list does not");
    }
  }
  for (const auto& id : checker_.truth().audit()) {
    const auto row = checker_.truth().member(id, device.user());
    if (row && row->role != Role::none && !listed.contains(id)) {
      broken_audit("C12", device.subject() + " is a member of " + short_name(id) + " and not told");
    }
  }
}

void World::audit_history(Device& device, const ConversationId& id) {
  const TrueStream* truth = checker_.truth().stream(id);
  if (truth->sealed > 0) report_.reached(Sometimes::sealed);
  const auto row = checker_.truth().member(id, device.user());
  const Seq floor = std::max(row->visible_from, truth->floor());
  const Seq head = truth->head();
  const std::string what = device.subject() + " paging " + short_name(id);
  // Now everything is told: a page shows each message after all its changes.
  const auto complete = [&](const wire::HistoryPage& page) {
    for (const Payload& record : page.records) {
      const auto fields = wire::read_record(record.bytes());
      if (fields.kind != EventKind::message) continue;
      const auto changes = truth->changes.find(fields.seq);
      const Seq last = changes == truth->changes.end() ? 0 : changes->second.back().seq;
      if (fields.changed != last && !fields.deleted) {
        broken_audit("C15", what + " shows seq " + std::to_string(fields.seq) + " as of " +
                                std::to_string(fields.changed) + ", it was changed by " +
                                std::to_string(last));
      }
    }
  };
  Seq end = 0;
  Seq reached = head + 1;
  for (bool more = true; more;) {
    const auto reply =
        ask(device,
            wire::History{
                .conversation = id, .from = end, .backward = true, .limit = limits::page_events});
    const auto* page = std::get_if<wire::HistoryPage>(&reply.answer);
    if (page == nullptr) broken_audit("C4", what + " is refused");
    if (page->records.empty()) break;
    complete(*page);
    if (page->first + page->records.size() != reached)
      broken_audit("C4", what + " backward has a hole");
    reached = end = page->first;
    more = page->more;
  }
  if (reached != std::min(floor, head + 1)) {
    broken_audit("C4", what + " backward ends at " + std::to_string(reached) + ", visible from " +
                           std::to_string(floor));
  }
  Seq next = floor;
  for (bool more = floor <= head; more;) {
    const auto reply =
        ask(device,
            wire::History{
                .conversation = id, .from = next, .backward = false, .limit = limits::page_events});
    const auto* page = std::get_if<wire::HistoryPage>(&reply.answer);
    if (page == nullptr || page->records.empty()) broken_audit("C4", what + " forward is refused");
    if (page->first != next) broken_audit("C4", what + " forward has a hole");
    next = page->first + page->records.size();
    more = page->more;
  }
  if (next != std::max(head + 1, floor)) broken_audit("C4", what + " forward ends early");
}

/// What a user is told to have asked for is what the conversations say; every device has it so.
void World::audit_requests(Device& device, const wire::ListChanged& list) {
  if (!list.requests) broken_audit("C12", "a whole list without requests");
  const auto same = [](const OwnRequest& a, const OwnRequest& b) {
    return a.conversation == b.conversation && a.state == b.state;
  };
  if (!std::equal(list.requests->begin(), list.requests->end(), device.requests().begin(),
                  device.requests().end(), same))
    broken_audit("C12", device.subject() + " holds other requests than its whole list");
  for (const OwnRequest& own : *list.requests) {
    const bool asks = checker_.truth().asks(own.conversation, device.user());
    if (asks != (own.state == JoinRequestState::waiting))
      broken_audit("C12", device.subject() + " is told that it asks for " +
                              short_name(own.conversation) + ", or not, against what is stored");
  }
}

void World::audit_members(Device& device, const ConversationId& id) {
  std::map<UserId, Role> told;
  UserId after;
  for (bool more = true; more;) {
    const auto reply = ask(device, wire::Members{.conversation = id, .after = after, .limit = 3});
    const auto* page = std::get_if<wire::MembersPage>(&reply.answer);
    if (page == nullptr) broken_audit("C12", device.subject() + " may not list " + short_name(id));
    for (const Member& member : page->members) {
      if (told.contains(member.user)) broken_audit("C12", "a member is listed twice");
      after = member.user;
      told[member.user] = member.role;
    }
    more = page->more && !page->members.empty();
  }
  checker_.truth().check_invites(id);
  checker_.truth().check_names(id);
  std::map<UserId, Role> truth;
  for (const auto& [user, row] : checker_.truth().members(id)) {
    audit_sight(id, user, row);
    if (row.role == Role::none) continue;
    truth[user] = row.role;
    if (checker_.truth().stream(id)->banned.contains(user))
      broken_audit("C7", "somebody who is banned is a member of " + short_name(id));
  }
  if (told != truth) {
    std::string text = device.subject() + " is told " + std::to_string(told.size()) +
                       " members of " + short_name(id) + ", the store has " +
                       std::to_string(truth.size());
    for (const auto& [user, role] : truth)
      if (const auto one = told.find(user); one == told.end() || one->second != role)
        text += ", " + to_string(user) + " among them";
    broken_audit("C12", text);
  }
  audit_search(device, id, truth);
}

/// Whom the device finds by the beginning of its own name.
void World::audit_search(Device& device, const ConversationId& id,
                         const std::map<UserId, Role>& members) {
  const std::string prefix = device.subject().substr(0, 5);
  std::map<std::string, UserId> expected;
  for (const std::string& subject : rumours_.subjects) {
    const auto user = checker_.user_of(subject);
    if (user && members.contains(*user) && subject.starts_with(prefix)) expected[subject] = *user;
  }
  std::vector<UserId> told, in_order;
  for (const auto& [subject, user] : expected) in_order.push_back(user);
  UserId after;
  for (bool more = true; more;) {
    const auto reply = ask(
        device, wire::Members{.conversation = id, .after = after, .limit = 2, .prefix = prefix});
    const auto* page = std::get_if<wire::MembersPage>(&reply.answer);
    if (page == nullptr)
      broken_audit("C12", device.subject() + " may not search " + short_name(id));
    for (const Member& member : page->members)
      if (is_here(after = member.user)) told.push_back(member.user);
    more = page->more && !page->members.empty();
  }
  if (told != in_order)
    broken_audit("C12", device.subject() + " finds others than the members of " + short_name(id));
}

/// Every thread that the user may see: all replies, and unread as the stream says.
void World::audit_threads(Device& device, const ConversationId& id) {
  const auto row = checker_.truth().member(id, device.user());
  const TrueStream* truth = checker_.truth().stream(id);
  std::set<Seq> roots;
  const auto counts = [&](Seq seq) { return truth->at(seq).audience == audience::everyone; };
  const Seq from = std::max(row->visible_from, truth->floor());
  for (Seq seq = from; seq <= truth->head(); ++seq)
    if (truth->at(seq).thread_root >= from && counts(seq)) roots.insert(truth->at(seq).thread_root);
  const auto own = checker_.truth().own_deletions(id, device.user());
  for (const Seq root : roots) {
    if (own.contains(root)) continue;  // no thread to who does not see its root
    const std::string what =
        device.subject() + "'s thread " + std::to_string(root) + " of " + short_name(id);
    const auto reply =
        ask(device, wire::Thread{.conversation = id, .root = root, .limit = limits::page_replies});
    const auto* page = std::get_if<wire::ThreadPage>(&reply.answer);
    if (page == nullptr) broken_audit("C12", what + " is refused");
    std::vector<Seq> told, known;
    for (const Payload& record : page->records)
      told.push_back(wire::read_record(record.bytes()).seq);
    for (Seq seq = from; seq <= truth->head(); ++seq)
      if (truth->at(seq).thread_root == root && truth->at(seq).kind == EventKind::message &&
          counts(seq) && !own.contains(seq))
        known.push_back(seq);
    if (!page->more && told != known)
      broken_audit("C12", what + " has other replies than the stream");
    const Seq base = std::max(page->thread.read, from - 1);
    if (page->thread.unread != truth->replies_after(root, base, own))
      broken_audit("C12", what + " tells " + std::to_string(page->thread.unread) + " unread of " +
                              std::to_string(truth->replies_after(root, base, own)));
    const auto shown = wire::read_record(page->thread.root.bytes()).thread;
    if (shown.replies != truth->replies_after(root, 0))
      broken_audit("C12", what + " counts " + std::to_string(shown.replies) + " replies");
  }
}

/// What the partitions of reactions hold is what the streams tell.
void World::audit_reactions() {
  for (const auto& id : checker_.truth().audit()) {
    const TrueStream* truth = checker_.truth().stream(id);
    for (Seq seq = truth->floor(); seq <= truth->head(); ++seq) {
      if (truth->at(seq).kind != EventKind::message) continue;
      const TrueMessage message = truth->message_at(seq, truth->head());
      if (message.deleted) continue;
      std::map<std::string, std::uint64_t> stored;
      PollResults counted{.votes = {0, 0, 0}};
      const std::string name = layout::reaction_id(0, id, seq);
      store_.state().look({layout::reaction, name}, [&](Bytes, const auto& rows) {
        for (const auto& [key, value] : rows) {
          if (const auto reactor = layout::parse_reactor(key)) ++stored[std::string(reactor->key)];
          if (key == layout::poll_key()) counted.closed = layout::decode_poll(value)->closed;
          if (!layout::parse_number_key('b', key)) continue;
          ++counted.voters;
          for (std::size_t option = 0; option < counted.votes.size(); ++option)
            counted.votes[option] += layout::decode_ballot(value).value() >> option & 1;
        }
      });
      const std::string what = "seq " + std::to_string(seq) + " of " + short_name(id);
      if (stored != message.reactions)
        broken_audit("C15", what + " has other reactions than its stream tells");
      if (message.poll ? !same_results(message.poll, counted)
                       : counted.voters != 0 || counted.closed)
        broken_audit("C15", what + " has other votes than its stream tells");
    }
  }
}

/// How many have read the last event is what the receipts say.
void World::audit_seen(Device& device) {
  for (const auto& [id, view] : device.views()) {
    if (!view.member || view.cursor->seq == 0) continue;
    const auto reply = ask(device, wire::Seen{id, view.cursor->seq});
    const auto* seen = std::get_if<wire::SeenBy>(&reply.answer);
    const std::uint64_t truth = checker_.truth().seen(id, device.user(), view.cursor->seq);
    if (seen == nullptr || seen->count != truth)
      broken_audit("C6", "the end of " + short_name(id) + " was seen by " + std::to_string(truth) +
                             ", " + device.subject() + " is told otherwise");
  }
}

/// All pages together are the whole list.
void World::audit_pages(Device& device) {
  std::set<ConversationId> told;
  wire::PageList page{.limit = 3};
  for (bool more = true; more;) {
    const auto reply = ask(device, page);
    const auto* list = std::get_if<wire::ListPage>(&reply.answer);
    if (list == nullptr) broken_audit("C12", "a page of the list is refused");
    for (const ListEntry& entry : list->entries) {
      if (!told.insert(entry.conversation).second) broken_audit("C12", "two pages name one entry");
      page.after_activity = entry.last_activity;
      page.after = entry.conversation;
    }
    more = list->more;
    report_.reached(Sometimes::list_paged);
  }
  for (const auto& [id, view] : device.views())
    if (view.member != told.contains(id))
      broken_audit("C12",
                   short_name(id) + " is on the pages of " + device.subject() + " or not, wrongly");
}

/// A device that another one of its user revokes is gone within two seconds, and stays away.
void World::audit_devices() {
  for (auto& device : devices_) {
    if (!device->online()) continue;
    for (auto& other : devices_) {
      if (other == device || !other->online() || other->user() != device->user()) continue;
      const DeviceId id = other->device_id();
      const auto reply = ask(*device, wire::RevokeDevice{id, {}});
      if (!std::holds_alternative<wire::Done>(reply.answer)) broken_audit("C8", "no revocation");
      report_.reached(Sometimes::device_revoked);
      for (const auto wait : {2s, 40s}) {
        run_until(scheduler_.now() + wait);
        if (other->online())
          broken_audit("C8", "a revoked device of " + device->subject() + " is connected");
      }
      const auto list = ask(*device, wire::Devices{});
      for (const auto& each : std::get<wire::DeviceList>(list.answer).devices)
        if (each.id == id) broken_audit("C8", "a revoked device is listed");
      return;
    }
  }
}

/// Everybody reads everything; then every observer must be told, by push and when asking.
void World::audit_receipts() {
  for (auto& device : devices_) {
    wire::SetUser open;
    open.change.hide_reads = false;
    ask(*device, open);
    audit_pages(*device);
  }
  for (auto& device : devices_) {
    for (const auto& [id, view] : device->views()) {
      if (view.member) ask(*device, wire::MarkRead{id, view.cursor->seq, view.cursor->seq});
    }
  }
  run_until(scheduler_.now() + 5s);
  for (auto& device : devices_) {
    for (const auto& [id, view] : device->views()) {
      if (!view.member) continue;
      const auto own = checker_.truth().receipt(id, device->user());
      const Seq read = own ? own->read : 0;
      if (read != view.cursor->seq) {
        broken_audit("C6", device->subject() + " has read " + std::to_string(view.cursor->seq) +
                               " of " + short_name(id) + ", the store says " +
                               std::to_string(read));
      }
      for (const auto& [user, shown] : view.receipts) {
        const auto stored = checker_.truth().receipt(id, user);
        // What moved while its user was blocking is told with the next move only.
        const bool same = stored && (shown.received == stored->received || rumours_.blocked) &&
                          (shown.read == stored->read || rumours_.hidden || rumours_.blocked) &&
                          shown.received <= stored->received && shown.read <= stored->read;
        if (!same) {
          broken_audit("C6", device->subject() + " was last shown read " +
                                 std::to_string(shown.read) + " of user " + to_string(user) +
                                 " in " + short_name(id) + ", the store says " +
                                 std::to_string(stored ? stored->read : 0));
        }
      }
    }
    audit_seen(*device);
    const auto reply = ask(*device, wire::Sync{});
    const auto* list = std::get_if<wire::ListChanged>(&reply.answer);
    if (list == nullptr) broken_audit("C12", "a sync is refused");
    for (const ListEntry& entry : list->entries) {
      if (entry.unread != 0)
        broken_audit("C12", device->subject() + " has read everything and is told of unread");
    }
  }
}

/// Everybody watches every conversation as a whole: the step fits, and the count is exact.
void World::audit_online() {
  for (auto& device : devices_) ask(*device, wire::SetPresence{PresenceState::online});
  for (auto& device : devices_)
    for (const auto& [id, view] : device->views()) ask(*device, wire::WatchConversation{id, false});
  run_until(scheduler_.now() + OnlineTruth::window);
  for (auto& device : devices_) {
    for (const auto& [id, view] : device->views()) {
      if (!view.member) continue;
      std::set<UserId> members, following;
      for (const auto& [user, row] : checker_.truth().members(id))
        if (row.role != Role::none) members.insert(user);
      for (const auto& other : devices_) {
        const auto at = other->views().find(id);
        const bool follows = at != other->views().end() && at->second.member &&
                             at->second.subscribed && at->second.wanted != Level::none;
        if (follows) following.insert(other->user());
      }
      const auto reply = ask(*device, wire::WatchConversation{id});
      const auto* online = std::get_if<Online>(&reply.answer);
      if (online == nullptr)
        broken_audit("C19", device->subject() + " may not watch all of " + short_name(id));
      const PresenceStep least = members.size() > 5   ? PresenceStep::count
                                 : members.size() > 3 ? PresenceStep::window
                                                      : PresenceStep::full;
      const PresenceStep most = members.size() > 3   ? PresenceStep::count
                                : members.size() > 1 ? PresenceStep::window
                                                     : PresenceStep::full;
      if (online->step < least || online->step > most)
        broken_audit("C19",
                     "another step than that of " + std::to_string(members.size()) + " members");
      if (online->step == PresenceStep::full && online->users->size() != members.size())
        broken_audit("C19", device->subject() + " is told of " +
                                std::to_string(online->users->size()) + " of " +
                                std::to_string(members.size()) + " members");
      if (online->step != PresenceStep::full && online->count != following.size())
        broken_audit("C19", device->subject() + " is told that " + std::to_string(online->count) +
                                " are online in " + short_name(id) + ", there are " +
                                std::to_string(following.size()));
      ask(*device, wire::WatchConversation{id, false});
    }
  }
}

/// Everybody watches everybody; some go; within the bound all watchers know.
void World::audit_presence() {
  for (auto& device : devices_) ask(*device, wire::SetPresence{PresenceState::online});
  for (auto& device : devices_) {
    for (const auto& [id, view] : device->views()) {
      if (!view.member || checker_.truth().scattered(id)) continue;
      wire::Watch watch{.conversation = id, .users = {}};
      for (const auto& [user, row] : checker_.truth().members(id)) {
        if (row.role != Role::none && is_here(user)) watch.users.push_back(user);
      }
      const auto reply = ask(*device, watch);
      const auto* state = std::get_if<wire::PresenceChanged>(&reply.answer);
      if (state == nullptr)
        broken_audit("C8", device->subject() + " may not watch " + short_name(id));
      device->take_presence(*state);
      for (const Presence& presence : state->users) {
        if (!presence.online)
          broken_audit("C8", "user " + to_string(presence.user) + " is online, not shown so");
      }
      if (state->users.size() != watch.users.size())
        broken_audit("C8", "a watched user is missing");
    }
  }
  std::set<UserId> gone;
  for (const auto& subject : rumours_.subjects) {
    if (const auto user = checker_.user_of(subject); user && random_.chance(0.4))
      gone.insert(*user);
  }
  std::map<std::size_t, std::set<UserId>> watched;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    for (const auto& [id, view] : devices_[i]->views()) {
      if (!view.member || checker_.truth().scattered(id)) continue;
      for (const auto& [user, row] : checker_.truth().members(id)) {
        if (row.role != Role::none && is_here(user)) watched[i].insert(user);
      }
    }
  }
  for (auto& device : devices_) {
    if (gone.contains(device->user())) device->leave();
  }
  // Clean changes: 2 s, and the grace of 1.5 s in which a reconnect does not flap.
  run_until(scheduler_.now() + 4s);
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (gone.contains(devices_[i]->user())) continue;
    for (const UserId user : watched[i]) {
      const auto shown = devices_[i]->presence().find(user);
      const bool online = shown != devices_[i]->presence().end() && shown->second;
      if (online == gone.contains(user)) {
        broken_audit("C8", devices_[i]->subject() + " sees user " + to_string(user) +
                               (online ? " online, which left" : " offline, which is here"));
      }
    }
  }
}

}  // namespace parley::simulation
