#include "core/transfer.hpp"

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "parley/limits.hpp"
#include "wire/codec.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

constexpr std::uint32_t page_members = limits::page_members;
constexpr std::uint32_t page_restrictions = limits::page_restrictions;
constexpr std::uint32_t page_list = limits::page_list;
constexpr std::uint32_t page_events = limits::page_events;

/// Lives as long as a question of it is open.
template <class T>
class Work : public std::enable_shared_from_this<Work<T>> {
 public:
  Work(AskSystem ask, Then<T> then) : ask_(std::move(ask)), then_(std::move(then)) {}
  virtual ~Work() = default;

 protected:
  void finish(Result<T> result) {
    if (const Then<T> then = std::exchange(then_, nullptr)) then(std::move(result));
  }
  /// Goes on with the answer; with `absent` when that is `no`; or ends with the error.
  template <class Answer>
  void ask(wire::Operation operation, std::function<void(Answer&)> then,
           std::function<void()> absent = {}, Errc no = Errc::denied) {
    ask_(std::move(operation), [self = this->shared_from_this(), then = std::move(then),
                                absent = std::move(absent), no](Result<wire::Answer>&& answer) {
      Error error;
      if (!answer) {
        error = std::move(answer).error();
      } else if (auto* expected = std::get_if<Answer>(&*answer)) {
        return then(*expected);
      } else if (auto* failed = std::get_if<wire::Failed>(&*answer)) {
        error = std::move(failed->error);
      } else {
        error = {Errc::internal, "the core gave an answer of another type"};
      }
      if (absent && error.errc() == no) return absent();
      self->finish(std::move(error));
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
  AskSystem ask_;
  Then<T> then_;
};

class Export : public Work<void> {
 public:
  Export(AskSystem ask, ExportSink sink, Then<void> then)
      : Work(std::move(ask), std::move(then)), sink_(std::move(sink)) {}

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
          next_place(id);
        });
      });
    });
  }
  /// What the user wrote, and what it deleted for itself alone, one conversation after the other.
  void next_place(UserId user) {
    if (places_.empty()) return finish({});
    const ConversationId id = places_.back();
    places_.pop_back();
    ask<DeletedForMe>(
        wire::OwnDeletionsOf{id, user},
        [this, user, id](DeletedForMe& deleted) {
          if (deleted.messages.empty() || tell(std::move(deleted))) written(user, id);
        },
        [this, user] { next_place(user); });  // gone since
  }
  void written(UserId user, const ConversationId& id) {
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
        [this, user] { next_place(user); });
  }

  ExportSink sink_;
  std::unique_ptr<wire::Codec> json_ = wire::json_codec();
  std::vector<ConversationId> places_;
};

class Erasure : public Work<ErasedUser> {
 public:
  using Work::Work;

  /// What an attempt before this one has done already is absent.
  void user(UserId id, std::string subject) {
    user_ = id;
    subject_ = std::move(subject);
    ask<wire::DeviceList>(
        wire::Devices{id},
        [this](wire::DeviceList& list) {
          devices_ = std::move(list.devices);
          devices();
        },
        [this] { more_places(); });
  }

 private:
  void devices() {
    if (devices_.empty()) return more_places();
    const DeviceId device = devices_.back().id;
    devices_.pop_back();
    ask<wire::Done>(wire::RevokeDevice{device, user_}, [this](wire::Done&) { devices(); });
  }
  /// Again, until no new ones are told: lists follow memberships a little later.
  void more_places() {
    ask<wire::Places>(
        wire::PlacesOf{user_},
        [this](wire::Places& places) {
          for (const ConversationId& id : places.conversations)
            if (seen_.insert(id).second) places_.push_back(id);
          places_.empty() ? conversations_done() : places_left();
        },
        [this] { conversations_done(); });
  }
  void places_left() {
    if (places_.empty()) return more_places();
    const ConversationId id = places_.back();
    places_.pop_back();
    ask<wire::Kept>(
        wire::GetRetention{id},
        [this, id](wire::Kept& kept) {
          if (!kept.retention.hold) return leave(id);
          erased_.held.push_back(id);
          places_left();
        },
        [this] { places_left(); });  // gone since
  }
  /// Out of it first: what comes from the user later is refused. Who cannot be taken out, one of a
  /// pair, may have something on its way until the very end: there is a second look then.
  void leave(const ConversationId& id) {
    ask<wire::Done>(
        wire::Remove{id, user_},
        [this, id](wire::Done&) { messages(id, [this, id] { leave_again(id); }); },
        [this, id] {
          stayed_.push_back(id);
          messages(id, [this] { places_left(); });
        });
  }
  /// Somebody may have taken the user in again meanwhile.
  void leave_again(const ConversationId& id) {
    const Next next = [this] { places_left(); };
    ask<wire::Done>(
        wire::Remove{id, user_}, [next](wire::Done&) { next(); }, next);
  }
  struct Written {
    Seq seq = 0;
    bool message = false;  // else an edit of one that is kept no more
  };
  using AllWritten = std::shared_ptr<std::vector<Written>>;
  void messages(const ConversationId& id, const Next& done) {
    each_page(
        id, 1,
        [this, id, done](wire::HistoryPage& page, const Next& next) {
          auto all = std::make_shared<std::vector<Written>>();
          for (const Payload& record : page.records) {
            const wire::RecordFields fields = wire::read_record(record.bytes());
            if (fields.sender != user_ || fields.deleted) continue;
            const bool message = fields.kind == EventKind::message;
            if (message || (fields.kind == EventKind::edited && fields.about < page.floor))
              all->push_back({fields.seq, message});
          }
          remove(id, all, next, [this, id, done] { messages(id, done); });
        },
        done);
  }
  /// `again`: what was to go is below the floor since.
  void remove(const ConversationId& id, const AllWritten& all, const Next& next,
              const Next& again) {
    if (all->empty()) return next();
    const Written each = all->back();
    all->pop_back();
    ask<wire::Done>(
        wire::Delete{id, each.seq},
        [this, id, all, each, next, again](wire::Done&) {
          if (each.message) ++erased_.messages;
          remove(id, all, next, again);
        },
        again, Errc::invalid_argument);
  }
  void conversations_done() {
    if (!erased_.held.empty()) return finish(std::move(erased_));
    ask<wire::Done>(wire::Forget{user_, subject_}, [this](wire::Done&) { stayed_left(); });
  }
  void stayed_left() {
    if (stayed_.empty()) return finish(std::move(erased_));
    const ConversationId id = stayed_.back();
    stayed_.pop_back();
    messages(id, [this] { stayed_left(); });
  }

  UserId user_;
  std::string subject_;
  std::vector<Device> devices_;
  std::vector<ConversationId> places_;
  std::set<ConversationId> seen_;
  std::vector<ConversationId> stayed_;  // the user is in them still
  ErasedUser erased_;
};

}  // namespace

void export_conversation(AskSystem ask, const ConversationId& id, ExportSink sink,
                         Then<void> then) {
  std::make_shared<Export>(std::move(ask), std::move(sink), std::move(then))->conversation(id);
}
void export_user(AskSystem ask, UserId user, ExportSink sink, Then<void> then) {
  std::make_shared<Export>(std::move(ask), std::move(sink), std::move(then))->user(user);
}
void erase_user(AskSystem ask, UserId user, std::string subject, Then<ErasedUser> then) {
  std::make_shared<Erasure>(std::move(ask), std::move(then))->user(user, std::move(subject));
}

}  // namespace parley::core
