// transfer.cpp: what the host moves in and out, one question to the core after the other.
#include "parley/transfer.hpp"

#include <memory>
#include <utility>

#include "engine/system_call.hpp"
#include "parley/engine.hpp"
#include "parley/limits.hpp"
#include "wire/codec.hpp"
#include "wire/draft.hpp"
#include "wire/record.hpp"

namespace parley::inline v0 {
namespace {

using engine::Impl;
using engine::Local;

constexpr std::uint32_t page_members = limits::page_members;
constexpr std::uint32_t page_restrictions = limits::page_restrictions;
constexpr std::uint32_t page_list = limits::page_list;
constexpr std::uint32_t page_events = limits::page_events;

/// Work of many questions, in the host's name. Lives as long as one of them is open. Thread: the
/// shard of the system's session.
template <class T>
class Work : public std::enable_shared_from_this<Work<T>> {
 public:
  Work(const Impl& impl, Completion<T> done)
      : system_(engine::system_of(impl)),
        result_(std::make_shared<detail::ResultOf<T>>(impl, std::uint16_t{0})) {
    pending_.emplace(result_);
    if (done) pending_->then(std::move(done));
    if (!system_) finish(engine::why_none(impl));
  }
  virtual ~Work() = default;
  Pending<T> pending() { return *std::exchange(pending_, std::nullopt); }
  [[nodiscard]] bool over() const noexcept { return over_; }

 protected:
  void finish(Result<T> result) {
    if (!std::exchange(over_, true)) result_->finish(std::move(result));
  }
  /// Goes on with the answer; with `absent` when there is no such thing, or ends with the error.
  template <class Answer>
  void ask(wire::Operation operation, std::function<void(Answer&)> then,
           std::function<void()> absent = {}) {
    engine::start<Answer, Answer>(
        system_, std::move(operation),
        [](Answer& answer) -> Result<Answer> { return std::move(answer); },
        [self = this->shared_from_this(), then = std::move(then),
         absent = std::move(absent)](Result<Answer> answer) {
          if (answer) return then(*answer);
          if (absent && answer.error().errc() == Errc::denied) return absent();
          self->finish(std::move(answer).error());
        });
  }
  using Next = std::function<void()>;
  /// All events of a conversation, page by page; `page` calls what it is given when it is ready
  /// for the next one.
  void each_page(ConversationId id, Seq from, std::function<void(wire::HistoryPage&, Next)> page,
                 Next end) {
    ask<wire::HistoryPage>(
        wire::History{id, from, false, page_events},
        [this, id, page, end](wire::HistoryPage& answer) {
          const Seq next = answer.first + answer.records.size();
          if (answer.records.empty()) return end();
          const bool more = answer.more;
          page(answer, [this, id, next, more, page, end] {
            more ? each_page(id, next, page, end) : end();
          });
        },
        end);
  }

 private:
  Local system_;
  std::shared_ptr<detail::ResultOf<T>> result_;
  std::optional<Pending<T>> pending_;
  bool over_ = false;
};

class Export : public Work<void> {
 public:
  Export(const Impl& impl, ExportSink sink, Completion<void> done)
      : Work(impl, std::move(done)), sink_(std::move(sink)) {}

  void conversation(const ConversationId& id) {
    ask<wire::Info>(wire::GetInfo{id}, [this, id](wire::Info& info) {
      if (!tell(info)) return;
      const bool pair = info.info.kind == ConversationKind::direct;
      ask<wire::Kept>(wire::GetRetention{id}, [this, id, pair](wire::Kept& kept) {
        if (tell(kept)) members(id, {}, pair);
      });
    });
  }
  void user(UserId id) {
    ask<UserSettings>(wire::SetUser{{}, id}, [this, id](UserSettings& settings) {
      if (!tell(settings)) return;
      ask<wire::DeviceList>(wire::Devices{id}, [this, id](wire::DeviceList& devices) {
        if (tell(devices)) list(id, wire::PageList{.limit = page_list, .user = id});
      });
    });
  }
  using Work::finish;

