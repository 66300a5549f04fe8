// client_impl.cpp: feeds the core with what the link and the loop say, and does what it asks.
#include "client/client_impl.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/os.hpp"
#include "base/thrown.hpp"
#include "parley/net.hpp"
#include "wire/scheduled.hpp"

namespace parley::client {

Error forked_error() {
  return {Errc::forked, "this process is a fork of the one that opened the client; open another"};
}

Error ClientWaiting::wait(const detail::Operation& operation) {
  if (forked()) return forked_error();
  if (runtime::Loop::current() != nullptr) {
    return {Errc::would_deadlock, "get() on a thread that has to make the answer; use then()"};
  }
  if (own_thread_) {
    operation.block();
    return {};
  }
  while (!operation.is_over()) {
    // Host-driven: only the host's thread waits, and it is the one that closes the client.
    loop_->poll(std::chrono::microseconds(1'000));
    if (!operation.is_over()) loop_->wait(std::chrono::milliseconds(10));
  }
  return {};
}

void ClientWaiting::resume(std::uint16_t, std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) return loop_->post(std::move(work));
  }
  work();
}

void ClientWaiting::let_go() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

}  // namespace parley::client

namespace parley::inline v0::detail {
namespace {

using client::ClientCore;

// Lists and pages of any account; a server that sends more than this in one message is broken.
constexpr std::size_t largest_message = std::size_t{64} * 1024 * 1024;
constexpr std::size_t frame_room = 64 * limits::kib;  // beside a body, as the server counts
constexpr std::size_t most_outbox = 100'000;

Error closed_error() { return {Errc::session_closed, "the client is closed"}; }
Error bad(std::string text) { return {Errc::invalid_argument, std::move(text)}; }

Result<void> check(const ClientOptions& options) {
  if (options.url.empty()) return bad("url: expected where to connect to");
  if (options.token.size() > limits::token) return bad("token: expected 4096 bytes at most");
  if (options.device.size() > limits::device_name) {
    return bad("device: expected 128 bytes at most");
  }
  if (options.max_outbox == 0 || options.max_outbox > most_outbox) {
    return bad("max_outbox: expected 1 to 100000");
  }
  if (options.list_limit > limits::page_list) return bad("list_limit: expected 256 at most");
  return {};
}

}  // namespace

ClientImpl::ClientImpl(ClientOptions options) : options_(std::move(options)) {}

Result<std::unique_ptr<ClientImpl>> ClientImpl::create(ClientOptions options) {
  if (auto result = check(options); !result) return std::move(result).error();
  std::unique_ptr<ClientImpl> impl(new ClientImpl(std::move(options)));
  try {
    if (auto result = impl->prepare(); !result) return std::move(result).error();
    if (impl->options_.own_thread) impl->start_thread();
  } catch (...) {
    return Error{Errc::unavailable, "opening the client: " + base::what_was_thrown()};
  }
  return impl;
}

Result<void> ClientImpl::prepare() {
  if (auto result = choose_transport(); !result) return result;
  if (auto result = base::random_bytes(random_key_.data(), random_key_.size()); !result) {
    return result;
  }
  auto loop = runtime::Loop::create();
  if (!loop) return std::move(loop).error();
  loop_ = std::move(*loop);
  loop_->on_opened([this](std::unique_ptr<Link> link, const LinkInfo& info) {
    return take_link(std::move(link), info);
  });
  loop_->on_failed([this](std::string_view what) {
    acting_ = false;
    broken(what);
    loop_->post([this] { act(); });
  });
  waiting_ = std::make_shared<client::ClientWaiting>(loop_.get(), options_.own_thread);
  if (!options_.storage) options_.storage = memory_storage();
  codec_ = wire::make_codec(options_.encoding);
  client::CoreOptions core;
  core.token = options_.token;
  core.list_limit = options_.list_limit;
  core.device = options_.device;
  core.follow = options_.follow;
  core.max_outbox = options_.max_outbox;
  core.random = [this] { return draw(); };
  core_ = std::make_unique<ClientCore>(std::move(core), *options_.storage);
  return core_->load();
}

std::uint64_t ClientImpl::draw() {
  const std::uint64_t count = random_count_++;
  return base::siphash64(random_key_, {reinterpret_cast<const char*>(&count), sizeof count});
}

void ClientImpl::fill_random(std::array<std::uint8_t, 16>& bytes) {
  const std::uint64_t words[2] = {draw(), draw()};
  std::memcpy(bytes.data(), words, bytes.size());
}

Result<void> ClientImpl::choose_transport() {
  const std::string scheme = options_.url.substr(0, options_.url.find(':'));
  for (auto& choice : options_.transports) {
    if (choice.scheme == scheme) transport_ = choice.transport;
  }
  if (!transport_ && scheme == "ws") {
    transport_ = websocket_transport({{.max_message = largest_message}});
  }
  if (!transport_ && scheme == "tcp") {
    transport_ = tcp_transport({{.max_message = largest_message}});
  }
  if (!transport_)
    return Error{Errc::unsupported, "url: no transport for the scheme " + scheme +
                                        "; ws and tcp are built in, others come in "
                                        "ClientOptions::transports"};
  if (!transport_->capabilities().dials) {
    return Error{Errc::unsupported, "url: the transport of " + scheme + " cannot dial"};
  }
  return {};
}

void ClientImpl::start_thread() {
  const base::SignalBlock inherited;
  thread_ = std::thread([this] {
    base::name_thread("parley-client");
    if (options_.on_thread_start) options_.on_thread_start();
    loop_->run();
    if (options_.on_thread_stop) options_.on_thread_stop();
  });
}

// Asks everything to stop on the loop, drives it until it has, then takes it apart.
ClientImpl::~ClientImpl() {
  if (!core_ || !loop_) return;  // prepare() failed
  loop_->post([this] { close(); });
  if (thread_.joinable()) {
    thread_.join();
  } else {
    while (!closing_ || !transport_stopped_ || link_) {
      loop_->poll(std::chrono::microseconds(1'000));
      loop_->wait(std::chrono::milliseconds(10));
    }
  }
  waiting_->let_go();
  transport_.reset();
}

void ClientImpl::close() {
  if (std::exchange(closing_, true)) return;
  guarded([this] {
    core_->shut_down();
    act();
  });
  loop_->cancel_timer(std::exchange(timer_, LinkHost::Timer::none));
  transport_->close([this] {
    loop_->post([this] {
      transport_stopped_ = true;
      stopped();
    });
  });
}

// Lets the thread end once nothing can call any more; without one the destructor looks itself.
void ClientImpl::stopped() {
  if (!transport_stopped_ || link_ || !options_.own_thread) return;
  loop_->post([this] { loop_->stop(); });
}

void ClientImpl::run() {
  if (forked()) return;
  while (!stop_running_.exchange(false)) {
    if (!loop_->poll(std::chrono::microseconds(2'000)) && !stop_running_) {
      loop_->wait(std::chrono::microseconds(-1));
    }
  }
}

bool ClientImpl::poll(std::chrono::microseconds budget) { return !forked() && loop_->poll(budget); }
void ClientImpl::wait(std::chrono::microseconds timeout) {
  if (!forked()) loop_->wait(timeout);
}

void ClientImpl::stop_running() noexcept {
  if (forked()) return;
  stop_running_ = true;
  loop_->wake();
}

void ClientImpl::post(std::function<void()> work) {
  if (!forked()) loop_->post(std::move(work));
}

// ---- What host code, or the lack of memory, throws. ----

/// As when the storage fails: the client says so and does nothing any more.
void ClientImpl::broken(std::string_view what) {
  core_->fail({Errc::internal, "an exception on the client's thread: " + std::string(what)});
}

/// False when it threw.
template <class F>
bool ClientImpl::guarded(F&& run) {
  try {
    run();
    return true;
  } catch (...) {
    broken(base::what_was_thrown());
  }
  return false;
}

/// A client that failed answers everything, whatever its core still knows of it.
void ClientImpl::fail_open() {
  const Error why = core_->error();
  for (auto& [id, done] : std::exchange(requests_, {})) {
    if (done) guarded([&, &done = done] { done(why); });
  }
  for (auto& [id, done] : std::exchange(sends_, {})) {
    if (done) guarded([&, &done = done] { done(why); });
  }
}

// ---- The link. ----

LinkEvents* ClientImpl::take_link(std::unique_ptr<Link> link, const LinkInfo&) {
  if (link_ || closing_) return nullptr;
  link_ = std::move(link);
  link_->limit_messages(largest_message);
  return this;
}

void ClientImpl::dial() {
  transport_->dial(options_.url, options_.encoding, *loop_, [this](const Result<void>& result) {
    if (closing_) return;
    if (result && link_) {
      core_->opened(now());
    } else {
      core_->closed(now(),
                    result ? Error{Errc::disconnected, "the link closed at once"} : result.error());
    }
    act();
  });
}

void ClientImpl::received(Bytes message) {
  if (closing_) return;
  std::vector<wire::Reply> replies;
  if (auto result = codec_->decode(message, replies); !result) {
    core_->garbled(now(), result.error());
  }
  for (wire::Reply& reply : replies) core_->received(now(), std::move(reply));
  act();
}

void ClientImpl::closed(Error why) {
  // The link may not be destroyed inside its own call.
  loop_->post([gone = std::exchange(link_, nullptr)] {});
  if (closing_) return stopped();
  core_->closed(now(), why);
  act();
}

// ---- What the core asks for. ----

void ClientImpl::act() {
  if (std::exchange(acting_, true)) return;
  for (;;) {
    client::Outputs outputs = core_->take();
    if (outputs.requests.empty() && !outputs.close && !outputs.dial && outputs.notices.empty()) {
      break;
    }
    if (link_ && !outputs.requests.empty()) transmit(outputs.requests);
    if (link_ && outputs.close) link_->close(*outputs.close, {});
    if (outputs.dial && !closing_) dial();
    for (client::Notice& notice : outputs.notices) guarded([&] { tell(notice); });
    if (core_->state() == ClientState::failed) fail_open();
  }
  acting_ = false;
  if (!closing_) arm_timer();
}

void ClientImpl::transmit(const std::vector<wire::Request>& requests) {
  const std::size_t body =
      options_.encoding == Encoding::json ? core_->max_body() / 3 * 4 + 4 : core_->max_body();
  std::vector<Payload> messages;
  messages.reserve(requests.size());
  for (const wire::Request& request : requests) {
    Payload message = codec_->encode(request);
    if (message.size() > body + frame_room) {
      core_->refuse(now(), request.number,
                    {Errc::too_large, "the request is longer than the server takes"});
    } else {
      messages.push_back(std::move(message));
    }
  }
  if (!messages.empty()) link_->send(messages);
}

void ClientImpl::arm_timer() {
  const auto deadline = core_->next_deadline();
  if (deadline == timer_at_) return;
  timer_at_ = deadline;
  loop_->cancel_timer(std::exchange(timer_, LinkHost::Timer::none));
  if (!deadline) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now());
  timer_ = loop_->start_timer(std::max(left, std::chrono::milliseconds(0)), [this] {
    timer_ = LinkHost::Timer::none;
    timer_at_.reset();
    core_->tick(now());
    act();
  });
}

void ClientImpl::tell(client::Notice& notice) {
  const ClientHandlers& to = options_.handlers;
  std::visit(
      [&](auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, client::Applied>) {
          if (to.on_events) to.on_events(value.events);
        } else if constexpr (std::is_same_v<T, client::ListMoved>) {
          if (!to.on_list) return;
          ListChange change{value.whole, value.entries, value.removed, value.settings, {}, {}, {}};
          if (value.devices) change.devices = *value.devices;
          if (value.requests) change.requests = *value.requests;
          if (value.blocked) change.blocked = *value.blocked;
          to.on_list(change);
        } else if constexpr (std::is_same_v<T, wire::Scheduled>) {
          if (to.on_scheduled) to.on_scheduled({wire::to_scheduled(value), value.removed});
        } else if constexpr (std::is_same_v<T, client::Settled> ||
                             std::is_same_v<T, client::Completed>) {
          tell(value);
        } else if constexpr (std::is_same_v<T, MessageRenumbered>) {
          if (to.on_renumbered) to.on_renumbered(value);
        } else if constexpr (std::is_same_v<T, ResumeAnswer>) {
          if (to.on_resume) to.on_resume(value);
        } else if constexpr (std::is_same_v<T, wire::HeadMoved>) {
          if (to.on_head) to.on_head({value.conversation, value.head, value.head_ordinal});
        } else if constexpr (std::is_same_v<T, wire::ReceiptsMoved>) {
          if (to.on_receipts) to.on_receipts({value.conversation, value.receipts});
        } else if constexpr (std::is_same_v<T, wire::Signalled>) {
          if (to.on_signal) {
            to.on_signal({value.conversation, value.sender, value.kind, value.data,
                          std::chrono::milliseconds(value.lasts_ms)});
          }
        } else if constexpr (std::is_same_v<T, wire::ThreadState>) {
          if (to.on_thread) to.on_thread(wire::to_thread(value));
        } else if constexpr (std::is_same_v<T, Ballot>) {
          if (to.on_ballot) to.on_ballot(value);
        } else if constexpr (std::is_same_v<T, DeletedForMe>) {
          if (to.on_deleted_for_me) to.on_deleted_for_me(value);
        } else if constexpr (std::is_same_v<T, wire::Streamed>) {
          if (to.on_stream) to.on_stream(wire::to_piece(value));
        } else if constexpr (std::is_same_v<T, Online>) {
          if (to.on_online) to.on_online(value);
        } else if constexpr (std::is_same_v<T, wire::PresenceChanged>) {
          if (to.on_presence) {
            for (const Presence& presence : value.users) to.on_presence(presence);
          }
        } else {
          static_assert(std::is_same_v<T, ClientStatus>);
          if (to.on_state) to.on_state(value);
        }
      },
      notice);
}

void ClientImpl::tell(client::Settled& settled) {
  if (auto done = sends_.extract(settled.id)) {
    if (done.mapped()) done.mapped()(settled.message.result);
  }
  if (options_.handlers.on_settled) options_.handlers.on_settled(settled.message);
}

void ClientImpl::tell(client::Completed& completed) {
  if (auto done = requests_.extract(completed.id)) {
    if (done.mapped()) done.mapped()(std::move(completed.answer));
  } else if (auto send = sends_.extract(completed.id)) {
    if (send.mapped() && !completed.answer) send.mapped()(completed.answer.error());
  }
}

// ---- The application. ----

void ClientImpl::start() {
  if (closing_) return;
  core_->start(now());
  act();
}
void ClientImpl::stop() {
  if (closing_) return;
  core_->stop(now());
  act();
}
void ClientImpl::set_token(std::string token) { core_->set_token(std::move(token)); }

/// `hand_over` lets the core begin and keeps `done` for its answer; what comes in between is
/// answered here.
template <class T, class F>
void ClientImpl::begin(Completion<T>& done, F&& hand_over) {
  if (closing_) {
    if (done) done(closed_error());
    return;
  }
  if (!guarded(std::forward<F>(hand_over)) && done) guarded([&] { done(core_->error()); });
  act();
}

void ClientImpl::send(const ConversationId& conversation, MessageDraft draft,
                      Completion<Ack> done) {
  begin(done, [&] {
    auto& kept = sends_[core_->send(now(), conversation, std::move(draft))];
    kept = std::exchange(done, nullptr);
  });
}

void ClientImpl::request(wire::Operation operation, Answered done) {
  begin(done, [&] {
    auto& kept = requests_[core_->request(now(), std::move(operation))];
    kept = std::exchange(done, nullptr);
  });
}

void ClientImpl::subscribe(const ConversationId& conversation, SubscribeOptions options,
                           Completion<ResumeAnswer> done) {
  begin(done, [&] {
    auto& kept = requests_[core_->subscribe(now(), conversation, options.level, options.from)];
    kept = [done = std::exchange(done, nullptr)](const Result<wire::Answer>& answer) {
      if (!done) return;
      if (!answer) return done(answer.error());
      const auto* subscribed = std::get_if<wire::Subscribed>(&*answer);
      if (subscribed == nullptr || subscribed->answers.size() != 1) {
        return done(Error{Errc::protocol_error, "subscribe: expected one resume answer"});
      }
      done(subscribed->answers[0]);
    };
  });
}

void ClientImpl::set_presence(PresenceState state) {
  if (closing_) return;
  core_->set_presence(now(), state);
  act();
}

void ClientImpl::read(const ConversationId& conversation, Seq seq) {
  if (closing_) return;
  core_->read(now(), conversation, seq);
  act();
}

}  // namespace parley::inline v0::detail
