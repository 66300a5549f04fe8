// frame_reader.cpp: binary frames to messages; every length is checked before it is used, every
// copy is paid for.
#include <optional>
#include <type_traits>

#include "base/utf8.hpp"
#include "wire/frame.hpp"

namespace parley::wire {
namespace {

template <class T>
using Vector = flatbuffers::Vector<T>;
using Texts = Vector<flatbuffers::Offset<flatbuffers::String>>;

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(static_cast<void*>(&value), from, sizeof value);
  return value;
}

// Reads one frame. Offsets of a hostile frame may share one long text many times: what is copied
// or scanned is charged against the frame's size, so work and memory stay linear (I12).
class FrameReader {
 public:
  FrameReader(const FrameHeader& header, Bytes frame, const Payload* message)
      : header_(header), frame_(frame), message_(message), budget_(frame.size()) {}

  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] bool ok() const noexcept { return problem_.empty(); }
  [[nodiscard]] const FrameHeader& header() const noexcept { return header_; }

  void fail(const char* field, const char* expected) {
    if (ok()) problem_ = std::string(field) + ": expected " + expected;
  }

  template <class T>
  const T* root() {
    const Bytes body = frame_.substr(FrameHeader::size);
    if (body.size() < 8 || body.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) {
      fail("frame", "a body");
      return nullptr;
    }
    const auto* data = reinterpret_cast<const std::uint8_t*>(body.data());
    flatbuffers::Verifier verifier(data, body.size(), 16,
                                   static_cast<flatbuffers::uoffset_t>(body.size() / 8));
    if (!verifier.VerifyBuffer<T>(nullptr)) {
      fail("frame", "a valid FlatBuffers table of its type");
      return nullptr;
    }
    return flatbuffers::GetRoot<T>(data);
  }

  // The verifier does not look at the alignment of a vector's elements. All structs here need 8.
  bool aligned(const std::uint8_t* elements) {
    if (reinterpret_cast<std::uintptr_t>(elements) % 8 != 0) fail("frame", "8-aligned elements");
    return ok();
  }
  bool charge(std::size_t size) {
    if (size > budget_) {
      fail("frame", "parts that together are no larger than it");
      budget_ = 0;
      return false;
    }
    budget_ -= size;
    return ok();
  }
  template <class Id>
  void id(Id& out, const fb::Bytes16* from, const char* field) {
    if (from == nullptr) return fail(field, "16 bytes");
    std::memcpy(out.bytes.data(), from, out.bytes.size());
  }
  void cursor(Cursor& out, const fb::Cursor& from) {
    std::memcpy(out.epoch.bytes.data(), &from.epoch(), out.epoch.bytes.size());
    out.seq = from.seq();
    out.mark = from.mark();
  }
  void text(std::string& out, const flatbuffers::String* from, const char* field) {
    if (from == nullptr || !charge(from->size())) return;
    const std::string_view view(from->c_str(), from->size());
    if (!base::valid_utf8(view)) return fail(field, "UTF-8");
    out = view;
  }
  void bytes(std::string& out, const Vector<std::uint8_t>* from) {
    if (from == nullptr || !charge(from->size())) return;
    out.assign(reinterpret_cast<const char*>(from->data()), from->size());
  }
  void payload(Payload& out, const Vector<std::uint8_t>* from) {
    if (from == nullptr || from->size() == 0 || !charge(from->size())) return;
    out = Payload::copy_of({reinterpret_cast<const char*>(from->data()), from->size()});
  }
  void texts(std::vector<std::string>& out, const Texts* from, const char* field) {
    if (from == nullptr || !charge(from->size() * std::size_t{4})) return;
    out.reserve(from->size());
    for (const auto* item : *from) {
      text(out.emplace_back(), item, field);
      if (!ok()) return;
    }
  }
  void users(std::vector<UserId>& out, const Vector<std::uint64_t>* from) {
    if (from == nullptr || from->size() == 0 || !aligned(from->Data())) return;
    if (!charge(from->size() * sizeof(std::uint64_t))) return;
    out.reserve(from->size());
    for (const std::uint64_t user : *from) out.push_back(UserId{user});
  }
  template <class To, class From, class F>
  void each(std::vector<To>& out, const Vector<From>* from, std::size_t size, const F& read) {
    if (from == nullptr || !charge(from->size() * size)) return;
    if (from->size() == 0 || (std::is_pointer_v<From> && !aligned(from->Data()))) return;
    out.reserve(from->size());
    for (const auto* item : *from) {
      read(out.emplace_back(), *item);
      if (!ok()) return;
    }
  }
  /// Foreign bytes become a record only when they verify.
  void record(Payload& out, const Vector<std::uint8_t>* from, const char* field) {
    payload(out, from);
    if (ok() && !out.empty() && !verify_record(out.bytes())) fail(field, "a record");
  }
  void records(std::size_t at, const RecordsHeader& head, std::vector<Payload>& out);
  /// The fixed part of events and history_page.
  bool records_header(RecordsHeader& head, std::size_t size) {
    if (frame_.size() < size) {
      fail("frame", "a complete fixed part");
      return false;
    }
    head = load<RecordsHeader>(frame_.data() + FrameHeader::size);
    return true;
  }
  [[nodiscard]] Bytes frame() const noexcept { return frame_; }

