#include "core/session.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/thrown.hpp"
#include "base/utf8.hpp"
#include "core/extras.hpp"
#include "core/operations.hpp"
#include "core/shard_state.hpp"
#include "parley/limits.hpp"

namespace parley::core {

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t request_charge = 256;  // bytes of our own for a request under way

constexpr std::uint32_t list_charge = 256 * 1024;  // what a list may weigh while it is made

/// What an operation of host code, which comes in no bytes, brings with it.
template <class Operation>
std::size_t carried(const Operation&) noexcept {
  return 0;
}
std::size_t carried(const wire::Send& send) noexcept {
  return send.body.size() + extras_size(send);
}
std::size_t carried(const wire::Edit& edit) noexcept { return edit.body.size(); }
std::size_t carried(const wire::Schedule& later) noexcept { return carried(later.message); }
std::size_t carried(const wire::AppendStream& piece) noexcept { return piece.text.size(); }
std::size_t carried(const wire::Import& import) noexcept {
  std::size_t sum = 0;
  for (const wire::Send& send : import.messages) sum += carried(send);
  return sum;
}

std::uint32_t charge_of(const wire::Request& request) {
  const bool makes_list = std::holds_alternative<wire::Hello>(request.operation) ||
                          std::holds_alternative<wire::PageList>(request.operation) ||
                          std::holds_alternative<wire::Sync>(request.operation);
  if (makes_list) return list_charge;
  if (request.bytes != 0) return request_charge + request.bytes;
  return request_charge + static_cast<std::uint32_t>(std::visit(
                              [](const auto& op) { return carried(op); }, request.operation));
}

/// Whether pages of messages are read for it.
bool reads_pages(const wire::Operation& operation) noexcept {
  return std::holds_alternative<wire::History>(operation) ||
         std::holds_alternative<wire::Thread>(operation) ||
         std::holds_alternative<wire::Threads>(operation) ||
         std::holds_alternative<wire::Pins>(operation);
}

bool before(const SessionState::Follow& follow, const Fan* fan) noexcept {
  return std::less<const Fan*>()(follow.fan, fan);
}
}  // namespace

SessionState::Follow* SessionState::follow(const Fan& fan) noexcept {
  const auto it = std::lower_bound(follows.begin(), follows.end(), &fan, before);
  return it != follows.end() && it->fan == &fan ? &*it : nullptr;
}

void SessionState::add(const Follow& follow) {
  follows.insert(std::lower_bound(follows.begin(), follows.end(), follow.fan, before), follow);
}

void SessionState::note(const wire::ListChanged& list) {
  list_token = parse_sync_token(list.token).value_or(SyncToken());
}

SessionRef Sessions::open(Outlet& outlet, SessionSetup setup) {
  SessionState session;
  session.outlet = &outlet;
  session.kind = setup.kind;
  session.auto_subscribe = setup.auto_subscribe;
  if (setup.kind == SessionSetup::Kind::system) {
    session.phase = SessionState::Phase::ready;
  } else {
    session.greeting = std::make_unique<SessionState::Greeting>();
    session.greeting->subject = std::move(setup.identity.subject);
  }
  const base::Slot slot = sessions_.emplace(std::move(session));
  const SessionRef ref{shard_.index, slot.index, slot.generation};
  SessionState& placed = *sessions_.find(slot);
  placed.generation = slot.generation;
  if (setup.kind == SessionSetup::Kind::link) {
    placed.greeting->timer = shard_.world.start_timer(limits::handshake_hello, [this, ref] {
      if (SessionState* late = find(ref); late != nullptr && late->greeting) {
        late->greeting->timer = Effects::Timer::none;
        close(ref, CloseReason::policy, "no hello in time");
      }
    });
  }
  return ref;
}

SessionState* Sessions::find(SessionRef ref) noexcept {
  return ref.shard == shard_.index ? sessions_.find(base::Slot{ref.slot, ref.generation}) : nullptr;
}

SessionRef Sessions::ref_of(std::uint32_t slot) const noexcept {
  const base::Slot full = sessions_.slot_at(slot);
  return {shard_.index, full.index, full.generation};
}

