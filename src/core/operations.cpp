#include "core/operations.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <unordered_set>
#include <utility>

#include "base/siphash.hpp"
#include "base/utf8.hpp"
#include "core/permissions.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {
namespace {

using namespace std::chrono_literals;

std::string bytes_of(std::string_view label, UserId a, UserId b, std::string_view rest = {}) {
  std::string bytes(label);
  for (const UserId id : {a, b}) {
    char raw[8];
    std::memcpy(raw, &id.value, sizeof raw);
    bytes.append(raw, sizeof raw);
  }
  return bytes.append(rest);
}

}  // namespace

std::uint64_t unread_from(std::uint64_t read, std::uint64_t joined, std::uint64_t floor) noexcept {
  return std::max({read, joined, floor});
}
std::uint64_t unread_of(std::uint64_t head, std::uint64_t from, std::uint64_t deleted) noexcept {
  return head > from + deleted ? head - from - deleted : 0;
}

DeviceId device_id(const std::array<std::uint8_t, 16>& key, UserId user, std::string_view device) {
  return DeviceId{base::siphash64(key, bytes_of("device", user, {}, device)) | 1};
}

ConversationId direct_id(const std::array<std::uint8_t, 16>& key, layout::Namespace ns, UserId a,
                         UserId b) {
  if (b < a) std::swap(a, b);
  return ConversationId{base::siphash128(key, bytes_of("direct", a, b, std::to_string(ns)))};
}

ListEntry entry_of(const ConversationId& id, const Access& access) {
  ListEntry entry;
  entry.conversation = id;
  entry.kind = access.kind;
  entry.title = access.title;
  entry.avatar = access.avatar;
  entry.archived_for_all = access.archived;
  entry.peer = access.peer;
  entry.space = access.space;
  entry.role = access.role;
  entry.visible_from = access.visible_from;
  entry.head = access.head;
  entry.head_ordinal = access.head_ordinal;
  entry.received = access.receipt.received;
  entry.read = access.receipt.read;
  entry.unread = unread_of(
      access.head_ordinal,
      unread_from(access.receipt.read_ordinal, access.visible_ordinal, access.floor_ordinal),
      access.deleted);
  entry.mentions = access.mentions;
  entry.last_activity = wall_time(access.shown_ms);
  return entry;
}

Then<Access> opening(ShardState& shard, SessionRef session, std::uint32_t request, UserId user,
                     const ConversationId& id) {
  return [=, &shard](Result<Access> access) {
    if (!access) return shard.fail(session, request, std::move(access).error());
    ListEntry entry = entry_of(id, *access);
    if (!user) return shard.answer(session, request, wire::Opened{std::move(entry)});  // the host
    shard.at_user(user, [=, entry = std::move(entry)](ShardState& there, UserHome& home) mutable {
      home.with_settings(std::move(entry), there.answering<ListEntry>(
                                               session, request, [](ListEntry own) -> wire::Answer {
                                                 return wire::Opened{std::move(own)};
                                               }));
    });
  };
}

void Operations::run(wire::Operation&& operation) {
  std::visit([this](auto&& op) { (*this)(std::move(op)); }, std::move(operation));
}

bool Operations::fail(Errc code, const char* text) {
  sessions.answer(ref, number, wire::Failed{Error(code, text)});
  return false;
}
bool Operations::too_long_body() {
  const std::string most = std::to_string(shard.config.conversation.max_body);
  const std::string text = "body: expected at most " + most + " bytes (EngineOptions::max_body)";
  return fail(Errc::too_large, text.c_str());
}
bool Operations::known(const ConversationId& id) {
  return id ? true : fail(Errc::invalid_argument, "conversation: expected an id, got none");
}
bool Operations::has_user() {
  return session.user ? true : fail(Errc::denied, "only a user's session can do this");
}

void Operations::operator()(wire::Hello&&) { fail(Errc::protocol_error, "hello comes once"); }