 private:
  FrameHeader header_;
  Bytes frame_;
  const Payload* message_;  // what records are slices of; null for requests
  std::size_t budget_;
  std::string problem_;
};

void FrameReader::records(std::size_t at, const RecordsHeader& head, std::vector<Payload>& out) {
  if (head.count > (frame_.size() - at) / 16) return fail("count", "as many records as follow");
  out.reserve(head.count);
  for (std::uint32_t i = 0; i < head.count; ++i) {
    const std::size_t left = frame_.size() - at;
    const std::size_t size =
        left < 16 ? 0 : std::size_t{load<std::uint32_t>(frame_.data() + at)} + 4;
    if (size < 16 || size > left || size % 8 != 0) {
      return fail("records", "a length that fits the frame and is a multiple of 8");
    }
    const Bytes bytes = frame_.substr(at, size);
    const auto fields = verify_record(bytes);
    if (!fields) return fail("records", "a valid record");
    if (fields->seq != head.first + i) return fail("records", "consecutive seqs from first");
    out.emplace_back(message_->owner(), bytes);
    at += size;
  }
  if (at != frame_.size()) fail("records", "nothing after the last one");
}

// ---- Requests. ----

void read(FrameReader& r, Hello& v) {
  const auto* t = r.root<fb::Hello>();
  if (t == nullptr) return;
  v.min_version = t->min_version();
  v.max_version = t->max_version();
  r.text(v.token, t->token(), "hello.token");
  r.bytes(v.ticket, t->ticket());
  r.text(v.device, t->device(), "hello.device");
  r.bytes(v.sync_token, t->sync_token());
}
void read(FrameReader& r, Send& v) {
  const auto* t = r.root<fb::Send>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "send.conversation");
  v.number = t->number();
  v.random = t->random();
  v.settled = t->settled();
  r.text(v.content_type, t->content_type(), "send.content_type");
  r.payload(v.body, t->body());
  v.reply_to = t->reply_to();
}
void read_kind(FrameReader& r, ConversationKind& kind, std::uint8_t value, const char* field) {
  if (value < 1 || value > 3) return r.fail(field, "1, 2 or 3");
  kind = static_cast<ConversationKind>(value);
}
void read_level(FrameReader& r, Level& level, std::uint8_t value, const char* field) {
  if (value > 2) return r.fail(field, "0, 1 or 2");
  level = static_cast<Level>(value);
}
void read(FrameReader& r, Create& v) {
  const auto* t = r.root<fb::CreateConversation>();
  if (t == nullptr) return;
  read_kind(r, v.kind, t->kind(), "create.kind");
  r.text(v.title, t->title(), "create.title");
  if (t->nonce() != nullptr) r.id(v.nonce, t->nonce(), "create.nonce");
  r.texts(v.members, t->members(), "create.members");
}
void read(FrameReader& r, Direct& v) {
  if (const auto* t = r.root<fb::Direct>()) r.text(v.peer, t->peer(), "direct.peer");
}
void read(FrameReader& r, Join& v) {
  if (const auto* t = r.root<fb::Join>()) {
    r.id(v.conversation, t->conversation(), "join.conversation");
  }
}
void read(FrameReader& r, Leave& v) {
  if (const auto* t = r.root<fb::Leave>()) {
    r.id(v.conversation, t->conversation(), "leave.conversation");
  }
}
void read(FrameReader& r, Add& v) {
  const auto* t = r.root<fb::Add>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "add.conversation");
  r.texts(v.members, t->members(), "add.members");
}
void read(FrameReader& r, Remove& v) {
  const auto* t = r.root<fb::Remove>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "remove.conversation");
  v.user = UserId{t->user()};
}
void read(FrameReader& r, SetRole& v) {
  const auto* t = r.root<fb::SetRole>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "set_role.conversation");
  v.user = UserId{t->user()};
  v.role = static_cast<Role>(t->role());
}
void read(FrameReader& r, SetTitle& v) {
  const auto* t = r.root<fb::SetTitle>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "set_title.conversation");
  r.text(v.title, t->title(), "set_title.title");
}
void read(FrameReader& r, Subscribe& v) {
  const auto* t = r.root<fb::Subscribe>();
  if (t == nullptr) return;
  r.each(v.items, t->items(), 4, [&](Subscribe::Item& item, const fb::SubscribeItem& from) {
    if (!r.charge(4)) return;  // a table may be shared too
    r.id(item.conversation, from.conversation(), "subscribe.items.conversation");
    read_level(r, item.level, from.level(), "subscribe.items.level");
    if (from.cursor() == nullptr) return;
    r.cursor(item.cursor.emplace(), *from.cursor());
    if (!item.cursor->epoch) {
      r.fail("subscribe.items.cursor.epoch", "an epoch that is not all zero");
    }
  });
}
void read(FrameReader& r, History& v) {
  const auto* t = r.root<fb::History>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "history.conversation");
  v.from = t->from();
  v.backward = t->backward();
  v.limit = t->limit();
}
void read(FrameReader& r, MarkRead& v) {
  const auto* t = r.root<fb::MarkRead>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "mark_read.conversation");
  v.received = t->received();
  v.read = t->read();
}
void read(FrameReader& r, SendSignal& v) {
  const auto* t = r.root<fb::Signal>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "signal.conversation");
  r.text(v.kind, t->kind(), "signal.kind");
  r.bytes(v.data, t->data());
}
void read(FrameReader& r, Watch& v) {
  const auto* t = r.root<fb::Watch>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "watch.conversation");
  r.users(v.users, t->users());
}
void read(FrameReader& r, Members& v) {
  const auto* t = r.root<fb::Members>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "members.conversation");
  v.after = UserId{t->after()};
  v.limit = t->limit();
}
void read(FrameReader& r, Lookup& v) {
  if (const auto* t = r.root<fb::Lookup>()) r.users(v.users, t->users());
}
void read(FrameReader& r, Sync& v) {
  if (const auto* t = r.root<fb::Sync>()) r.bytes(v.token, t->token());
}
void read(FrameReader& r, Edit& v) {
  const auto* t = r.root<fb::Edit>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "edit.conversation");
  v.seq = t->seq();
  r.text(v.content_type, t->content_type(), "edit.content_type");
  r.payload(v.body, t->body());
}
void read(FrameReader& r, Delete& v) {
  const auto* t = r.root<fb::DeleteMessage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "delete.conversation");
  v.seq = t->seq();
}
void read(FrameReader& r, React& v) {
  const auto* t = r.root<fb::React>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "react.conversation");
  v.seq = t->seq();
  r.text(v.key, t->key(), "react.key");
  v.on = t->on();
}
void read(FrameReader& r, Pin& v) {
  const auto* t = r.root<fb::Pin>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "pin.conversation");
  v.seq = t->seq();
  v.on = t->on();
}
void read(FrameReader& r, Pins& v) {
  if (const auto* t = r.root<fb::Pins>()) {
    r.id(v.conversation, t->conversation(), "pins.conversation");
  }
}
void read(FrameReader& r, Reactors& v) {
  const auto* t = r.root<fb::Reactors>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "reactors.conversation");
  v.seq = t->seq();
  r.text(v.key, t->key(), "reactors.key");
  v.after = UserId{t->after()};
  v.limit = t->limit();
}
void read(FrameReader& r, SetList& v) {
  const auto* t = r.root<fb::SetList>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "set_list.conversation");
  const auto take = [](auto& out, const auto& given) {
    if (given.has_value()) out = *given;
  };
  take(v.settings.pinned, t->pinned());
  take(v.settings.archived, t->archived());
  take(v.settings.marked_unread, t->marked_unread());
  if (t->muted_until().has_value())
    v.settings.muted_until = WallTime(std::chrono::milliseconds(*t->muted_until()));
  if (t->draft() != nullptr) r.text(v.settings.draft.emplace(), t->draft(), "set_list.draft");
}
void read(FrameReader& r, Ping&) { r.root<fb::Ping>(); }
void read(FrameReader& r, Bye&) { r.root<fb::Bye>(); }