 private:
  /// False: the export is over.
  bool tell(wire::Answer answer) {
    const Payload line = json_->encode(wire::Reply{0, std::move(answer)});
    bool more = false;
    try {
      more = sink_(line.bytes());
    } catch (...) {
      finish(Error{Errc::internal, "the sink of an export threw"});
    }
    if (!more) finish({});
    return more;
  }

  void members(const ConversationId& id, UserId after, bool pair) {
    ask<wire::MembersPage>(wire::Members{id, after, page_members},
                           [this, id, pair](wire::MembersPage& page) {
                             const bool more = page.more && !page.members.empty();
                             const UserId last = more ? page.members.back().user : UserId{};
                             if (!tell(std::move(page))) return;
                             if (more) return members(id, last, pair);
                             pair ? events(id) : restrictions(id, RestrictionKind::mute, {});
                           });
  }
  void restrictions(const ConversationId& id, RestrictionKind kind, UserId after) {
    ask<wire::RestrictionsPage>(wire::Restrictions{id, kind, after, page_restrictions},
                                [this, id, kind](wire::RestrictionsPage& page) {
                                  const bool more = page.more && !page.users.empty();
                                  const UserId last = more ? page.users.back().user : UserId{};
                                  if (!tell(std::move(page))) return;
                                  if (more) return restrictions(id, kind, last);
                                  if (kind == RestrictionKind::mute)
                                    return restrictions(id, RestrictionKind::ban, {});
                                  events(id);
                                });
  }
  void events(const ConversationId& id) {
    each_page(
        id, 1,
        [this](wire::HistoryPage& page, const Next& next) {
          if (tell(std::move(page))) next();
        },
        [this] { finish({}); });
  }

  void list(UserId id, const wire::PageList& asked) {
    ask<wire::ListPage>(asked, [this, id, asked](wire::ListPage& page) {
      wire::PageList next = asked;
      const bool more = page.more && !page.entries.empty();
      if (more) next.after_activity = page.entries.back().last_activity;
      if (more) next.after = page.entries.back().conversation;
      if (!tell(std::move(page))) return;
      if (more) return list(id, next);
      ask<wire::Scheduled>(wire::ListScheduled{id}, [this, id](wire::Scheduled& scheduled) {
        if (!tell(std::move(scheduled))) return;
        ask<wire::Places>(wire::PlacesOf{id}, [this, id](wire::Places& places) {
          places_ = std::move(places.conversations);
          written(id);
        });
      });
    });
  }
  /// What the user wrote, one conversation after the other.
  void written(UserId user) {
    if (places_.empty()) return finish({});
    const ConversationId id = places_.back();
    places_.pop_back();
    each_page(
        id, 1,
        [this, user, id](wire::HistoryPage& page, const Next& next) {
          wire::Messages own{id, {}};
          for (Payload& record : page.records) {
            const wire::RecordFields fields = wire::read_record(record.bytes());
            if (fields.kind == EventKind::message && fields.sender == user && !fields.deleted)
              own.records.push_back(std::move(record));
          }
          if (own.records.empty() || tell(std::move(own))) next();
        },
        [this, user] { written(user); });
  }

  ExportSink sink_;
  std::unique_ptr<wire::Codec> json_ = wire::json_codec();
  std::vector<ConversationId> places_;
};

class Erasure : public Work<ErasedUser> {
 public:
  Erasure(const Impl& impl, Completion<ErasedUser> done) : Work(impl, std::move(done)) {}

  void user(UserId id) {
    user_ = id;
    ask<wire::DeviceList>(wire::Devices{id}, [this](wire::DeviceList& list) {
      devices_ = std::move(list.devices);
      devices();
    });
  }
  using Work::finish;

