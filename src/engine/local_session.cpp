// local_session.cpp: what any thread asks, the delivery of frames to handlers, and the end of an
// in-process session.
#include "engine/local_session.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/thrown.hpp"
#include "engine/engine_impl.hpp"
#include "parley/limits.hpp"
#include "wire/record.hpp"
#include "wire/scheduled.hpp"

namespace parley::inline v0::detail {
namespace {

constexpr std::size_t frame_charge = 64;    // bytes of a queued frame beside its records
constexpr std::size_t events_at_once = 64;  // in one call of on_events
constexpr std::size_t most_open_acks = 16;

std::size_t size_of(const wire::Reply& reply) {
  if (reply.request != 0) return 0;  // asked for: bounded by limits::in_flight
  std::size_t size = frame_charge;
  if (const auto* events = std::get_if<wire::Events>(&reply.answer)) {
    for (const Payload& record : events->records) size += record.size();
  }
  return size;
}

Error error_of(CloseReason reason, std::string_view text) {
  switch (reason) {
    case CloseReason::normal:
      return {Errc::session_closed, "the session was closed: " + std::string(text)};
    case CloseReason::going_away:
      return {Errc::engine_closed, "the engine closed"};
    case CloseReason::policy:
      return {Errc::session_closed, "the session was refused or revoked: " + std::string(text)};
    case CloseReason::protocol_error:
    case CloseReason::too_large:
    case CloseReason::slow_consumer:
    case CloseReason::internal:
      break;
  }
  return {Errc::internal, std::string(text)};
}

Error closed_session() {
  return {Errc::session_closed, "the session is detached or closed; attach another"};
}

}  // namespace

LocalSession::LocalSession(std::shared_ptr<EngineImpl> engine, engine::ShardHost& host,
                           bool manual_ack)
    : HostedOutlet(host),
      engine_(std::move(engine)),
      shard_(host.index()),
      manual_ack_(manual_ack) {}

LocalSession::~LocalSession() = default;

// ---- Any thread ----

template <class F>
void LocalSession::run_on_shard(F run) {
  const engine::Gate::Pass pass(engine_->gate());
  if (!pass) return;
  host_.loop().hand_over(
      [self = shared_from_this(), run = std::move(run)]() mutable { run(*self); });
}

void LocalSession::submit(engine::CallRef call) {
  if (engine_->forked()) return call.fail(forked_error());
  if ((state_.load() & detached_bit) != 0) return call.fail(closed_session());
  if (!engine_->accepting()) return call.fail(closed_error());
  // A call that does not get in, or never gets its turn, is answered when it is dropped.
  run_on_shard(
      [call = std::move(call)](LocalSession& self) mutable { self.request(std::move(call)); });
}

void LocalSession::set(std::function<void(Handlers&)> change) {
  if (engine_->forked()) return;
  run_on_shard([change = std::move(change)](LocalSession& self) { self.change(change); });
}

void LocalSession::detach(bool wait) noexcept {
  if (engine_->forked()) return;
  if ((state_.fetch_or(detached_bit) & detached_bit) == 0)
    run_on_shard([](LocalSession& self) { self.finish(closed_session()); });
  if (!wait || running_on_.load() == runtime::Loop::current()) return;
  for (auto now = state_.load(); (now & running_bit) != 0; now = state_.load()) state_.wait(now);
}

// ---- The shard ----

void LocalSession::open(core::SessionSetup setup, engine::CallRef hello) {
  system_ = setup.kind == core::SessionSetup::Kind::system;
  host_.in_core([&](core::Shard& core) { ref_ = core.open(*this, std::move(setup)); });
  if (hello) request(std::move(hello));
}

/// The number of its request: free again once the answer was delivered.
std::uint32_t LocalSession::open_call(engine::CallRef& call) {
  if (free_numbers_.empty()) {
    if (free_numbers_.capacity() <= calls_.size()) free_numbers_.reserve(2 * calls_.size() + 1);
    calls_.emplace_back();
    free_numbers_.push_back(static_cast<std::uint32_t>(calls_.size()));
  }
  const std::uint32_t number = free_numbers_.back();
  free_numbers_.pop_back();
  calls_[number - 1] = std::move(call);
  return number;
}

void LocalSession::request(engine::CallRef call) {
  if (finished_) {
    run_guarded("a completion", [&] { call.fail(why_); });
    return;
  }
  if (host_.memory_full()) {
    Error busy(Errc::busy, "the engine's memory limit is reached; try again");
    busy.retry_after = std::chrono::seconds(1);
    run_guarded("a completion", [&] { call.fail(std::move(busy)); });
    return;
  }
  wire::Operation& operation = call.operation();  // the call's, wherever that goes
  std::uint32_t number = 0;
  try {
    number = open_call(call);
  } catch (const std::bad_alloc&) {
    run_guarded("a completion", [&] { call.fail({Errc::busy, "there is no memory; try again"}); });
    return;
  }
  host_.in_core([&](core::Shard& core) { core.request(ref_, {number, std::move(operation)}); });
}

void LocalSession::change(const std::function<void(Handlers&)>& change) {
  if (finished_) return;
  change(handlers_);
  if ((handlers_.on_event || handlers_.on_events) && !held_.empty()) {
    frames_.insert(frames_.begin(), std::make_move_iterator(held_.begin()),
                   std::make_move_iterator(held_.end()));
    held_.clear();
    host_.mark_dirty(*this);
  }
}

void LocalSession::push(const core::FramePtr& frame) {
  if (finished_ || lost_) return;
  const auto* goodbye = std::get_if<wire::Goodbye>(&frame->reply().answer);
  revoked_ |= goodbye != nullptr && goodbye->reason == to_string(Errc::device_revoked);
  const std::size_t size = size_of(frame->reply());
  try {
    frames_.push_back({frame, size});
  } catch (const std::bad_alloc&) {
    lost_ = true;
    return host_.mark_dirty(*this);
  }
  if (size > 0) frame->charge(host_.queued_bytes(), size);
  host_.waits(queued_charge);
  backlog_ += size;
  host_.mark_dirty(*this);
}

void LocalSession::close(CloseReason reason, std::string_view text) {
  if (closing_ || finished_) return;
  closing_ = true;
  why_ = revoked_ ? Error(Errc::device_revoked, "the device was revoked") : error_of(reason, text);
  host_.mark_dirty(*this);
}

bool LocalSession::flush() {
  const auto self = shared_from_this();  // a handler may destroy the Session
  if (lost_) {
    give_up();
    return false;
  }
  while (!frames_.empty() && !finished_) {
    const Queued queued = frames_.front();
    position_ = queued.delivered;
    const bool whole = deliver(queued);
    if (finished_) return false;
    frames_.front().delivered = position_;
    if (!whole) return true;
    frames_.pop_front();
    shrink(queued.size);
    if (host_.loop().should_yield()) break;
  }
  if (finished_) return false;
  if (closing_ && frames_.empty() && open_requests() == open_acks_) finish(Error(why_));
  return !finished_ && !frames_.empty();
}

void LocalSession::shrink(std::size_t size) {
  host_.waits(-queued_charge);
  backlog_ -= std::min(backlog_, size);
  if (!lagging_ || backlog_ > host_.queue_limit() / 2) return;
  lagging_ = false;
  host_.in_core([this](core::Shard& core) { core.drained(ref_); });
}

/// False when the turn's budget ended inside it: it goes on from position_.
bool LocalSession::deliver(const Queued& queued) {
  const wire::Reply& reply = queued.frame->reply();
  if (reply.request != 0) {
    answer(reply.request, queued.frame->take_answer());
    return true;
  }
  if (!std::holds_alternative<wire::Events>(reply.answer)) {
    deliver_push(reply.answer);
    return true;
  }
  if (!handlers_.on_event && !handlers_.on_events) {
    held_.push_back(queued);
    host_.waits(queued_charge);
    backlog_ += queued.size;  // goes on counting
    return true;
  }
  return deliver_events(queued.frame);
}

bool LocalSession::deliver_events(const core::FramePtr& frame) {
  const std::span<const Event> events = frame->events();
  const bool many = handlers_.on_events != nullptr;
  while (position_ < events.size()) {
    const std::size_t count = many ? std::min(events.size() - position_, events_at_once) : 1;
    const auto next = events.subspan(position_, count);
    const bool ran = run_handler(many ? "on_events" : "on_event", [&] {
      if (many) {
        handlers_.on_events(next);
      } else {
        handlers_.on_event(next.front());
      }
    });
    if (!ran) return false;  // detached, or finished by what it threw
    position_ += next.size();
    if (!manual_ack_) delivered(next.back());
    if (position_ < events.size() && host_.loop().should_yield()) return false;
  }
  return true;
}

/// Acknowledged with the next sweep: one position for many events.
void LocalSession::delivered(const Event& event) {
  if (acked_ == nullptr || acked_->first != event.conversation) {
    acked_ = &*acks_.try_emplace(event.conversation).first;
    host_.look_after(*this);
  }
  acked_->second = std::max(acked_->second, event.seq);
}

void LocalSession::deliver_push(const wire::Answer& answer) {
  if (const auto* signal = std::get_if<wire::Signalled>(&answer)) {
    if (!handlers_.on_signal) return;
    run_handler("on_signal", [&] {
      handlers_.on_signal({signal->conversation, signal->sender, signal->kind, signal->data,
                           std::chrono::milliseconds(signal->lasts_ms)});
    });
  } else if (const auto* receipts = std::get_if<wire::ReceiptsMoved>(&answer)) {
    if (!handlers_.on_receipts) return;
    run_handler("on_receipts", [&] {
      handlers_.on_receipts({receipts->conversation, receipts->receipts});
    });
  } else if (const auto* presence = std::get_if<wire::PresenceChanged>(&answer)) {
    for (const Presence& user : presence->users) {
      if (!handlers_.on_presence || finished_) return;
      run_handler("on_presence", [&] { handlers_.on_presence(user); });
    }
  } else if (const auto* online = std::get_if<Online>(&answer)) {
    if (handlers_.on_online) run_handler("on_online", [&] { handlers_.on_online(*online); });
  } else if (const auto* list = std::get_if<wire::ListChanged>(&answer)) {
    if (!handlers_.on_list) return;
    ListChange change{list->whole, list->entries, list->removed, list->settings, {}, {}, {}};
    std::vector<Device> devices;
    if (list->devices) {
      devices = *list->devices;
      for (Device& each : devices) each.current = each.id == name_.device;
      change.devices = devices;
    }
    if (list->requests) change.requests = *list->requests;
    if (list->blocked) change.blocked = *list->blocked;
    run_handler("on_list", [&] { handlers_.on_list(change); });
  } else if (const auto* scheduled = std::get_if<wire::Scheduled>(&answer)) {
    if (!handlers_.on_scheduled) return;
    const auto messages = wire::to_scheduled(*scheduled);
    run_handler("on_scheduled", [&] { handlers_.on_scheduled({messages, scheduled->removed}); });
  } else if (const auto* thread = std::get_if<wire::ThreadState>(&answer)) {
    if (!handlers_.on_thread) return;
    run_handler("on_thread", [&] { handlers_.on_thread(wire::to_thread(*thread)); });
  } else if (const auto* ballot = std::get_if<Ballot>(&answer)) {
    if (handlers_.on_ballot) run_handler("on_ballot", [&] { handlers_.on_ballot(*ballot); });
  } else if (const auto* deleted = std::get_if<DeletedForMe>(&answer)) {
    if (!handlers_.on_deleted_for_me) return;
    run_handler("on_deleted_for_me", [&] { handlers_.on_deleted_for_me(*deleted); });
  } else if (const auto* piece = std::get_if<wire::Streamed>(&answer)) {
    if (!handlers_.on_stream) return;
    run_handler("on_stream", [&] { handlers_.on_stream(wire::to_piece(*piece)); });
  } else if (const auto* moved = std::get_if<wire::HeadMoved>(&answer)) {
    if (!handlers_.on_head) return;
    run_handler("on_head", [&] {
      handlers_.on_head({moved->conversation, moved->head, moved->head_ordinal});
    });
  } else if (const auto* subscribed = std::get_if<wire::Subscribed>(&answer)) {
    for (const ResumeAnswer& each : subscribed->answers) {
      if (!handlers_.on_resume || finished_) return;
      if (each.answer == Resume::caught_up || each.answer == Resume::range) continue;
      run_handler("on_resume", [&] { handlers_.on_resume(each); });
    }
  }  // Goodbye: close() says it as well
}

void LocalSession::answer(std::uint32_t number, wire::Answer&& answer) {
  engine::CallRef call = std::move(calls_[number - 1]);
  free_numbers_.push_back(number);
  if (!call) {  // one of our own acknowledgements: a hint, nobody waits for it
    --open_acks_;
    return;
  }
  run_guarded("a completion", [&] { call.answer(std::move(answer)); });
}

void LocalSession::send_acks() {
  acked_ = nullptr;
  while (!acks_.empty() && open_acks_ < most_open_acks) {
    const auto first = acks_.begin();
    const wire::MarkRead mark{first->first, first->second, 0};
    acks_.erase(first);
    engine::CallRef nobody;
    const std::uint32_t number = open_call(nobody);
    ++open_acks_;
    host_.in_core([&](core::Shard& core) { core.request(ref_, {number, mark}); });
  }
}

bool LocalSession::sweep() {
  if (!finished_) send_acks();
  return !acks_.empty();
}

void LocalSession::finish(const Error& why) {
  if (finished_) return;
  const auto self = shared_from_this();
  finished_ = true;
  try {
    send_acks();
  } catch (...) {  // they are hints
  }
  try {
    host_.in_core([this](core::Shard& core) { core.session_closed(ref_); });
    why_ = why;
  } catch (...) {  // the core begins anew, and does not know of it
    why_ = Error(why.errc(), {});
  }
  drop_queued();
  fail_calls();
  if (handlers_.on_closed) run_handler("on_closed", [&] { handlers_.on_closed(why_); });
  handlers_ = {};
  host_.release(*this);
}

void LocalSession::drop_queued() noexcept {
  host_.waits(-queued_charge * static_cast<std::ptrdiff_t>(frames_.size() + held_.size()));
  frames_.clear();
  held_.clear();
  acks_.clear();
  acked_ = nullptr;
  backlog_ = 0;
  lagging_ = false;
}

void LocalSession::fail_calls() {
  open_acks_ = 0;
  free_numbers_.clear();
  for (engine::CallRef& call : std::exchange(calls_, {})) {
    if (call) run_guarded("a completion", [&] { call.fail(why_); });
  }
}

/// The system's goes on with another core; what it had asked is answered.
void LocalSession::core_lost() noexcept {
  ref_ = {};
  if (finished_) return;
  try {
    if (!system_) return finish(engine::no_memory());
    why_ = engine::no_memory();
    drop_queued();
    fail_calls();
    why_ = {};
    lost_ = false;
    open({.kind = core::SessionSetup::Kind::system}, {});
  } catch (...) {
    host_.doubt_core();
  }
}

void LocalSession::give_up() noexcept {
  if (system_) return host_.doubt_core();
  try {
    finish(engine::no_memory());
  } catch (...) {
    host_.doubt_core();
  }
}

// ---- The host's code ----

bool LocalSession::enter_handler() noexcept {
  running_on_.store(runtime::Loop::current());
  if ((state_.fetch_or(running_bit) & detached_bit) == 0) return true;
  leave_handler();
  return false;
}

void LocalSession::leave_handler() noexcept {
  if ((state_.fetch_and(~running_bit) & detached_bit) != 0) state_.notify_all();
}

/// False when it did not run to its end; then the session is detached or finished.
template <class F>
bool LocalSession::run_handler(const char* what, F&& run) {
  if (!enter_handler()) return false;
  struct Leave {
    LocalSession& session;
    ~Leave() { session.leave_handler(); }
  } const leave{*this};
  return run_guarded(what, std::forward<F>(run));
}

template <class F>
bool LocalSession::run_guarded(const char* what, F&& run) {
  std::string text;  // nothing to allocate when all goes well
  try {
    run();
    return true;
  } catch (...) {
    text = std::string(what) + " of a session threw: " + base::what_was_thrown();
  }
  engine_->log(LogLevel::error, text);
  finish({Errc::internal, text});
  return false;
}

}  // namespace parley::inline v0::detail