// ---- Answers. ----

WallTime time_of(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

void read(FrameReader& r, ListEntry& v, const fb::ListEntry& t) {
  r.id(v.conversation, t.conversation(), "entry.conversation");
  read_kind(r, v.kind, t.kind(), "entry.kind");
  r.text(v.title, t.title(), "entry.title");
  v.peer = UserId{t.peer()};
  v.role = static_cast<Role>(t.role());
  v.visible_from = t.visible_from();
  if (t.head() == nullptr) return r.fail("entry.head", "a cursor");
  r.cursor(v.head, *t.head());
  v.head_ordinal = t.head_ordinal();
  v.received = t.received();
  v.read = t.read();
  v.unread = t.unread();
  v.last_activity = time_of(t.last_activity());
  v.pinned = t.pinned();
  v.archived = t.archived();
  v.marked_unread = t.marked_unread();
  v.muted_until = time_of(t.muted_until());
  r.text(v.draft, t.draft(), "entry.draft");
  v.drafted = time_of(t.drafted());
  r.record(v.last_record, t.last(), "entry.last");
}
void read(FrameReader& r, ListChanged& v, const fb::List& t) {
  v.whole = t.whole();
  r.each(v.entries, t.entries(), 4,
         [&](ListEntry& entry, const fb::ListEntry& from) { read(r, entry, from); });
  r.each(v.removed, t.removed(), sizeof(fb::Bytes16),
         [&](ConversationId& id, const fb::Bytes16& from) { r.id(id, &from, "list.removed"); });
  r.bytes(v.token, t.token());
}
void read(FrameReader& r, ListChanged& v) {
  if (const auto* t = r.root<fb::List>()) read(r, v, *t);
}
void read(FrameReader& r, Welcome& v) {
  const auto* t = r.root<fb::Welcome>();
  if (t == nullptr) return;
  v.version = t->version();
  v.session = t->session();
  v.user = UserId{t->user()};
  v.device = DeviceId{t->device()};
  r.text(v.subject, t->subject(), "welcome.subject");
  v.heartbeat_ms = t->heartbeat_ms();
  v.max_body = t->max_body();
  r.bytes(v.ticket, t->ticket());
  if (t->list() != nullptr) read(r, v.list, *t->list());
}
void read(FrameReader& r, Done&) { r.root<fb::Done>(); }
void read(FrameReader& r, Failed& v) {
  const auto* t = r.root<fb::Error>();
  if (t == nullptr) return;
  if (t->code() <= 0) return r.fail("error.code", "a positive number");
  v.error.code = std::error_code(t->code(), error_category());
  r.text(v.error.message, t->message(), "error.message");
  v.error.retry_after = std::chrono::milliseconds(t->retry_after_ms());
  v.error.next = t->next();
}
void read(FrameReader& r, Acked& v) {
  const auto* t = r.root<fb::Ack>();
  if (t == nullptr) return;
  r.id(v.ack.conversation, t->conversation(), "ack.conversation");
  v.ack.seq = t->seq();
  v.ack.time = time_of(t->time());
  v.ack.number = t->number();
  v.ack.repeated = t->repeated();
}
void read(FrameReader& r, Opened& v) {
  const auto* t = r.root<fb::Opened>();
  if (t == nullptr) return;
  if (t->entry() == nullptr) return r.fail("opened.entry", "a list entry");
  read(r, v.entry, *t->entry());
}
void read(FrameReader& r, Subscribed& v) {
  const auto* t = r.root<fb::Subscribed>();
  if (t == nullptr) return;
  r.each(v.answers, t->answers(), 4, [&](ResumeAnswer& answer, const fb::ResumeAnswer& from) {
    if (!r.charge(4)) return;
    r.id(answer.conversation, from.conversation(), "subscribed.answers.conversation");
    read_level(r, answer.level, from.level(), "subscribed.answers.level");
    if (from.answer() < 1 || from.answer() > 8) {
      return r.fail("subscribed.answers.answer", "1 to 8");
    }
    answer.answer = static_cast<Resume>(from.answer());
    if (from.head() != nullptr) r.cursor(answer.head, *from.head());
    answer.head_ordinal = from.head_ordinal();
    answer.floor = from.floor();
    answer.floor_mark = from.floor_mark();
    answer.last_visible = from.last_visible();
  });
}
void read(FrameReader& r, Events& v) {
  constexpr std::size_t fixed = FrameHeader::size + sizeof(RecordsHeader);
  RecordsHeader head;
  if (!r.records_header(head, fixed)) return;
  v.conversation = head.conversation;
  v.epoch = head.epoch;
  v.first = head.first;
  v.mark = head.mark;
  if (head.count == 0) return r.fail("events.count", "at least one record");
  r.records(fixed, head, v.records);
}
void read(FrameReader& r, HeadMoved& v) {
  const auto* t = r.root<fb::HeadMoved>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "head_moved.conversation");
  if (t->head() == nullptr) return r.fail("head_moved.head", "a cursor");
  r.cursor(v.head, *t->head());
  v.head_ordinal = t->head_ordinal();
}
void read(FrameReader& r, HistoryPage& v) {
  constexpr std::size_t fixed = FrameHeader::size + sizeof(RecordsHeader) + sizeof(Seq);
  RecordsHeader head;
  if (!r.records_header(head, fixed)) return;
  v.conversation = head.conversation;
  v.epoch = head.epoch;
  v.first = head.first;
  v.mark = head.mark;
  v.more = (r.header().flags & FrameHeader::more) != 0;
  v.floor = load<Seq>(r.frame().data() + fixed - sizeof(Seq));
  r.records(fixed, head, v.records);
}
void read_receipts(FrameReader& r, std::vector<Receipt>& out,
                   const Vector<const fb::Receipt*>* from) {
  r.each(out, from, sizeof(fb::Receipt), [](Receipt& v, const fb::Receipt& t) {
    v = {UserId{t.user()}, t.received(), t.read()};
  });
}
void read(FrameReader& r, ReceiptsMoved& v) {
  const auto* t = r.root<fb::Receipts>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "receipts.conversation");
  read_receipts(r, v.receipts, t->receipts());
}
void read(FrameReader& r, Signalled& v) {
  const auto* t = r.root<fb::Signalled>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "signalled.conversation");
  v.sender = UserId{t->sender()};
  r.text(v.kind, t->kind(), "signalled.kind");
  r.bytes(v.data, t->data());
}
void read(FrameReader& r, PresenceChanged& v) {
  const auto* t = r.root<fb::PresenceChanged>();
  if (t == nullptr) return;
  r.each(v.users, t->users(), sizeof(fb::Presence), [](Presence& p, const fb::Presence& from) {
    p = {UserId{from.user()}, from.online(), time_of(from.last_seen())};
  });
}
void read(FrameReader& r, MembersPage& v) {
  const auto* t = r.root<fb::MembersPage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "members_page.conversation");
  r.each(v.members, t->members(), sizeof(fb::Member), [](Member& m, const fb::Member& from) {
    m = {UserId{from.user()}, static_cast<Role>(from.role()), time_of(from.since()),
         from.visible_from()};
  });
  read_receipts(r, v.receipts, t->receipts());
  v.count = t->count();
  v.more = t->more();
}
void read(FrameReader& r, Names& v) {
  const auto* t = r.root<fb::Names>();
  if (t == nullptr) return;
  r.each(v.users, t->users(), 4, [&](UserName& name, const fb::UserName& from) {
    name.id = UserId{from.id()};
    r.text(name.subject, from.subject(), "names.users.subject");
  });
}
void read(FrameReader& r, Messages& v) {
  const auto* t = r.root<fb::Messages>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "messages.conversation");
  r.each(v.records, t->records(), 4, [&](Payload& record, const fb::RecordBytes& from) {
    r.record(record, from.record(), "messages.records");
    if (r.ok() && record.empty()) r.fail("messages.records", "a record");
  });
}
void read(FrameReader& r, ReactorsPage& v) {
  const auto* t = r.root<fb::ReactorsPage>();
  if (t == nullptr) return;
  r.id(v.conversation, t->conversation(), "reactors_page.conversation");
  v.seq = t->seq();
  r.users(v.users, t->users());
  v.more = t->more();
}
void read(FrameReader& r, Goodbye& v) {
  const auto* t = r.root<fb::Goodbye>();
  if (t == nullptr) return;
  r.text(v.reason, t->reason(), "goodbye.reason");
  v.spread_ms = t->spread_ms();
  v.reconnect = t->reconnect();
}

