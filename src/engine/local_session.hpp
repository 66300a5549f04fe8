// engine/local_session.hpp: a session of host code: structs instead of bytes, handlers and
// completions on the shard.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/call.hpp"
#include "engine/outlet.hpp"
#include "engine/shard_host.hpp"
#include "parley/session.hpp"
#include "wire/messages.hpp"

namespace parley::inline v0::detail {

class EngineImpl;

/// Shared by its shard host, until it is finished, and the host's Session. What any thread asks
/// goes through the loop's mailbox, in order. Thread: the shard's, but where it says otherwise.
class LocalSession final : public engine::HostedOutlet,
                           public std::enable_shared_from_this<LocalSession> {
 public:
  struct Handlers {
    std::function<void(const Event&)> on_event;
    std::function<void(std::span<const Event>)> on_events;
    std::function<void(const Signal&)> on_signal;
    std::function<void(const ReceiptsMoved&)> on_receipts;
    std::function<void(const Presence&)> on_presence;
    std::function<void(const Online&)> on_online;
    std::function<void(const ListChange&)> on_list;
    std::function<void(const ScheduledChange&)> on_scheduled;
    std::function<void(const ThreadState&)> on_thread;
    std::function<void(const Ballot&)> on_ballot;
    std::function<void(const DeletedForMe&)> on_deleted_for_me;
    std::function<void(const StreamPiece&)> on_stream;
    std::function<void(const HeadMoved&)> on_head;
    std::function<void(const ResumeAnswer&)> on_resume;
    std::function<void(const Error&)> on_closed;
  };
  struct Name {
    UserId user;
    DeviceId device;
    std::string subject;
  };

  LocalSession(std::shared_ptr<EngineImpl> engine, engine::ShardHost& host, bool manual_ack);
  ~LocalSession() override;

  // Thread: any.
  [[nodiscard]] const std::shared_ptr<EngineImpl>& engine() const noexcept { return engine_; }
  [[nodiscard]] std::uint16_t shard() const noexcept { return shard_; }
  /// Set before the session is handed to the host, never changed after.
  [[nodiscard]] const Name& name() const noexcept { return name_; }
  /// Answers the call in time, or fails it at once.
  void submit(engine::CallRef call);
  void set(std::function<void(Handlers&)> change);
  /// No handler starts any more; `wait` for the one that is running on another thread.
  void detach(bool wait) noexcept;

  // The shard's.
  /// The host's registry has it; `hello` is its first request, none for the system.
  void open(core::SessionSetup setup, engine::CallRef hello);
  void request(engine::CallRef call);
  void welcomed(Name name) { name_ = std::move(name); }
  void finish(const Error& why);

  void push(const core::FramePtr& frame) override;
  void close(CloseReason reason, std::string_view text) override;
  bool flush() override;
  bool sweep() override;
  [[nodiscard]] std::size_t open_requests() const noexcept override {
    return calls_.size() - free_numbers_.size();
  }
  void abandon(const Error& why) override { finish(why); }
  void core_lost() noexcept override;
  void give_up() noexcept override;

 private:
  struct Queued {
    core::FramePtr frame;
    std::size_t size = 0;       // counted in the backlog
    std::size_t delivered = 0;  // records that a handler has seen already
  };
  static constexpr std::ptrdiff_t queued_charge = sizeof(Queued);

  template <class F>
  void run_on_shard(F run);
  void change(const std::function<void(Handlers&)>& change);
  std::uint32_t open_call(engine::CallRef& call);
  void drop_queued() noexcept;
  void fail_calls();

  bool deliver(const Queued& queued);
  bool deliver_events(const core::FramePtr& frame);
  void delivered(const Event& event);
  void deliver_push(const wire::Answer& answer);
  void answer(std::uint32_t number, wire::Answer&& answer);
  void send_acks();
  void shrink(std::size_t size);

  template <class F>
  bool run_handler(const char* what, F&& run);
  template <class F>
  bool run_guarded(const char* what, F&& run);
  bool enter_handler() noexcept;
  void leave_handler() noexcept;

  static constexpr std::uint32_t detached_bit = 1, running_bit = 2;

  // Constant after construction.
  const std::shared_ptr<EngineImpl> engine_;
  const std::uint16_t shard_;
  const bool manual_ack_;
  Name name_;

  // Any thread.
  std::atomic<std::uint32_t> state_{0};
  std::atomic<const void*> running_on_{nullptr};  // the loop whose thread is in a handler

  // The shard's.
  Handlers handlers_;
  std::vector<engine::CallRef> calls_;       // at request number - 1
  std::vector<std::uint32_t> free_numbers_;  // of requests that are answered
  std::deque<Queued> frames_;
  std::list<Queued> held_;    // events without a handler
  std::size_t position_ = 0;  // records of the frame under delivery that were delivered
  std::unordered_map<ConversationId, Seq> acks_;           // told with the next sweep
  std::pair<const ConversationId, Seq>* acked_ = nullptr;  // the one of `acks_` touched last
  std::size_t open_acks_ = 0;
  bool system_ = false;  // the host's own: never ends before the engine
  bool lost_ = false;    // a frame, for want of memory
  bool closing_ = false;
  bool finished_ = false;
  bool revoked_ = false;  // its goodbye said so
  Error why_;
};

}  // namespace parley::inline v0::detail