 private:
  void devices() {
    if (devices_.empty()) {
      return ask<wire::Places>(wire::PlacesOf{user_}, [this](wire::Places& places) {
        places_ = std::move(places.conversations);
        places_left();
      });
    }
    const DeviceId device = devices_.back().id;
    devices_.pop_back();
    ask<wire::Done>(wire::RevokeDevice{device, user_}, [this](wire::Done&) { devices(); });
  }
  void places_left() {
    if (places_.empty()) return conversations_done();
    const ConversationId id = places_.back();
    places_.pop_back();
    ask<wire::Kept>(
        wire::GetRetention{id},
        [this, id](wire::Kept& kept) {
          if (!kept.retention.hold) return messages(id);
          erased_.held.push_back(id);
          places_left();
        },
        [this] { places_left(); });  // gone since
  }
  void messages(const ConversationId& id) {
    each_page(
        id, 1,
        [this, id](wire::HistoryPage& page, const Next& next) {
          auto seqs = std::make_shared<std::vector<Seq>>();
          for (const Payload& record : page.records) {
            const wire::RecordFields fields = wire::read_record(record.bytes());
            if (fields.kind == EventKind::message && fields.sender == user_ && !fields.deleted)
              seqs->push_back(fields.seq);
          }
          remove(id, seqs, next);
        },
        [this, id] {
          const Next next = [this] { places_left(); };
          // No member any more, or one of a pair: denied.
          ask<wire::Done>(
              wire::Remove{id, user_}, [next](wire::Done&) { next(); }, next);
        });
  }
  void remove(const ConversationId& id, const std::shared_ptr<std::vector<Seq>>& seqs,
              const Next& next) {
    if (seqs->empty()) return next();
    const Seq seq = seqs->back();
    seqs->pop_back();
    ask<wire::Done>(wire::Delete{id, seq}, [this, id, seqs, next](wire::Done&) {
      ++erased_.messages;
      remove(id, seqs, next);
    });
  }
  void conversations_done() {
    if (!erased_.held.empty()) return finish(std::move(erased_));
    ask<wire::Done>(wire::Forget{user_}, [this](wire::Done&) { finish(std::move(erased_)); });
  }

  UserId user_;
  std::vector<Device> devices_;
  std::vector<ConversationId> places_;
  ErasedUser erased_;
};

/// Starts the work once the user's id is known.
template <class T, class Job>
Pending<T> about(const Impl& impl, std::string subject, std::shared_ptr<Job> job) {
  Pending<T> pending = job->pending();
  if (job->over()) return pending;
  engine::find_user(impl, std::move(subject), [job](Result<UserId> user) {
    user ? job->user(*user) : job->finish(std::move(user).error());
  });
  return pending;
}

Pending<void> export_user_to(const Impl& impl, std::string subject, ExportSink sink,
                             Completion<void> done) {
  return about<void>(impl, std::move(subject),
                     std::make_shared<Export>(impl, std::move(sink), std::move(done)));
}
Pending<void> export_to(const Impl& impl, const ConversationId& id, ExportSink sink,
                        Completion<void> done) {
  auto job = std::make_shared<Export>(impl, std::move(sink), std::move(done));
  Pending<void> pending = job->pending();
  if (!job->over()) job->conversation(id);
  return pending;
}

/// What an imported message cannot be; no error when it is nothing of that.
Error check_draft(const MessageDraft& draft) {
  const bool plain = draft.audience == audience::everyone && draft.thread_root == 0 &&
                     !draft.forward && draft.expires_after.count() == 0 && draft.stream == 0;
  if (plain) return {};
  return {Errc::invalid_argument,
          "message: one for everybody, in no thread, no forward, that stays was expected"};
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
  return about<ErasedUser>(impl_, std::move(user), std::make_shared<Erasure>(impl_, nullptr));
}
void Engine::erase_user(std::string user, Completion<ErasedUser> done) {
  about<ErasedUser>(impl_, std::move(user), std::make_shared<Erasure>(impl_, std::move(done)));
}

}  // namespace parley::inline v0