// ---- Dispatch. ----

template <class T, class Variant>
void read_as(FrameReader& r, Variant& out) {
  read(r, out.template emplace<T>());
}
constexpr std::uint8_t type(fb::FrameType value) { return static_cast<std::uint8_t>(value); }

using ReadOperation = void (*)(FrameReader&, Operation&);
// Index: type - 1.
constexpr ReadOperation read_operation[] = {
    read_as<Hello, Operation>,    read_as<Send, Operation>,       read_as<Create, Operation>,
    read_as<Direct, Operation>,   read_as<Join, Operation>,       read_as<Leave, Operation>,
    read_as<Add, Operation>,      read_as<Remove, Operation>,     read_as<SetRole, Operation>,
    read_as<SetTitle, Operation>, read_as<Subscribe, Operation>,  read_as<History, Operation>,
    read_as<MarkRead, Operation>, read_as<SendSignal, Operation>, read_as<Watch, Operation>,
    read_as<Members, Operation>,  read_as<Lookup, Operation>,     read_as<Sync, Operation>,
    read_as<Ping, Operation>,     read_as<Bye, Operation>,        read_as<Edit, Operation>,
    read_as<Delete, Operation>,   read_as<React, Operation>,      read_as<Pin, Operation>,
    read_as<Pins, Operation>,     read_as<Reactors, Operation>,   read_as<SetList, Operation>};