void Sessions::request(SessionRef ref, wire::Request&& request) {
  SessionState* session = find(ref);
  if (session == nullptr || session->phase == SessionState::Phase::closed) return;
  const std::uint32_t number = request.number;
  auto refuse = [&](Error error) {
    session->outlet->push(make_frame(number, wire::Failed{std::move(error)}));
  };
  const bool known = std::any_of(session->open.begin(), session->open.end(),
                                 [&](const auto& open) { return open.number == number; });
  if (number == 0 || known) {
    refuse(
        Error(Errc::protocol_error, "request: expected a number that is not 0 and not in flight"));
    return close(ref, CloseReason::protocol_error, "bad request number");
  }
  if (shard_.stopping) return refuse(Error(Errc::engine_closed, "the engine is closing"));
  const std::uint32_t charge = charge_of(request);
  const bool host = session->kind == SessionSetup::Kind::system;
  const std::size_t most = host ? limits::pending : limits::in_flight;
  if (session->open.size() >= most || !has_room(*session, charge)) {
    Error busy(Errc::busy, "too many requests without an answer; wait for some");
    busy.retry_after = std::chrono::milliseconds(50);
    return refuse(std::move(busy));
  }
  if (const auto wait = too_often(*session); wait > 0ms) {
    Error busy(Errc::busy, "more requests in a second than EngineOptions::requests_per_second");
    busy.retry_after = wait;
    return refuse(std::move(busy));
  }
  session->open.push_back({number, charge});
  ingress_ += charge;
  try {
    dispatch(ref, *session, std::move(request));
  } catch (...) {  // out of memory, most likely: what was charged goes back
    answer(ref, number, wire::Failed{Error(Errc::internal, "the request could not be run")});
    close(ref, CloseReason::internal, "a request could not be run");
    throw;
  }
}

/// Of limits::ingress; on many shards still room for some of the longest messages.
std::size_t Sessions::ingress_share() const noexcept {
  const std::size_t messages = 4 * shard_.config.conversation.max_body + limits::mib;
  return std::max(limits::ingress / shard_.config.shards, messages);
}

/// Host code's session may have all of it; of the others none has more than is left.
bool Sessions::has_room(const SessionState& session, std::uint32_t charge) const noexcept {
  const std::size_t share = ingress_share();
  const std::size_t left = share - std::min(share, ingress_);
  std::size_t own = charge;
  if (session.kind != SessionSetup::Kind::system)
    for (const SessionState::Open& open : session.open) own += open.charge;
  return own <= left;
}

/// How long a link has to wait that has used up its second; else the request is counted.
std::chrono::milliseconds Sessions::too_often(SessionState& session) const {
  const std::uint32_t most = shard_.config.requests_per_second;
  if (most == 0 || session.kind != SessionSetup::Kind::link) return 0ms;
  const auto now = shard_.world.now().steady;
  if (now - session.requests_since >= 1s) {
    session.requests_since = now;
    session.requests = 0;
  }
  if (session.requests < most) return ++session.requests, 0ms;
  return std::chrono::ceil<std::chrono::milliseconds>(session.requests_since + 1s - now);
}

void Sessions::dispatch(SessionRef ref, SessionState& session, wire::Request&& request) {
  auto* hello = std::get_if<wire::Hello>(&request.operation);
  if (session.phase == SessionState::Phase::hello && hello != nullptr) {
    return this->hello(ref, request.number, std::move(*hello));
  }
  if (session.phase != SessionState::Phase::ready || hello != nullptr) {
    answer(ref, request.number,
           wire::Failed{Error(Errc::protocol_error, "expected hello first, once, and its answer")});
    return close(ref, CloseReason::protocol_error, "hello out of order");
  }
  if (reads_pages(request.operation)) return ask_page(ref, session, std::move(request));
  Operations{shard_, *this, ref, session, request.number}.run(std::move(request.operation));
}

void Sessions::answer(SessionRef ref, std::uint32_t request, wire::Answer&& answer) {
  SessionState* session = find(ref);
  if (session == nullptr || session->phase == SessionState::Phase::closed) return;
  auto open = std::find_if(session->open.begin(), session->open.end(),
                           [&](const auto& candidate) { return candidate.number == request; });
  if (open == session->open.end()) return;
  const bool page = open->page != 0;
  ingress_ -= open->charge;
  page_over(*session, *open);
  *open = session->open.back();
  session->open.pop_back();
  if (const auto* list = std::get_if<wire::ListChanged>(&answer)) session->note(*list);
  session->outlet->push(make_frame(request, std::move(answer)));
  if (!page) return;
  line_up(ref, *session);
  read_pages_soon();
}

void Sessions::close(SessionRef ref, CloseReason reason, std::string text) {
  SessionState* session = find(ref);
  if (session == nullptr || session->phase == SessionState::Phase::closed) return;
  session->phase =
      session->phase == SessionState::Phase::ready ? session->phase : SessionState::Phase::closed;
  session->outlet->close(reason, text);
}