void Operations::operator()(wire::Send&& send) {
  if (!known(send.conversation)) return;
  if (send.body.size() > shard.config.conversation.max_body) {
    return void(too_long_body());
  }
  if (send.content_type.size() > limits::content_type) {
    return void(fail(Errc::too_large, "content_type: longer than 128 bytes"));
  }
  if (send.key.size() > limits::host_key) {
    return void(fail(Errc::too_large, "key: longer than 128 bytes"));
  }
  const ConversationId id = send.conversation;
  auto kept = std::make_unique<wire::Send>(std::move(send));  // its way has many steps
  shard.at_home(id, [ref = ref, number = number, who = caller(), kept = std::move(kept)](
                        ShardState& there, Conversation& home) {
    home.send(who, std::move(*kept), there.answering<Ack>(ref, number, [](Ack ack) -> wire::Answer {
      return wire::Acked{ack};
    }));
  });
}

void Operations::operator()(wire::Create&& create) {
  if (create.space && create.kind != ConversationKind::channel)
    return void(fail(Errc::invalid_argument, "space: only a channel belongs to one"));
  if (create.kind != ConversationKind::group && !scattered(create.kind)) {
    return void(fail(Errc::invalid_argument, "kind: expected group, channel or space"));
  }
  if (create.title.size() > limits::title) {
    return void(fail(Errc::too_large, "title: longer than 512 bytes"));
  }
  if (!base::valid_utf8(create.title)) {
    return void(fail(Errc::invalid_argument, "title: expected UTF-8"));
  }
  if (create.members.size() > limits::add_at_once) {
    return void(fail(Errc::limit_reached, "members: more than 100 at once"));
  }
  ConversationId id;
  if (create.nonce) {
    id.bytes = base::siphash128(shard.config.key,
                                bytes_of("create", session.user, {}, create.nonce.view()));
  } else {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::uint64_t word = shard.world.random();
      std::memcpy(id.bytes.data() + 8 * i, &word, 8);
    }
  }
  std::vector<std::string> members = std::move(create.members);
  shard.names.resolve(
      std::move(members), true,
      [&shard = shard, ref = ref, number = number, id, who = caller(),
       creation = Creation{create.kind, std::move(create.title), {}, create.join, {create.space}}](
          Result<std::vector<UserId>> users) mutable {
        if (!users) return shard.fail(ref, number, std::move(users).error());
        make_unique(*users);
        std::erase(*users, who.user);
        shard.without_blockers(
            who.user, std::move(*users),
            [&shard, ref, number, id, who,
             creation = std::move(creation)](Result<std::vector<UserId>> members) mutable {
              if (!members) return shard.fail(ref, number, std::move(members).error());
              creation.members = std::move(*members);
              const ConversationId space = creation.child.space;
              shard.at_home(space ? space : id, [=, creation = std::move(creation)](
                                                    ShardState& there, Conversation& home) mutable {
                const Then<Access> opened = opening(there, ref, number, who.user, id);
                if (space) return home.create_child(who, id, std::move(creation), opened);
                home.create(who, std::move(creation), opened);
              });
            });
      });
}

void Operations::operator()(wire::Direct&& direct) {
  const bool host = caller().system();
  std::vector<std::string> subjects{std::move(direct.peer)};
  if (host) subjects.push_back(std::move(direct.first));
  shard.names.resolve(
      std::move(subjects), true,
      [&shard = shard, ref = ref, number = number, host,
       own = session.user](Result<std::vector<UserId>> users) {
        if (!users) return shard.fail(ref, number, std::move(users).error());
        const UserId first = host ? (*users)[1] : own;
        const UserId second = (*users)[0];
        if (first == second) {
          return shard.fail(ref, number,
                            Error(Errc::invalid_argument, "peer: expected another user"));
        }
        const ConversationId id = direct_id(shard.config.key, shard.config.ns, first, second);
        shard.at_home(id, [=](ShardState& there, Conversation& home) {
          auto opened = [=, &there,
                         then = opening(there, ref, number, own, id)](Result<Access> access) {
            // The peer may have made it while it was not to be heard of.
            if (access && access->ignores) there.list_again(id, own, [] {});
            then(std::move(access));
          };
          home.create_direct(first, second, own, opened);
        });
      });
}

