// client/client_impl.hpp: the shell around the core: a loop, a transport, a link, a codec,
// completions.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/os.hpp"
#include "base/siphash.hpp"
#include "client/client_core.hpp"
#include "parley/client.hpp"
#include "runtime/loop.hpp"
#include "wire/codec.hpp"

namespace parley::client {

/// What a Pending holds on to; outlives the client. Thread: any.
class ClientWaiting final : public detail::Waiting {
 public:
  ClientWaiting(runtime::Loop* loop, bool own_thread) : loop_(loop), own_thread_(own_thread) {}
  Error wait(const detail::Operation& operation) override;
  void resume(std::uint16_t shard, std::function<void()> work) override;
  /// Everything is answered; the loop goes away.
  void let_go();
  [[nodiscard]] bool forked() const noexcept { return fork_.forked(); }

 private:
  std::mutex mutex_;  // never held while something runs
  runtime::Loop* loop_;
  const bool own_thread_;
  const base::ForkGuard fork_;
};

Error forked_error();

}  // namespace parley::client

namespace parley::inline v0::detail {

/// Lives on its loop but for what says otherwise.
class ClientImpl final : public LinkEvents {
 public:
  using Answered = std::function<void(Result<wire::Answer>)>;

  /// Errors: see Client::open.
  static Result<std::unique_ptr<ClientImpl>> create(ClientOptions options);
  ~ClientImpl();

  // Thread: any. Completions run on the loop.
  void post(std::function<void()> work);
  [[nodiscard]] const std::shared_ptr<client::ClientWaiting>& waiting() const { return waiting_; }
  void stop_running() noexcept;
  [[nodiscard]] bool forked() const noexcept { return waiting_->forked(); }

  // Driving. Thread: the host's.
  /// Until stop_running().
  void run();
  bool poll(std::chrono::microseconds budget);
  void wait(std::chrono::microseconds timeout);

  // On the loop.
  void start();
  void stop();
  void set_token(std::string token);
  void send(const ConversationId& conversation, MessageDraft draft, Completion<Ack> done);
  void request(wire::Operation operation, Answered done);
  void subscribe(const ConversationId& conversation, SubscribeOptions options,
                 Completion<ResumeAnswer> done);
  void read(const ConversationId& conversation, Seq seq);
  void set_presence(PresenceState state);
  void fill_random(std::array<std::uint8_t, 16>& bytes);
  [[nodiscard]] const client::ClientCore& core() const { return *core_; }

 private:
  using Clock = LinkHost::Clock;

  explicit ClientImpl(ClientOptions options);
  Result<void> prepare();
  Result<void> choose_transport();
  void start_thread();
  void close();
  void stopped();
  [[nodiscard]] Clock::time_point now() const { return loop_->now(); }

  LinkEvents* take_link(std::unique_ptr<Link> link, const LinkInfo& info);
  void received(Bytes message) override;
  void drained() override {}
  void holding() override {}
  void closed(Error why) override;
  void dial();
  void act();
  void broken(std::string_view what);
  void fail_open();
  template <class F>
  bool guarded(F&& run);
  template <class T, class F>
  void begin(Completion<T>& done, F&& hand_over);
  void transmit(const std::vector<wire::Request>& requests);
  void arm_timer();
  void tell(client::Notice& notice);
  void tell(client::Settled& settled);
  void tell(client::Completed& completed);
  std::uint64_t draw();  // a keyed counter: nobody who sees some can guess another

  ClientOptions options_;
  std::unique_ptr<runtime::Loop> loop_;
  std::shared_ptr<client::ClientWaiting> waiting_;
  std::shared_ptr<Transport> transport_;
  std::unique_ptr<wire::Codec> codec_;
  base::SipKey random_key_{};
  std::uint64_t random_count_ = 0;
  std::unique_ptr<client::ClientCore> core_;
  std::shared_ptr<Link> link_;
  LinkHost::Timer timer_ = LinkHost::Timer::none;
  std::optional<Clock::time_point> timer_at_;
  bool acting_ = false;
  bool closing_ = false;
  bool transport_stopped_ = false;
  std::atomic<bool> stop_running_{false};
  std::unordered_map<std::uint64_t, Answered> requests_;
  std::unordered_map<std::uint64_t, Completion<Ack>> sends_;
  std::thread thread_;
};

}  // namespace parley::inline v0::detail