void Sessions::closed(SessionRef ref) {
  SessionState* session = find(ref);
  if (session == nullptr) return;
  session->phase = SessionState::Phase::closed;
  if (session->greeting && session->greeting->timer != Effects::Timer::none)
    shard_.world.cancel_timer(session->greeting->timer);
  while (!session->follows.empty()) {
    const SessionState::Follow follow = session->follows.back();
    shard_.fans.remove(*follow.fan, follow.index);
  }
  for (const auto& watched : session->watched()) {
    if (!watched.user) {
      shard_.online.session_closed(ref, watched.conversation);
      continue;
    }
    shard_.at_user(watched.user, [ref](ShardState&, UserHome& home) { home.unwatch(ref); });
  }
  if (session->user) {
    leave_user(ref, *session);
    shard_.at_user(session->user, [ref](ShardState&, UserHome& home) { home.detach(ref); });
  }
  for (const auto& open : session->open) {
    ingress_ -= open.charge;
    page_over(*session, open);
  }
  stop_reading(*session);
  sessions_.erase(base::Slot{ref.slot, ref.generation});
  read_pages_soon();
}

void Sessions::enter_user(SessionRef ref, SessionState& session) {
  const auto [first, fresh] = of_user_.try_emplace(session.user, ref.slot);
  if (!fresh) session.next_of_user = std::exchange(first->second, ref.slot);
}

void Sessions::leave_user(SessionRef ref, const SessionState& session) noexcept {
  const auto first = of_user_.find(session.user);
  if (first == of_user_.end()) return;  // there was no memory for the entry
  std::uint32_t* at = &first->second;
  while (*at != ref.slot) at = &sessions_.at(*at)->next_of_user;
  *at = session.next_of_user;
  if (first->second == SessionState::no_slot) of_user_.erase(first);
}

std::vector<std::uint32_t> Sessions::followers_of(UserId user, const Fan& fan) {
  std::vector<std::uint32_t> slots;
  const auto first = of_user_.find(user);
  std::uint32_t slot = first == of_user_.end() ? SessionState::no_slot : first->second;
  for (; slot != SessionState::no_slot; slot = sessions_.at(slot)->next_of_user)
    if (sessions_.at(slot)->follow(fan) != nullptr) slots.push_back(slot);
  return slots;
}

Subscription* Sessions::subscription(std::uint32_t slot, Fan& fan) noexcept {
  SessionState* session = sessions_.at(slot);
  const auto* follow = session == nullptr ? nullptr : session->follow(fan);
  return follow == nullptr ? nullptr : &fan.subscriptions[follow->index];
}

