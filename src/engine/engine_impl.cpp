// engine_impl.cpp: opening, the host's calls, the end.
#include "engine/engine_impl.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/siphash.hpp"
#include "base/thrown.hpp"
#include "engine/shutdown.hpp"
#include "parley/memory_store.hpp"
#include "parley/version.hpp"
#include "store/bootstrap.hpp"
#include "wire/messages.hpp"

namespace parley::inline v0::detail {
namespace {

using engine::ShardHost;

/// Blocks until a completion that may come on any thread has come.
template <class T>
class Awaited {
 public:
  std::function<void(T)> completion() {
    return [this](T value) {
      value_.emplace(std::move(value));
      done_.store(true, std::memory_order_release);
      done_.notify_all();
    };
  }
  T take() {
    done_.wait(false, std::memory_order_acquire);
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
  std::atomic<bool> done_{false};
};

}  // namespace

Error closed_error() { return {Errc::engine_closed, "the engine is closing or closed"}; }
Error forked_error() {
  return {Errc::forked, "this process is a fork of the one that opened the engine; open another"};
}

// ---- Opening ----

EngineImpl::EngineImpl(EngineOptions options)
    : options_(std::move(options)),
      max_sessions_(options_.max_sessions),
      memory_limit_(options_.memory_limit) {}

EngineImpl::~EngineImpl() {
  for (std::thread& thread : own_threads_) {  // the first one at most: it joined the others
    if (!thread.joinable()) continue;
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }
}

Result<std::shared_ptr<EngineImpl>> EngineImpl::open(EngineOptions options) {
  if (Error error = engine::check_options(options)) return error;
  auto impl = std::make_shared<EngineImpl>(std::move(options));
  Error error;
  try {
    error = impl->init();
  } catch (...) {
    error = {Errc::unavailable, "opening the engine: " + base::what_was_thrown()};
  }
  if (error) {
    impl->phase_.store(Phase::stopped);
    for (auto& [scheme, transport] : impl->transports_) {
      Awaited<int> stopped;  // nothing listens yet: it is at once
      transport->close([done = stopped.completion()] { done(0); });
      stopped.take();
    }
    if (impl->store_) {
      Awaited<Result<void>> closed;
      impl->store_->close(closed.completion());
      (void)closed.take();
    }
    impl->finalize();
    return error;
  }
  return impl;
}

Error EngineImpl::init() {
  threads_ = options_.threads.count().value_or(engine::default_threads());
  if (Error error = open_store()) return error;
  auto transports = engine::make_transports(options_);
  if (!transports) return std::move(transports).error();
  transports_ = std::move(*transports);
  if (engine::is_development(options_.authenticator)) {
    log(LogLevel::warning,
        "DEVELOPMENT AUTHENTICATOR: every client is believed to be whom it says; never use this "
        "where strangers can connect");
  }
  if (Error error = make_shards()) return error;
  shutdown_ = std::make_unique<engine::Shutdown>(*this);
  system_ = std::make_shared<LocalSession>(shared_from_this(), *shards_[0], true);
  for (const auto& shard : shards_) {
    shard->loop().post([host = shard.get()] { host->start(); });
  }
  shards_[0]->loop().post([this] {
    sessions_.fetch_add(1);
    shards_[0]->keep(system_);
    system_->open({.kind = core::SessionSetup::Kind::system}, {});
  });
  phase_.store(Phase::open);
  if (Error error = start_threads()) return error;
  poll_thread_.store(std::this_thread::get_id());
  if (const auto& driver = options_.threads.driver()) {
    driven_ = true;
    driver->start(shared_from_this());
  }
  return {};
}

Error EngineImpl::open_store() {
  auto opened = options_.store ? options_.store() : memory_store()();
  if (!opened) return std::move(opened).error();
  if (!*opened) return {Errc::invalid_argument, "store: the opener gave no store"};
  store_ = std::move(*opened);
  facts_ = store_->facts();
  if (facts_.durability < options_.durability) {
    return {Errc::unsupported,
            "durability: the store promises less; a store on disk is lmdb_store(), of "
            "parley/lmdb_store.hpp"};
  }
  if (Error error = engine::check_limits({.max_body = options_.max_body}, facts_.max_value))
    return error;
  std::array<std::uint8_t, 16> fresh{};
  if (auto random = base::random_bytes(fresh.data(), fresh.size()); !random) {
    return std::move(random).error();
  }
  Awaited<Result<store::FormatCell>> format;
  store::bootstrap(*store_, fresh, PARLEY_VERSION_STRING, format.completion());
  auto cell = format.take();
  if (!cell) return std::move(cell).error();
  key_ = cell->key;
  return {};
}

Error EngineImpl::make_shards() {
  core::ShardConfig config;
  const int count = std::max(threads_, 1);
  config.shards = static_cast<core::ShardIndex>(count);
  config.key = key_;
  config.node = options_.node;
  config.conversation.max_body = options_.max_body;
  config.conversation.edit_window = options_.edit_window;
  config.conversation.group_members = options_.group_members;
  config.conversation.channel_members = options_.channel_members;
  config.requests_per_second = options_.requests_per_second;
  config.conversation.permissions = options_.permissions;
  set_hooks(config);
  config.heartbeat = options_.heartbeat;
  if (auto random = base::random_bytes(&instance_, sizeof instance_); !random) {
    return std::move(random).error();
  }
  config.instance = instance(0);
  for (int i = 0; i < count; ++i) {
    auto loop = runtime::Loop::create();
    if (!loop) return std::move(loop).error();
    shards_.push_back(std::make_unique<ShardHost>(*this, static_cast<core::ShardIndex>(i),
                                                  std::move(*loop), config));
    link_hosts_.push_back(&shards_.back()->loop());
  }
  if (host_driven()) {
    shards_[0]->loop().on_wake([this] {
      std::shared_ptr<std::function<void()>> handler;
      {
        const std::lock_guard lock(handlers_mutex_);
        handler = on_wake_;
      }
      if (handler && *handler) (*handler)();
    });
  }
  return {};
}

Error EngineImpl::start_threads() {
  if (host_driven()) return {};
  const base::SignalBlock no_signals;  // inherited: the host's handlers never run on our threads
  own_threads_.resize(shards_.size());
  std::size_t index = shards_.size();  // the first one last: it joins the others
  try {
    while (index-- > 0) {
      own_threads_[index] = std::thread(
          [this, index, self = index == 0 ? shared_from_this() : nullptr] { run_shard(index); });
    }
  } catch (const std::system_error& error) {
    for (const auto& shard : shards_) shard->loop().stop();
    for (std::thread& thread : own_threads_) {
      if (thread.joinable()) thread.join();
    }
    return {Errc::unavailable, std::string("threads: cannot start one: ") + error.what()};
  }
  return {};
}

void EngineImpl::run_shard(std::size_t index) {
  base::name_thread("parley-" + std::to_string(index));
  if (options_.on_thread_start) options_.on_thread_start();
  shards_[index]->loop().run();
  if (index == 0) {
    for (std::size_t i = 1; i < own_threads_.size(); ++i) own_threads_[i].join();
    finalize();
    tell_stopped();
  }
  if (options_.on_thread_stop) options_.on_thread_stop();
}

// ---- The host's side ----

Result<std::string> EngineImpl::listen(std::string_view url) {
  if (forked()) return forked_error();
  if (!accepting()) return closed_error();
  const auto colon = url.find(':');
  const std::string expected = "url: expected ws://host:port/path or tcp://host:port";
  // "127.0.0.1:80" names no scheme.
  if (colon == std::string_view::npos || colon == 0 || (url[0] >= '0' && url[0] <= '9')) {
    return Error{Errc::invalid_argument, expected};
  }
  if (url.substr(0, colon) == "wss" && !transports_.contains("wss")) {
    return Error{Errc::unsupported, expected + "; TLS ends in a proxy in front"};
  }
  const auto found = transports_.find(url.substr(0, colon));
  if (found == transports_.end() || !found->second->capabilities().listens) {
    std::string known;
    for (const auto& [scheme, transport] : transports_) known += " " + scheme;
    return Error{Errc::unsupported, expected + "; no transport listens at " +
                                        std::string(url.substr(0, colon)) + ":, there are" +
                                        (known.empty() ? " none" : known)};
  }
  auto bound = found->second->listen(url, link_hosts_);
  if (!bound) return bound;
  log(LogLevel::info, "listening at " + *bound);
  if (!options_.authenticator && !std::exchange(said_nobody_gets_in_, true)) {
    log(LogLevel::warning,
        "no EngineOptions::authenticator: every client that connects is refused");
  }
  return bound;
}

Result<void> EngineImpl::adopt(std::unique_ptr<Link> link, LinkInfo info,
                               std::function<void(LinkEvents*, LinkHost&)> adopted) {
  if (forked()) return forked_error();
  if (!accepting()) return closed_error();
  if (!link) return Error{Errc::invalid_argument, "link: expected one"};
  struct Work {
    std::unique_ptr<Link> link;
    LinkInfo info;
    std::function<void(LinkEvents*, LinkHost&)> adopted;
  };
  auto work = std::make_shared<Work>(Work{std::move(link), std::move(info), std::move(adopted)});
  const auto to = static_cast<core::ShardIndex>(next_shard_.fetch_add(1) % std::max(threads_, 1));
  const bool posted = post(to, [this, to, work] {
    LinkEvents* events = shards_[to]->opened(std::move(work->link), std::move(work->info));
    if (work->adopted) work->adopted(events, shards_[to]->loop());
  });
  if (!posted) return closed_error();
  return {};
}

void EngineImpl::on_session(std::function<void(const SessionInfo&)> handler) {
  const std::lock_guard lock(handlers_mutex_);
  on_session_ = std::make_shared<std::function<void(const SessionInfo&)>>(std::move(handler));
}

void EngineImpl::tell_session(const SessionInfo& info) {
  std::shared_ptr<std::function<void(const SessionInfo&)>> handler;
  {
    const std::lock_guard lock(handlers_mutex_);
    handler = on_session_;
  }
  if (!handler || !*handler) return;
  try {
    (*handler)(info);
  } catch (...) {
    log(LogLevel::error, "on_session threw: " + base::what_was_thrown());
  }
}

core::ShardIndex EngineImpl::shard_for(std::string_view subject) const noexcept {
  const auto count = static_cast<std::uint64_t>(std::max(threads_, 1));
  return static_cast<core::ShardIndex>(base::siphash64(key_, subject) % count);
}

Pending<Session> EngineImpl::attach(AttachOptions options, Completion<Session> done) {
  const core::ShardIndex to = shard_for(options.user);
  std::shared_ptr<LocalSession> local;
  {
    const engine::Gate::Pass pass(gate_);
    if (pass && !forked()) {
      local = std::make_shared<LocalSession>(shared_from_this(), *shards_[to], options.manual_ack);
    }
  }
  wire::Hello hello;
  hello.device = std::move(options.device);
  hello.state = options.presence;
  auto started = engine::make_call<Session, wire::Welcome>(
      shared_from_this(), to, std::move(hello),
      [local, engine = this](wire::Welcome& welcome) -> Result<Session> {
        local->welcomed({welcome.user, welcome.device, welcome.subject});
        engine->tell_session({welcome.user, welcome.device, welcome.subject, {}});
        return Session(local);
      });
  if (done) started.pending.then(std::move(done));
  auto call = std::make_shared<engine::CallRef>(std::move(started.call));
  if (forked()) return call->fail(forked_error()), std::move(started.pending);
  if (Error error = engine::check_subject(options.user)) {
    return call->fail(std::move(error)), std::move(started.pending);
  }
  if (!local || !accepting()) return call->fail(closed_error()), std::move(started.pending);
  core::SessionSetup setup{.kind = core::SessionSetup::Kind::trusted,
                           .identity = {std::move(options.user)},
                           .auto_subscribe = options.follow};
  post(to, [this, to, local, call, setup = std::move(setup)] {
    if (!accepting()) return call->fail(closed_error());
    if (!admit_session()) {
      return call->fail({Errc::limit_reached, "max_sessions are attached; detach some"});
    }
    shards_[to]->attach(local, setup, std::move(*call));
  });
  return std::move(started.pending);
}

void EngineImpl::resolve(std::string subject, engine::CallRef call,
                         std::function<void(LocalSession&, engine::CallRef, UserId)> with) {
  if (forked()) return call.fail(forked_error());
  if (Error error = engine::check_subject(subject)) return call.fail(std::move(error));
  if (!accepting()) return call.fail(closed_error());
  auto held = std::make_shared<engine::CallRef>(std::move(call));
  post(0, [this, subject = std::move(subject), held, with = std::move(with)] {
    shards_[0]->in_core([&](core::Shard& core) {
      core.resolve(subject, false, [this, held, with](Result<UserId> user) {
        if (!user) return held->fail(std::move(user).error());
        if (!*user) return held->fail({Errc::denied, "no such user"});
        with(*system_, std::move(*held), *user);
      });
    });
  });
}

EngineStats EngineImpl::stats() const {
  EngineStats sum;
  auto* self = const_cast<EngineImpl*>(this);
  const engine::Gate::Pass pass(self->gate_);
  if (!pass || forked()) return sum;
  sum.shards = shards_.size();
  for (const auto& shard : shards_) {
    const EngineStats one = shard->stats();
    sum.sessions += one.sessions;
    sum.conversations += one.conversations;
    sum.ingress_bytes += one.ingress_bytes;
    sum.queued_bytes += one.queued_bytes;
  }
  if (sum.sessions > 0) --sum.sessions;  // the host's own, as the system
  return sum;
}

Pending<void> EngineImpl::set_limits(const LimitsUpdate& update, Completion<void> done) {
  auto started = engine::make_call<void, wire::Done>(shared_from_this(), 0, {}, [](wire::Done&) {});
  if (done) started.pending.then(std::move(done));
  auto call = std::make_shared<engine::CallRef>(std::move(started.call));
  if (forked()) return call->fail(forked_error()), std::move(started.pending);
  if (Error error = engine::check_limits(update, facts_.max_value)) {
    return call->fail(std::move(error)), std::move(started.pending);
  }
  if (update.max_sessions) max_sessions_.store(*update.max_sessions);
  if (update.memory_limit) memory_limit_.store(*update.memory_limit);
  auto left = std::make_shared<std::atomic<std::size_t>>(shards_.size());
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const auto to = static_cast<core::ShardIndex>(i);
    post(to, [this, to, update, left, call] {
      shards_[to]->in_core([&](core::Shard& core) { core.set_limits(update); });
      if (left->fetch_sub(1) == 1) call->answer(wire::Done{});
    });
  }
  return std::move(started.pending);
}

bool EngineImpl::admit_session() noexcept {
  if (sessions_.fetch_add(1) <= max_sessions_.load()) return true;  // the system's is one of them
  sessions_.fetch_sub(1);
  return false;
}

std::size_t EngineImpl::memory() const noexcept {
  std::size_t sum = 0;
  for (const auto& shard : shards_) sum += shard->memory();
  return sum;
}

void EngineImpl::log(LogLevel level, std::string_view text) const {
  if (!options_.log) return;
  const std::lock_guard lock(log_mutex_);
  try {
    options_.log({level, text});
  } catch (...) {  // a sink that throws has nowhere to be told
  }
}

std::uint64_t EngineImpl::fallback_random() noexcept {
  const std::uint64_t count = chance_.fetch_add(1);
  return base::siphash64(key_, {reinterpret_cast<const char*>(&count), sizeof count});
}

// ---- The end ----

void EngineImpl::close() {
  if (forked()) return;
  Phase expected = Phase::open;
  if (!phase_.compare_exchange_strong(expected, Phase::closing)) return;
  post(0, [this] { shutdown_->begin(); });
}

void EngineImpl::stop_loops() {
  for (const auto& shard : shards_) shard->loop().stop();
}

/// No loop is driven any more: unmakes everything and answers what is left.
void EngineImpl::finalize() {
  gate_.close();
  for (const auto& shard : shards_) shard->abandon_all(closed_error());
  system_.reset();
  shutdown_.reset();
  link_hosts_.clear();
  store_.reset();  // before the loops: its last completion may still be waking one
  shards_.clear();
  transports_.clear();
  if (driven_) options_.threads.driver()->stop();
  phase_.store(Phase::stopped);
}

void EngineImpl::tell_stopped() {
  std::function<void()> handler;
  {
    const std::lock_guard lock(handlers_mutex_);
    if (told_stopped_) return;
    told_stopped_ = true;
    handler = std::move(on_stopped_);
  }
  if (handler) handler();
  run_ticket_.fetch_add(1);
  run_ticket_.notify_all();
}

void EngineImpl::on_stopped(std::function<void()> handler) {
  if (forked()) return;
  {
    const std::lock_guard lock(handlers_mutex_);
    if (!told_stopped_) {
      on_stopped_ = std::move(handler);
      return;
    }
  }
  if (handler) handler();
}

void EngineImpl::destroy() {
  const bool own = on_own_thread();
  close();
  if (own) {
    if (host_driven()) abandoned_ = shared_from_this();
    return;  // otherwise the first thread holds it until it has stopped
  }
  if (host_driven()) {
    while (!stopped()) {
      if (!poll(std::chrono::milliseconds(10)) && !stopped()) sleep(std::chrono::milliseconds(50));
    }
    tell_stopped();
    return;
  }
  if (own_threads_[0].joinable() && own_threads_[0].get_id() != std::this_thread::get_id()) {
    own_threads_[0].join();
  }
}

}  // namespace parley::inline v0::detail
