// parley/asio.hpp: completion tokens for operations, and an engine on a host's executor. Opt-in;
// uses the host's own Asio.
#pragma once
#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/bind_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>

#include "parley/engine.hpp"
#include "parley/session.hpp"

namespace parley::inline v0 {

namespace detail {

template <class T>
struct AsioSignature {
  using type = void(std::error_code, T);
};
template <>
struct AsioSignature<void> {
  using type = void(std::error_code);
};

/// Calls a handler with an error_code and a value.
struct AsCode {
  template <class Handler, class T>
  static void call(Handler& handler, Result<T>& result) {
    const std::error_code code = result ? std::error_code() : result.error().code;
    if constexpr (std::is_void_v<T>) {
      std::move(handler)(code);
    } else {
      std::move(handler)(code, result ? std::move(*result) : T());
    }
  }
};
/// Calls a handler with the answer as it is.
struct AsResult {
  template <class Handler, class T>
  static void call(Handler& handler, Result<T>& result) {
    std::move(handler)(std::move(result));
  }
};

/// Takes the answer of a Pending to the executor of a handler; one without an executor of its own
/// is called on the session's shard.
template <class How, class T, class Handler>
void deliver_to(Pending<T> pending, Handler handler) {
  using Executor = asio::associated_executor_t<Handler>;
  if constexpr (std::is_same_v<Executor, asio::system_executor>) {
    auto held = std::make_shared<Handler>(std::move(handler));
    pending.then([held](Result<T> result) { How::call(*held, result); });
  } else {
    struct Held {
      Handler handler;
      asio::executor_work_guard<Executor> work;  // the context runs until the answer is there
    };
    const Executor executor = asio::get_associated_executor(handler);
    auto held = std::make_shared<Held>(
        Held{std::move(handler), asio::executor_work_guard<Executor>(executor)});
    pending.then([held](Result<T> result) {
      const Executor to = held->work.get_executor();
      asio::post(to, [held, result = std::move(result)]() mutable {
        Handler handler = std::move(held->handler);
        held->work.reset();
        How::call(handler, result);
      });
    });
  }
}

}  // namespace detail

/// The answer of any operation through a completion token: with asio::use_awaitable,
/// `co_await async_get(session.members(room), asio::use_awaitable)`. Signature: void(error_code,
/// T), or void(error_code) for operations without a value; the code is of parley::error_category(),
/// and all that there is: for Error::message and retry_after see async_try(). Lifetime: the
/// operation's. Cancellation: none, the operation goes on. Completion: posted to the token's
/// associated executor. Thread: any.
template <class T, class Token>
auto async_get(Pending<T> pending, Token&& token) {
  return asio::async_initiate<Token, typename detail::AsioSignature<T>::type>(
      [](auto handler, Pending<T> answer) {
        detail::deliver_to<detail::AsCode>(std::move(answer), std::move(handler));
      },
      token, std::move(pending));
}
/// The same with the whole answer. Signature: void(Result<T>): with asio::use_awaitable nothing is
/// thrown, `Result<Ack> ack = co_await async_try(session.send(room, text), asio::use_awaitable)`;
/// Result::value() throws a BadResult, which carries the Error. Thread: any.
template <class T, class Token>
auto async_try(Pending<T> pending, Token&& token) {
  return asio::async_initiate<Token, void(Result<T>)>(
      [](auto handler, Pending<T> answer) {
        detail::deliver_to<detail::AsResult>(std::move(answer), std::move(handler));
      },
      token, std::move(pending));
}

// The operations most hosts use, by name; everything else through async_get(). The reference is
// needed for the call only. With GCC 12, name option structs before the co_await (see Pending).

/// void(error_code, Session)
template <class Token>
auto async_attach(Engine& engine, AttachOptions options, Token&& token) {
  return async_get(engine.attach(std::move(options)), std::forward<Token>(token));
}
/// void(error_code, Conversation); as the system, or as a session's user
template <class Token>
auto async_create(Engine& engine, CreateOptions options, Token&& token) {
  return async_get(engine.create(std::move(options)), std::forward<Token>(token));
}
template <class Token>
auto async_create(Session& session, CreateOptions options, Token&& token) {
  return async_get(session.create(std::move(options)), std::forward<Token>(token));
}
/// void(error_code, Conversation)
template <class Token>
auto async_direct(Session& session, std::string peer, Token&& token) {
  return async_get(session.direct(std::move(peer)), std::forward<Token>(token));
}
/// void(error_code, Conversation)
template <class Token>
auto async_join(Session& session, const ConversationId& channel, Token&& token) {
  return async_get(session.join(channel), std::forward<Token>(token));
}
/// void(error_code)
template <class Token>
auto async_leave(Session& session, const ConversationId& conversation, Token&& token) {
  return async_get(session.leave(conversation), std::forward<Token>(token));
}
/// void(error_code, Ack)
template <class Token>
auto async_send(Session& session, const ConversationId& conversation, std::string_view text,
                Token&& token) {
  return async_get(session.send(conversation, text), std::forward<Token>(token));
}
template <class Token>
auto async_send(Session& session, const ConversationId& conversation, MessageDraft draft,
                SendOptions options, Token&& token) {
  return async_get(session.send(conversation, std::move(draft), std::move(options)),
                   std::forward<Token>(token));
}
/// void(error_code, HistoryPage)
template <class Token>
auto async_history(Session& session, const ConversationId& conversation, HistoryOptions options,
                   Token&& token) {
  return async_get(session.history(conversation, options), std::forward<Token>(token));
}
/// void(error_code, ResumeAnswer)
template <class Token>
auto async_subscribe(Session& session, const ConversationId& conversation, SubscribeOptions options,
                     Token&& token) {
  return async_get(session.subscribe(conversation, options), std::forward<Token>(token));
}
/// void(error_code, vector<ListEntry>)
template <class Token>
auto async_list(Session& session, Token&& token) {
  return async_get(session.list(), std::forward<Token>(token));
}
/// void(error_code)
template <class Token>
auto async_read(Session& session, const ConversationId& conversation, Seq seq, Token&& token) {
  return async_get(session.read(conversation, seq), std::forward<Token>(token));
}

namespace detail {

/// Polls an engine on a strand of a host's executor: when its descriptor is readable, when a
/// deadline has come, and again while work is left; other handlers get their turn between two
/// polls. From start() to stop() it counts as work of the executor's context.
class AsioDriver final : public Driver {
 public:
  AsioDriver(asio::any_io_executor executor, std::chrono::microseconds budget)
      : state_(std::make_shared<State>(std::move(executor), budget)) {}