void Operations::operator()(wire::Subscribe&& subscribe) {
  if (!has_user()) return;
  if (subscribe.items.empty() || subscribe.items.size() > limits::subscribe_at_once) {
    return void(fail(Errc::invalid_argument, "items: expected 1 to 256 conversations"));
  }
  std::unordered_set<ConversationId> named;
  for (const auto& item : subscribe.items) {
    if (!known(item.conversation)) return;
    if (!named.insert(item.conversation).second) {
      return void(fail(Errc::invalid_argument, "items: a conversation is named twice"));
    }
    if (item.level > Level::full) {
      return void(fail(Errc::invalid_argument, "level: expected none, heads or full"));
    }
    if (item.cursor && !item.cursor->epoch) {
      return void(fail(Errc::invalid_argument, "cursor: expected an epoch, got none"));
    }
  }
  sessions.subscribe(ref, number, std::move(subscribe));
}

void Operations::operator()(wire::History&& history) {
  if (!known(history.conversation)) return;
  if (history.limit == 0 || history.limit > limits::page_events) {
    return void(fail(Errc::invalid_argument, "limit: expected 1 to 256"));
  }
  if (session.kind == SessionSetup::Kind::system)
    return read_history(history, {.reader = all_seeing});
  // A subscription knows what may be read, without a hop to the home. Never more than it had been
  // told of at this moment: what comes while the page is read may end the access.
  if (const Subscription* sub = sessions.subscription(session, history.conversation)) {
    if (sub->state != Subscription::State::opening) {
      const Fan& fan = *shard.fans.find(history.conversation);
      const Seq last = sub->last != 0 ? sub->last : fan.head;
      return read_history(history, {sub->visible_from, last, fan.reader(*sub), sub->last != 0});
    }
  }
  shard.at_home(history.conversation, [ref = ref, number = number, user = session.user, history](
                                          ShardState& there, Conversation& home) {
    home.visible(user, [&there, ref, number, history](Result<Visible> visible) {
      if (!visible) return there.fail(ref, number, std::move(visible).error());
      there.at(ref.shard, [ref, number, history, seen = *visible](ShardState& here) {
        if (SessionState* session = here.sessions.find(ref))
          Operations{here, here.sessions, ref, *session, number}.read_history(history, seen);
      });
    });
  });
}

void Operations::read_history(const wire::History& history, const Visible& window) {
  const Seq visible_from = window.first;
  const Seq last = window.last;
  ReadRange range;
  range.conversation = history.conversation;
  range.ns = shard.config.ns;
  range.partition = layout::conversation_id(shard.config.ns, history.conversation);
  range.backward = history.backward;
  range.max_events = history.limit;
  range.max_bytes = Sessions::page_of(session, number);
  range.from = visible_from;
  range.to = last;
  if (history.backward) {
    if (history.from != 0)
      range.to = last == 0 ? history.from - 1 : std::min(last, history.from - 1);
    if (history.from != 0 && range.to < visible_from) range.from = range.to + 1;  // nothing there
  } else {
    range.from = std::max(visible_from, history.from);
  }
  const bool empty = (history.backward && history.from == 1) || (last != 0 && range.from > last);
  if (empty) range.from = range.to = 1, range.max_events = 1;  // for the epoch and floor only
  read_events(
      shard.world, range,
      [&shard = shard, ref = ref, number = number, history, window, empty](Result<EventPage> page) {
        const Seq visible_from = window.first;
        const Seq last = window.last;
        if (!page) return shard.fail(ref, number, std::move(page).error());
        if (last != 0 && !window.ended && edited_after(page->events, last)) {
          // The reader may have lost the right to see that: once more, with what is now.
          SessionState* session = shard.sessions.find(ref);
          if (session == nullptr) return;
          return Operations{shard, shard.sessions, ref, *session, number}(wire::History(history));
        }
        Reader reader = window.reader;
        shard.sessions.forget_deleted(ref, history.conversation, reader);
        hide(page->events, reader, window.ended ? last : 0);
        wire::HistoryPage answer;
        answer.conversation = history.conversation;
        answer.epoch = page->head.epoch;
        answer.floor = std::max(visible_from, page->head.floor);
        if (empty) page->events.clear(), page->more = false;
        std::erase_if(page->events, [&](const layout::StoredEvent& event) {
          return event.seq < visible_from || (last != 0 && event.seq > last) ||
                 (history.backward && history.from != 0 && event.seq >= history.from);
        });
        answer.more = page->more;
        if (!page->events.empty()) {
          answer.first = page->events.front().seq;
          answer.mark = page->events.back().mark;
          answer.records.reserve(page->events.size());
          for (auto& event : page->events) answer.records.push_back(std::move(event.record));
        }
        shard.answer(ref, number, std::move(answer));
      },
      shard.short_of_memory ? nullptr : &shard.recent);
}

