// transfer.cpp: what the host moves in and out.
#include "parley/transfer.hpp"

#include <memory>
#include <utility>

#include "core/transfer.hpp"
#include "engine/system_call.hpp"
#include "parley/engine.hpp"
#include "wire/draft.hpp"

namespace parley::inline v0 {
namespace {

using engine::Impl;
using engine::Local;

/// One question of many: any answer will do.
class Question final : public engine::Call {
 public:
  Question(wire::Operation&& asked, std::function<void(Result<wire::Answer>&&)> then)
      : Call(std::move(asked)), then_(std::move(then)) {}
  void answered(wire::Answer&& answer) override { then_(std::move(answer)); }
  void failed(Error error) override { then_(std::move(error)); }

 private:
  std::function<void(Result<wire::Answer>&&)> then_;
};

core::AskSystem asking(const Local& system) {
  return [system](wire::Operation operation, std::function<void(Result<wire::Answer> &&)> then) {
    system->submit(
        engine::CallRef(std::make_shared<Question>(std::move(operation), std::move(then))));
  };
}

template <class T>
using Start = std::function<void(core::AskSystem, core::Then<T>)>;

/// Work of many questions, in the host's name.
template <class T>
Pending<T> work(const Impl& impl, Completion<T> done, const Start<T>& start) {
  return engine::as_system<T>(impl, std::move(done), [&](const Local& system, Completion<T> then) {
    auto result = std::make_shared<detail::ResultOf<T>>(impl, std::uint16_t{0});
    Pending<T> pending(result);
    if (then) pending.then(std::move(then));
    start(asking(system), [result](Result<T> done) { result->finish(std::move(done)); });
    return pending;
  });
}

/// The same about a user, once its id is known.
template <class T>
Pending<T> about(const Impl& impl, std::string subject, Completion<T> done,
                 std::function<void(core::AskSystem, UserId, core::Then<T>)> start) {
  return work<T>(impl, std::move(done), [&](core::AskSystem ask, core::Then<T> then) {
    engine::find_user(impl, std::move(subject),
                      [ask = std::move(ask), then = std::move(then),
                       start = std::move(start)](Result<UserId> user) {
                        user ? start(ask, *user, then) : then(std::move(user).error());
                      });
  });
}

Pending<void> export_user_to(const Impl& impl, std::string subject, ExportSink sink,
                             Completion<void> done) {
  return about<void>(
      impl, std::move(subject), std::move(done),
      [sink = std::move(sink)](core::AskSystem ask, UserId user, core::Then<void> then) {
        core::export_user(std::move(ask), user, sink, std::move(then));
      });
}
Pending<void> export_to(const Impl& impl, const ConversationId& id, ExportSink sink,
                        Completion<void> done) {
  return work<void>(impl, std::move(done), [&](core::AskSystem ask, core::Then<void> then) {
    core::export_conversation(std::move(ask), id, std::move(sink), std::move(then));
  });
}

Pending<ErasedUser> erase(const Impl& impl, std::string subject, Completion<ErasedUser> done) {
  const std::string name = subject;
  return about<ErasedUser>(impl, std::move(subject), std::move(done),
                           [name](core::AskSystem ask, UserId user, core::Then<ErasedUser> then) {
                             core::erase_user(std::move(ask), user, name, std::move(then));
                           });
}

/// What an imported message cannot be; no error when it is nothing of that.
Error check_draft(const MessageDraft& draft) {
  const bool plain = draft.audience == audience::everyone && draft.thread_root == 0 &&
                     !draft.forward && draft.expires_after.count() == 0 && draft.stream == 0;
  if (plain) return {};
  return {Errc::invalid_argument,
          "message: expected one for everybody, in no thread, no forward, that stays"};
}

Pending<std::vector<Ack>> import(const Impl& impl, const ConversationId& id,
                                 std::vector<ImportedMessage> messages,
                                 Completion<std::vector<Ack>> done) {
  wire::Import import;
  import.conversation = id;
  for (ImportedMessage& message : messages) {
    if (Error error = check_draft(message.message))
      return engine::refuse<std::vector<Ack>>(std::move(error), std::move(done));
    wire::Send send = wire::send_of(id, std::move(message.message));
    send.import = {{}, message.written.time_since_epoch().count(), std::move(message.id)};
    import.messages.push_back(std::move(send));
    import.senders.push_back(std::move(message.sender));
  }
  return engine::as_system<std::vector<Ack>>(
      impl, std::move(done), [&](const Local& system, Completion<std::vector<Ack>> then) {
        return engine::start<std::vector<Ack>, wire::Imported>(
            system, std::move(import),
            [](wire::Imported& imported) -> Result<std::vector<Ack>> {
              return std::move(imported.acks);
            },
            std::move(then));
      });
}

}  // namespace

Pending<std::vector<Ack>> Engine::import_messages(const ConversationId& conversation,
                                                  std::vector<ImportedMessage> messages) {
  return import(impl_, conversation, std::move(messages), {});
}
void Engine::import_messages(const ConversationId& conversation,
                             std::vector<ImportedMessage> messages,
                             Completion<std::vector<Ack>> done) {
  import(impl_, conversation, std::move(messages), std::move(done));
}
Pending<void> Engine::export_conversation(const ConversationId& conversation, ExportSink sink) {
  return export_to(impl_, conversation, std::move(sink), {});
}
void Engine::export_conversation(const ConversationId& conversation, ExportSink sink,
                                 Completion<void> done) {
  export_to(impl_, conversation, std::move(sink), std::move(done));
}
Pending<void> Engine::export_user(std::string user, ExportSink sink) {
  return export_user_to(impl_, std::move(user), std::move(sink), {});
}
void Engine::export_user(std::string user, ExportSink sink, Completion<void> done) {
  export_user_to(impl_, std::move(user), std::move(sink), std::move(done));
}
Pending<ErasedUser> Engine::erase_user(std::string user) {
  return erase(impl_, std::move(user), {});
}
void Engine::erase_user(std::string user, Completion<ErasedUser> done) {
  erase(impl_, std::move(user), std::move(done));
}

}  // namespace parley::inline v0