  void start(std::shared_ptr<Driven> engine) override {
    {
      const std::lock_guard lock(state_->mutex);
      state_->engine = std::move(engine);
    }
    asio::post(state_->strand, [state = state_] {
      const auto driven = state->driven();
      if (!driven) return;
      // Ours to close: the engine may be gone before this executor has looked up.
      const int own = driven->open_descriptor();
      std::error_code failed;
      if (own >= 0) state->ready.assign(own, failed);
      turn(state);
    });
  }

  void stop() override {
    {
      const std::lock_guard lock(state_->mutex);
      state_->engine.reset();
    }
    asio::post(state_->strand, [state = state_] {
      state->timer.cancel();
      std::error_code ignored;
      state->ready.close(ignored);
    });
  }

 private:
  /// Without a descriptor of its own (none left in the process) it looks this often.
  static constexpr std::chrono::milliseconds blind_look{10};

  struct State {
    State(asio::any_io_executor executor, std::chrono::microseconds each)
        : strand(executor), timer(executor), ready(executor), budget(each) {}
    std::shared_ptr<Driven> driven() {
      const std::lock_guard lock(mutex);
      return engine;
    }
    std::mutex mutex;
    std::shared_ptr<Driven> engine;  // guarded by mutex; the rest belongs to the strand
    asio::strand<asio::any_io_executor> strand;
    asio::steady_timer timer;
    asio::posix::stream_descriptor ready;
    std::chrono::microseconds budget;
    std::optional<std::chrono::steady_clock::time_point> armed{};
    bool waiting = false;
  };
  using Shared = std::shared_ptr<State>;

  static void turn(const Shared& state) {
    const auto driven = state->driven();
    if (!driven) return;
    if (driven->poll(state->budget)) {
      asio::post(state->strand, [state] { turn(state); });
      return;
    }
    if (!state->driven()) return;  // it stopped in this poll
    arm_timer(state, *driven);
    if (state->waiting || !state->ready.is_open()) return;
    state->waiting = true;
    state->ready.async_wait(asio::posix::stream_descriptor::wait_read,
                            asio::bind_executor(state->strand, [state](std::error_code) {
                              state->waiting = false;
                              turn(state);
                            }));
  }

  static void arm_timer(const Shared& state, const Driven& driven) {
    auto deadline = driven.next_deadline();
    if (!state->ready.is_open()) {
      const auto look = std::chrono::steady_clock::now() + blind_look;
      deadline = deadline ? std::min(*deadline, look) : look;
    }
    if (!deadline || (state->armed && *state->armed <= *deadline)) return;
    state->armed = deadline;
    state->timer.expires_at(*deadline);  // cancels the wait for the later one
    state->timer.async_wait(
        asio::bind_executor(state->strand, [state](const std::error_code& cancelled) {
          if (cancelled) return;
          state->armed.reset();
          turn(state);
        }));
  }

  Shared state_;
};

}  // namespace detail

/// For EngineOptions::threads: the engine has no threads and runs on `executor`, one poll of about
/// `budget` at a time, never two at once. Engine::close() starts the end; the context has work
/// until then. Pending::get() answers would_deadlock on a thread that polled last. Ownership: the
/// executor's context outlives the engine.
inline Threads asio_executor(asio::any_io_executor executor,
                             std::chrono::microseconds budget = std::chrono::microseconds(500)) {
  return Threads(std::make_shared<detail::AsioDriver>(std::move(executor), budget));
}

}  // namespace parley::inline v0