void Sessions::goodbye_all() {
  std::vector<SessionRef> all;
  sessions_.for_each([&](base::Slot slot, SessionState&) {
    all.push_back({shard_.index, slot.index, slot.generation});
  });
  for (const SessionRef ref : all) {
    SessionState* session = find(ref);
    if (session == nullptr || session->kind == SessionSetup::Kind::system) continue;
    session->outlet->push(make_frame(0, wire::Goodbye{"engine_closed", 5'000, true}));
    close(ref, CloseReason::going_away, "the server shuts down");
  }
}

void Sessions::forget(std::uint32_t slot, Fan& fan) {
  SessionState* session = sessions_.at(slot);
  if (session == nullptr) return;
  if (const auto* follow = session->follow(fan))
    session->follows.erase(session->follows.begin() + (follow - session->follows.data()));
}

void Sessions::moved(std::uint32_t slot, Fan& fan, std::uint32_t index) {
  SessionState* session = sessions_.at(slot);
  if (session == nullptr) return;
  if (auto* follow = session->follow(fan)) follow->index = index;
}

void Sessions::unwatch_all(std::uint32_t slot, const ConversationId& conversation) {
  if (sessions_.at(slot) == nullptr) return;
  unwatch_named(ref_of(slot), conversation);
  shard_.online.unwatch(ref_of(slot), conversation, denied());
}

void Sessions::tell(SessionRef ref, const FramePtr& frame) {
  SessionState* session = find(ref);
  if (session == nullptr || session->phase != SessionState::Phase::ready) return;
  session->outlet->push(frame);
  const auto* list = std::get_if<wire::ListChanged>(&frame->reply().answer);
  if (list == nullptr) return;
  session->note(*list);
  if (session->auto_subscribe) follow_list(ref, list->entries, true);
}

void Sessions::left(std::uint32_t slot, const ConversationId& id) {
  SessionState* session = sessions_.at(slot);
  if (session == nullptr || session->phase != SessionState::Phase::ready) return;
  wire::ListChanged news;
  news.removed.push_back(id);
  news.token = session->list_token.text();  // nothing that this session was not told is behind it
  session->outlet->push(make_frame(0, std::move(news)));
}

void Sessions::hide_reads(SessionRef ref, bool hide) {
  if (SessionState* session = find(ref)) session->hides_reads = hide;
}

bool Sessions::hides_reads(std::uint32_t slot) noexcept {
  const SessionState* session = sessions_.at(slot);
  return session != nullptr && session->hides_reads;
}

void Sessions::revoked(SessionRef ref) {
  SessionState* session = find(ref);
  if (session == nullptr || session->phase == SessionState::Phase::closed) return;
  if (session->ticket) shard_.tickets.drop(session->ticket);
  session->outlet->push(make_frame(0, wire::Goodbye{"device_revoked", 0, false}));
  close(ref, CloseReason::policy, "the device was revoked");
}

void Sessions::presence_changed(const std::vector<SessionRef>& watchers, const Presence& presence) {
  const FramePtr frame = make_frame(0, wire::PresenceChanged{{presence}});
  const std::size_t most = shard_.world.queue_limit() / 2;
  for (const SessionRef ref : watchers) {
    SessionState* session = find(ref);
    if (session == nullptr || session->phase != SessionState::Phase::ready) continue;
    if (session->outlet->backlog() > most) continue;  // shed first
    session->outlet->push(frame);
  }
}

// ---- Hello ----

void Sessions::hello(SessionRef ref, std::uint32_t number, wire::Hello hello) {
  SessionState& session = *find(ref);
  session.phase = SessionState::Phase::attaching;
  auto refuse = [&](Errc code, const char* text) {
    answer(ref, number, wire::Failed{Error(code, text)});
    close(ref, code == Errc::unauthenticated ? CloseReason::policy : CloseReason::protocol_error,
          text);
  };
  if (hello.min_version > wire::version_max || hello.max_version < wire::version_min) {
    return refuse(Errc::version_unsupported, "hello: expected a version range that includes 1");
  }
  if (hello.token.size() > limits::token) return refuse(Errc::too_large, "token: over 4096 bytes");
  if (hello.device.size() > limits::device_name) {
    return refuse(Errc::too_large, "device: over 128 bytes");
  }
  if (!base::valid_utf8(hello.device)) {
    return refuse(Errc::invalid_argument, "device: expected UTF-8");
  }
  if (hello.state == PresenceState::offline || hello.state > PresenceState::invisible) {
    return refuse(Errc::invalid_argument, "state: expected online, away, busy or invisible");
  }
  if (hello.list_limit > limits::page_list) {
    return refuse(Errc::invalid_argument, "list_limit: expected at most 256");
  }
  if (session.kind == SessionSetup::Kind::trusted) {
    return identified(ref, number, std::move(hello), Identity{session.greeting->subject});
  }
  auto authenticate = [this, ref, number](wire::Hello hello) {
    std::string token = hello.token;
    shard_.world.authenticate(std::move(token), [this, ref, number, hello = std::move(hello)](
                                                    Result<Identity> identity) mutable {
      if (find(ref) == nullptr) return;
      if (!identity) {
        answer(ref, number, wire::Failed{std::move(identity).error()});
        return close(ref, CloseReason::policy, "not authenticated");
      }
      identified(ref, number, std::move(hello), std::move(*identity));
    });
  };
  const auto named = parse_ticket(hello.ticket);
  if (!named || named->issuer >= shard_.config.shards) return authenticate(std::move(hello));
  shard_.at(named->issuer, [ref, number, ticket = named->ticket, hello = std::move(hello),
                            authenticate](ShardState& there) {
    auto identity = there.tickets.redeem(ticket, hello.device, there.world.now());
    there.at(ref.shard, [ref, number, hello, authenticate,
                         identity = std::move(identity)](ShardState& here) mutable {
      if (here.sessions.find(ref) == nullptr) return;
      if (!identity) return authenticate(std::move(hello));
      // Who was erased since is not let in by what is left of them.
      std::string subject = identity->subject;
      here.names.resolve(std::move(subject), false,
                         [&here, ref, number, hello, authenticate,
                          identity = std::move(*identity)](const Result<UserId>& user) mutable {
                           if (here.sessions.find(ref) == nullptr) return;
                           if (!user) return authenticate(std::move(hello));
                           here.sessions.identified(ref, number, std::move(hello),
                                                    std::move(identity));
                         });
    });
  });
}

void Sessions::identified(SessionRef ref, std::uint32_t number, wire::Hello hello,
                          Identity identity) {
  SessionState* session = find(ref);
  if (session == nullptr) return;
  session->greeting->subject = identity.subject;
  shard_.names.resolve(identity.subject, true,
                       [this, ref, number, hello = std::move(hello)](Result<UserId> user) mutable {
                         if (find(ref) == nullptr) return;
                         if (!user) {
                           answer(ref, number, wire::Failed{std::move(user).error()});
                           return close(ref, CloseReason::policy, "no user");
                         }
                         welcome(ref, number, std::move(hello), *user);
                       });
}

Error Sessions::host_refuses(const SessionState& session, UserId user,
                             const std::string& device) const {
  const ConnectHook& ask = shard_.config.on_connect;
  if (!ask || session.kind != SessionSetup::Kind::link) return {};
  try {
    auto verdict = ask({user, session.greeting->subject, device});
    return verdict ? Error{} : std::move(verdict).error();
  } catch (...) {
    shard_.world.log(Effects::Severity::error,
                     "EngineOptions::on_connect threw: " + base::what_was_thrown());
    return {Errc::internal, "nobody could be asked"};
  }
}

void Sessions::welcome(SessionRef ref, std::uint32_t number, wire::Hello hello, UserId user) {
  SessionState& session = *find(ref);
  if (Error refused = host_refuses(session, user, hello.device)) {
    answer(ref, number, wire::Failed{std::move(refused)});
    return close(ref, CloseReason::policy, "refused by the host");
  }
  session.user = user;
  session.shows_user = hello.state != PresenceState::invisible;
  enter_user(ref, session);
  session.greeting->device_name = hello.device;
  session.device = hello.device.empty() ? DeviceId{shard_.world.random() | 1}
                                        : device_id(shard_.config.key, user, hello.device);
  const UserSession attached{ref, session.device, hello.device, hello.state};
  // A session that follows everything needs to know all of it.
  const std::uint32_t limit = session.auto_subscribe ? 0 : hello.list_limit;
  shard_.at_user(user, [ref, number, attached, token = hello.sync_token, limit](ShardState& there,
                                                                                UserHome& home) {
    home.attach(attached, token, limit, [&there, ref, number](Result<wire::ListChanged> list) {
      there.at(ref.shard, [ref, number, list = std::move(list)](ShardState& here) mutable {
        here.sessions.welcomed(ref, number, std::move(list));
      });
    });
  });
}

void Sessions::welcomed(SessionRef ref, std::uint32_t number, Result<wire::ListChanged> list) {
  SessionState* session = find(ref);
  if (session == nullptr || session->phase != SessionState::Phase::attaching) return;
  if (!list) {
    const Errc code = list.error().errc();
    const bool refused = code == Errc::device_revoked || code == Errc::limit_reached;
    answer(ref, number, wire::Failed{std::move(list).error()});
    return close(ref, refused ? CloseReason::policy : CloseReason::internal, "cannot attach");
  }
  session->phase = SessionState::Phase::ready;
  const auto greeting = std::move(session->greeting);
  if (greeting->timer != Effects::Timer::none) shard_.world.cancel_timer(greeting->timer);
  wire::Welcome welcome;
  welcome.session = std::uint64_t{ref.shard} << 48 | std::uint64_t{ref.generation} << 24 | ref.slot;
  welcome.user = session->user;
  welcome.device = session->device;
  welcome.subject = greeting->subject;
  welcome.heartbeat_ms = static_cast<std::uint32_t>(shard_.config.heartbeat.count());
  welcome.max_body = static_cast<std::uint32_t>(shard_.config.conversation.max_body);
  if (session->kind == SessionSetup::Kind::link) {
    session->ticket =
        shard_.tickets.issue(shard_.world, Identity{greeting->subject}, greeting->device_name);
    welcome.ticket = session->ticket.text(shard_.index);
  }
  const std::vector<ListEntry> entries =
      session->auto_subscribe ? list->entries : std::vector<ListEntry>{};
  session->hides_reads = list->settings && list->settings->hide_reads;
  welcome.list = std::move(*list);
  session->note(welcome.list);
  answer(ref, number, std::move(welcome));
  if (!entries.empty()) follow_list(ref, entries, false);
}

}  // namespace parley::core