// ---- Changes of messages ----

bool Operations::known_message(const ConversationId& id, Seq seq) {
  return known(id) && (seq != 0 || fail(Errc::invalid_argument, "seq: expected 1 and up"));
}

void Operations::operator()(wire::Edit&& edit) {
  if (!known_message(edit.conversation, edit.seq)) return;
  if (edit.body.size() > shard.config.conversation.max_body) return void(too_long_body());
  const ConversationId id = edit.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), edit = std::move(edit)](
                        ShardState& there, Conversation& home) mutable {
    home.edit(who, edit.seq, std::move(edit.content_type), std::move(edit.body),
              there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::Delete&& erase) {
  if (!known_message(erase.conversation, erase.seq)) return;
  shard.at_home(erase.conversation, [ref = ref, number = number, who = caller(), seq = erase.seq](
                                        ShardState& there, Conversation& home) {
    home.delete_message(who, seq, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::DeleteForMe&& erase) {
  if (!known(erase.conversation) || !has_user()) return;
  const ConversationId id = erase.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), seqs = std::move(erase.seqs)](
                        ShardState& there, Conversation& home) mutable {
    home.delete_for_me(who, std::move(seqs), there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::React&& react) {
  if (!known_message(react.conversation, react.seq) || !has_user()) return;
  const ConversationId id = react.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), react = std::move(react)](
                        ShardState& there, Conversation& home) mutable {
    home.react(who, react.seq, std::move(react.key), react.on,
               there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::Pin&& pin) {
  if (!known_message(pin.conversation, pin.seq)) return;
  shard.at_home(pin.conversation, [ref = ref, number = number, who = caller(), pin](
                                      ShardState& there, Conversation& home) {
    home.pin(who, pin.seq, pin.on, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::Pins&& pins) {
  if (!known(pins.conversation)) return;
  const ConversationId id = pins.conversation;
  shard.at_home(
      id, [ref = ref, number = number, who = caller(), id](ShardState& there, Conversation& home) {
        home.pins(who, there.answering<std::vector<Payload>>(
                           ref, number, [id](std::vector<Payload> records) -> wire::Answer {
                             return wire::Messages{id, std::move(records)};
                           }));
      });
}

void Operations::operator()(wire::Reactors&& reactors) {
  if (!known_message(reactors.conversation, reactors.seq)) return;
  const ConversationId id = reactors.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), reactors = std::move(reactors)](
                        ShardState& there, Conversation& home) mutable {
    home.reactors(who, std::move(reactors),
                  there.answering<wire::ReactorsPage>(
                      ref, number, [](wire::ReactorsPage page) -> wire::Answer { return page; }));
  });
}

void Operations::operator()(wire::MarkRead&& mark) {
  if (!known(mark.conversation) || !has_user()) return;
  shard.at_home(mark.conversation, [ref = ref, number = number, who = caller(), mark](
                                       ShardState& there, Conversation& home) {
    home.mark_read(who, mark.received, mark.read, there.answering<void>(ref, number, done));
  });
}

void Operations::operator()(wire::SendSignal&& signal) {
  if (!known(signal.conversation) || !has_user()) return;
  if (signal.kind.empty() || signal.kind.size() > limits::signal_kind ||
      !base::valid_utf8(signal.kind)) {
    return void(fail(Errc::invalid_argument, "kind: expected 1 to 32 bytes of UTF-8"));
  }
  if (signal.data.size() > limits::signal_data) {
    return void(fail(Errc::too_large, "data: longer than 1024 bytes"));
  }
  if (signal.lasts_ms > limits::signal_lasts_most / 1ms) {
    return void(fail(Errc::invalid_argument, "lasts_ms: expected at most 60000"));
  }
  if (!within_budget(signal.conversation)) return sessions.answer(ref, number, wire::Done{});
  wire::Signalled out{signal.conversation, session.user, std::move(signal.kind),
                      std::move(signal.data), signal.lasts_ms};
  // A subscription proves membership; without one the home is asked.
  const Subscription* sub = sessions.subscription(session, out.conversation);
  const bool known_member =
      sub != nullptr && sub->state != Subscription::State::opening && sub->last == 0;
  if (known_member) sessions.answer(ref, number, wire::Done{});
  if (known_member && sub->unheard) return;
  const ConversationId id = out.conversation;
  shard.at_home(id, [ref = ref, number = number, known_member, out = std::move(out)](
                        ShardState& there, Conversation& home) {
    if (known_member) return there.signal(out, ref);
    home.access(out.sender, [&there, ref, number, out](Result<Access> access) {
      if (access && access->role == Role::none) access = denied();
      if (!access) return there.fail(ref, number, std::move(access).error());
      there.answer(ref, number, wire::Done{});
      if (!access->unheard) there.signal(out, ref);
    });
  });
}

/// The budget of a sender and conversation; what exceeds it is dropped, nobody is told.
bool Operations::within_budget(const ConversationId& id) {
  auto& budgets = session.make_interests().signals;
  const auto now = shard.world.now().steady;
  auto budget = std::find_if(budgets.begin(), budgets.end(),
                             [&](const auto& candidate) { return candidate.conversation == id; });
  if (budget == budgets.end()) {
    // One conversation's budget makes room only when its second is over.
    std::erase_if(budgets, [now](const auto& old) { return now - old.since >= 1s; });
    if (budgets.size() >= limits::signalled_at_once) return false;
    budget = budgets.insert(budgets.end(), {id, now, 0});
  }
  if (now - budget->since >= 1s) *budget = {id, now, 0};
  return ++budget->used <= limits::signals_per_second;
}

void Operations::operator()(wire::Watch&& watch) {
  if (!known(watch.conversation) || !has_user()) return;
  if (watch.users.size() > limits::watched_users) {
    return void(fail(Errc::limit_reached, "users: more than 1000"));
  }
  std::sort(watch.users.begin(), watch.users.end());
  watch.users.erase(std::unique(watch.users.begin(), watch.users.end()), watch.users.end());
  if (watch.users.empty()) {
    sessions.unwatch_named(ref, watch.conversation);
    return sessions.answer(ref, number, wire::PresenceChanged{});
  }
  const ConversationId id = watch.conversation;
  shard.at_home(id, [ref = ref, number = number, who = caller(), id,
                     users = std::move(watch.users)](ShardState& there, Conversation& home) {
    home.check_members(who, users, [&there, ref, number, id](Result<std::vector<UserId>> allowed) {
      if (!allowed) return there.fail(ref, number, std::move(allowed).error());
      there.at(ref.shard, [ref, number, id, users = std::move(*allowed)](ShardState& here) {
        here.sessions.watch(ref, number, id, users);
      });
    });
  });
}

void Operations::operator()(wire::Lookup&& lookup) {
  if (lookup.users.empty() || lookup.users.size() > limits::lookup_at_once) {
    return void(fail(Errc::invalid_argument, "users: expected 1 to 256 ids"));
  }
  shard.names.lookup(std::move(lookup.users),
                     shard.answering<std::vector<UserName>>(
                         ref, number, [](std::vector<UserName> users) -> wire::Answer {
                           return wire::Names{std::move(users)};
                         }));
}

void Operations::operator()(wire::Unknown&&) {
  fail(Errc::unsupported, "type: this server does not know the operation");
}

void Operations::operator()(wire::Ping&&) { sessions.answer(ref, number, wire::Done{}); }

void Operations::operator()(wire::Bye&&) {
  sessions.answer(ref, number, wire::Goodbye{"bye", 0, false});
  sessions.close(ref, CloseReason::normal, "goodbye");
}

}  // namespace parley::core