static_assert(std::size(read_operation) == type(fb::FrameType::set_list));

using ReadAnswer = void (*)(FrameReader&, Answer&);
// Index: type - 64.
constexpr ReadAnswer read_answer[] = {
    read_as<Welcome, Answer>,         read_as<Done, Answer>,        read_as<Failed, Answer>,
    read_as<Acked, Answer>,           read_as<Opened, Answer>,      read_as<Subscribed, Answer>,
    read_as<ListChanged, Answer>,     read_as<HeadMoved, Answer>,   read_as<Events, Answer>,
    read_as<ReceiptsMoved, Answer>,   read_as<HistoryPage, Answer>, read_as<Signalled, Answer>,
    read_as<PresenceChanged, Answer>, read_as<MembersPage, Answer>, read_as<Names, Answer>,
    read_as<Goodbye, Answer>,         read_as<Messages, Answer>,    read_as<ReactorsPage, Answer>};
static_assert(std::size(read_answer) ==
              type(fb::FrameType::reactors_page) - type(fb::FrameType::welcome) + 1);

Result<void> decode(FrameReader& r, std::vector<Request>& out) {
  Request request;
  request.number = r.header().request;
  if (request.number == 0) {
    return Error{Errc::protocol_error, "request: expected a number that is not zero"};
  }
  const std::size_t index = std::size_t{r.header().type} - 1;
  if (index < std::size(read_operation)) {
    read_operation[index](r, request.operation);
  } else {
    request.operation = Unknown{std::to_string(r.header().type)};
  }
  if (!r.ok()) return Error{Errc::protocol_error, r.problem()};
  out.push_back(std::move(request));
  return {};
}

Result<void> decode(FrameReader& r, std::vector<Reply>& out) {
  Reply reply;
  reply.request = r.header().request;
  const std::size_t index = std::size_t{r.header().type} - type(fb::FrameType::welcome);
  if (index < std::size(read_answer)) {
    read_answer[index](r, reply.answer);
  } else if (reply.request == 0) {
    return {};  // a push of a later version
  } else {
    reply.answer = Failed{
        Error{Errc::unsupported, "unknown type of answer: " + std::to_string(r.header().type)}};
  }
  if (!r.ok()) return Error{Errc::protocol_error, r.problem()};
  out.push_back(std::move(reply));
  return {};
}

template <class T>
Result<void> read_all(Bytes message, const Payload* owner, std::vector<T>& out) {
  const std::size_t before = out.size();
  Result<void> result;
  if (message.empty()) result = Error{Errc::protocol_error, "message: expected a frame"};
  while (result && !message.empty()) {
    FrameHeader header;
    if (message.size() >= FrameHeader::size) header = load<FrameHeader>(message.data());
    if (header.length < FrameHeader::size || header.length > message.size() ||
        header.length % 8 != 0) {
      result = Error{Errc::protocol_error,
                     "frame.length: expected 16 up to the end of the message, a multiple of 8"};
      break;
    }
    FrameReader reader(header, message.substr(0, header.length), owner);
    result = decode(reader, out);
    message.remove_prefix(header.length);
  }
  if (!result) out.erase(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
  return result;
}

}  // namespace

Result<void> read_frames(Bytes message, std::vector<Request>& out) {
  return read_all(message, nullptr, out);
}
Result<void> read_frames(const Payload& message, std::vector<Reply>& out) {
  return read_all(message.bytes(), &message, out);
}

}  // namespace parley::wire
