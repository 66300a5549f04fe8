// frame_writer.cpp: messages to binary frames.
#include <algorithm>
#include <type_traits>

#include "wire/frame.hpp"
#include "wire/frame_build.hpp"
#include "wire/frame_types.hpp"
#include "wire/settings_table.hpp"

namespace parley::wire {
namespace {

using wire::build;  // those of other files

Offset<Vector<Offset<flatbuffers::String>>> texts(Builder& b,
                                                  const std::vector<std::string>& values) {
  std::vector<Offset<flatbuffers::String>> offsets;
  offsets.reserve(values.size());
  for (const std::string& value : values) {
    offsets.push_back(b.CreateString(value.data(), value.size()));
  }
  return b.CreateVector(offsets);
}
template <class To, class From, class F>
Offset<Vector<const To*>> structs(Builder& b, const std::vector<From>& values, const F& convert) {
  std::vector<To> out;
  out.reserve(values.size());
  for (const From& value : values) out.push_back(convert(value));
  return b.CreateVectorOfStructs(out);
}
using wire::build;
constexpr std::array<std::uint8_t, 16> no_id{};
Offset<fb::Attachment> build(Builder& b, const Attachment& v);
Offset<fb::Header> build(Builder& b, const MessageHeader& v);
Offset<fb::SubscribeItem> build(Builder& b, const Subscribe::Item& v);
Offset<fb::ListEntry> build(Builder& b, const ListEntry& v);
Offset<fb::ResumeAnswer> build(Builder& b, const ResumeAnswer& v);
Offset<fb::UserName> build(Builder& b, const UserName& v);
Offset<fb::Device> build(Builder& b, const Device& v);
Offset<fb::RecordBytes> build(Builder& b, const Payload& record);
Offset<fb::ScheduledItem> build(Builder& b, const Scheduled::Item& v);
Offset<fb::ThreadState> build(Builder& b, const ThreadState& v);
template <class To, class From>
Offset<Vector<Offset<To>>> tables(Builder& b, const std::vector<From>& values) {
  std::vector<Offset<To>> out;
  out.reserve(values.size());
  for (const From& value : values) out.push_back(build(b, value));
  return b.CreateVector(out);
}
Offset<Vector<const fb::Receipt*>> receipts(Builder& b, const std::vector<Receipt>& values) {
  return structs<fb::Receipt>(
      b, values, [](const Receipt& v) { return fb::Receipt(v.user.value, v.received, v.read); });
}

// ---- Requests. ----

Offset<fb::Attachment> build(Builder& b, const Attachment& v) {
  const auto handle = text(b, v.handle);
  const auto content_type = text(b, v.content_type);
  return fb::CreateAttachment(b, handle, content_type, text(b, v.name), v.size);
}
Offset<fb::Header> build(Builder& b, const MessageHeader& v) {
  const auto name = text(b, v.name);
  return fb::CreateHeader(b, name, text(b, v.value));
}

Offset<fb::Hello> build(Builder& b, const Hello& v) {
  const auto token = text(b, v.token);
  const auto ticket = bytes(b, v.ticket);
  const auto device = text(b, v.device);
  return fb::CreateHello(b, v.min_version, v.max_version, token, ticket, device,
                         bytes(b, v.sync_token), number(v.state), v.list_limit);
}
Offset<fb::PollDraft> build(Builder& b, const PollDraft& v) {
  return fb::CreatePollDraft(b, texts(b, v.options), v.multiple, v.anonymous,
                             v.closes_after.count());
}
Offset<fb::Send> build(Builder& b, const Send& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto content_type = text(b, v.content_type);
  const auto body = bytes(b, v.body.bytes());
  const auto mentions = ids(b, v.extras.mentions);
  const auto attachments = tables<fb::Attachment>(b, v.extras.attachments);
  const auto headers = tables<fb::Header>(b, v.extras.headers);
  const auto forward = bytes16(v.forward ? v.forward->conversation.bytes : no_id);
  const auto poll = v.poll ? build(b, *v.poll) : Offset<fb::PollDraft>();
  return fb::CreateSend(b, &conversation, v.number, v.random, v.settled, content_type, body,
                        v.reply_to, v.audience, mentions, number(v.extras.mention_scope),
                        attachments, headers, v.forward ? &forward : nullptr,
                        v.forward ? v.forward->seq : 0, v.thread_root, v.expires_after_ms, poll,
                        v.stream);
}
Offset<fb::CreateConversation> build(Builder& b, const Create& v) {
  const auto nonce = bytes16(v.nonce.bytes), space = bytes16(v.space.bytes);
  const auto title = text(b, v.title);
  return fb::CreateCreateConversation(b, number(v.kind), title, v.nonce ? &nonce : nullptr,
                                      texts(b, v.members), v.space ? &space : nullptr,
                                      v.join ? number(*v.join) : 0);
}
Offset<fb::Direct> build(Builder& b, const Direct& v) {
  return fb::CreateDirect(b, text(b, v.peer));
}
Offset<fb::Join> build(Builder& b, const Join& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateJoin(b, &conversation);
}
Offset<fb::Leave> build(Builder& b, const Leave& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateLeave(b, &conversation);
}
Offset<fb::Add> build(Builder& b, const Add& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateAdd(b, &conversation, texts(b, v.members));
}
Offset<fb::Remove> build(Builder& b, const Remove& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateRemove(b, &conversation, v.user.value);
}
Offset<fb::SetRole> build(Builder& b, const SetRole& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateSetRole(b, &conversation, v.user.value, number(v.role));
}
Offset<fb::Transfer> build(Builder& b, const Transfer& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateTransfer(b, &conversation, v.user.value);
}
Offset<fb::SetTitle> build(Builder& b, const SetTitle& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateSetTitle(b, &conversation, text(b, v.title));
}
Offset<fb::SubscribeItem> build(Builder& b, const Subscribe::Item& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto cursor = v.cursor ? cursor_of(*v.cursor) : fb::Cursor();
  return fb::CreateSubscribeItem(b, &conversation, number(v.level), v.cursor ? &cursor : nullptr);
}
Offset<fb::Subscribe> build(Builder& b, const Subscribe& v) {
  return fb::CreateSubscribe(b, tables<fb::SubscribeItem>(b, v.items));
}
Offset<fb::History> build(Builder& b, const History& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateHistory(b, &conversation, v.from, v.backward, v.limit);
}
Offset<fb::MarkRead> build(Builder& b, const MarkRead& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateMarkRead(b, &conversation, v.received, v.read);
}
Offset<fb::Signal> build(Builder& b, const SendSignal& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto kind = text(b, v.kind);
  return fb::CreateSignal(b, &conversation, kind, bytes(b, v.data), v.lasts_ms);
}
Offset<fb::Members> build(Builder& b, const Members& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateMembers(b, &conversation, v.after.value, v.limit, text(b, v.prefix));
}
Offset<fb::Lookup> build(Builder& b, const Lookup& v) {
  return fb::CreateLookup(b, ids(b, v.users));
}
Offset<fb::Sync> build(Builder& b, const Sync& v) {
  const auto conversations = ids(b, v.conversations);
  return fb::CreateSync(b, bytes(b, v.token), conversations);
}
Offset<fb::Edit> build(Builder& b, const Edit& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto content_type = text(b, v.content_type);
  return fb::CreateEdit(b, &conversation, v.seq, content_type, bytes(b, v.body.bytes()));
}
Offset<fb::DeleteMessage> build(Builder& b, const Delete& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateDeleteMessage(b, &conversation, v.seq);
}
Offset<fb::React> build(Builder& b, const React& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateReact(b, &conversation, v.seq, text(b, v.key), v.on);
}
Offset<fb::Pin> build(Builder& b, const Pin& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreatePin(b, &conversation, v.seq, v.on);
}
Offset<fb::Pins> build(Builder& b, const Pins& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreatePins(b, &conversation);
}
Offset<fb::Reactors> build(Builder& b, const Reactors& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateReactors(b, &conversation, v.seq, text(b, v.key), v.after.value, v.limit);
}
Offset<fb::Thread> build(Builder& b, const Thread& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateThread(b, &conversation, v.root, v.from, v.backward, v.limit);
}
Offset<fb::Threads> build(Builder& b, const Threads& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateThreads(b, &conversation, v.before, v.limit);
}
Offset<fb::FollowThread> build(Builder& b, const FollowThread& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateFollowThread(b, &conversation, v.root, v.on);
}
Offset<fb::ReadThread> build(Builder& b, const ReadThread& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateReadThread(b, &conversation, v.root, v.seq);
}
Offset<fb::SetList> build(Builder& b, const SetList& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto& set = v.settings;
  flatbuffers::Optional<std::int64_t> muted_until = flatbuffers::nullopt;
  if (set.muted_until) muted_until = ms(*set.muted_until);
  const auto given = [](const std::optional<bool>& flag) {
    return flag ? flatbuffers::Optional<bool>(*flag) : flatbuffers::nullopt;
  };
  // An empty draft is not an absent one.
  const auto draft = set.draft ? b.CreateString(*set.draft) : Offset<flatbuffers::String>();
  const auto folder = set.folder ? b.CreateString(*set.folder) : Offset<flatbuffers::String>();
  return fb::CreateSetList(b, &conversation, given(set.pinned), given(set.archived),
                           given(set.marked_unread), muted_until, draft, folder, given(set.hidden));
}
Offset<fb::PageList> build(Builder& b, const PageList& v) {
  const auto after = bytes16(v.after.bytes);
  return fb::CreatePageList(b, ms(v.after_activity), v.after ? &after : nullptr, v.limit);
}
Offset<fb::Devices> build(Builder& b, const Devices&) { return fb::CreateDevices(b); }
Offset<fb::RenameDevice> build(Builder& b, const RenameDevice& v) {
  return fb::CreateRenameDevice(b, v.device.value, text(b, v.name));
}
Offset<fb::RevokeDevice> build(Builder& b, const RevokeDevice& v) {
  return fb::CreateRevokeDevice(b, v.device.value);
}
Offset<fb::SetUser> build(Builder& b, const SetUser& v) {
  const auto given = [](const std::optional<bool>& flag) {
    return flag ? flatbuffers::Optional<bool>(*flag) : flatbuffers::nullopt;
  };
  flatbuffers::Optional<std::int64_t> until = flatbuffers::nullopt;
  if (v.change.status_until) until = ms(*v.change.status_until);
  const auto status =
      v.change.status ? b.CreateString(*v.change.status) : Offset<flatbuffers::String>();
  return fb::CreateSetUser(b, given(v.change.hide_reads), given(v.change.hide_last_seen), status,
                           until);
}
Offset<fb::Seen> build(Builder& b, const Seen& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateSeen(b, &conversation, v.seq);
}
Offset<fb::Schedule> build(Builder& b, const Schedule& v) {
  return fb::CreateSchedule(b, v.id, ms(v.at), build(b, v.message));
}
Offset<fb::Unschedule> build(Builder& b, const Unschedule& v) {
  return fb::CreateUnschedule(b, v.id);
}
Offset<fb::ListScheduled> build(Builder& b, const ListScheduled&) {
  return fb::CreateListScheduled(b);
}
Offset<fb::SetSettings> build(Builder& b, const SetSettings& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateSetSettings(b, &conversation, build_settings(b, change_of(v.settings)));
}
Offset<fb::GetInfo> build(Builder& b, const GetInfo& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateGetInfo(b, &conversation);
}
Offset<fb::Vote> build(Builder& b, const Vote& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateVote(b, &conversation, v.seq, b.CreateVector(v.options));
}
Offset<fb::ClosePoll> build(Builder& b, const ClosePoll& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateClosePoll(b, &conversation, v.seq);
}
Offset<fb::GetBallot> build(Builder& b, const GetBallot& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateGetBallot(b, &conversation, v.seq);
}
Offset<fb::Voters> build(Builder& b, const Voters& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateVoters(b, &conversation, v.seq, v.option, v.after.value, v.limit);
}
Offset<fb::SetRetention> build(Builder& b, const SetRetention& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateSetRetention(b, &conversation, v.retention.keep_for.count(),
                                v.retention.keep_events, v.retention.hold);
}
Offset<fb::GetRetention> build(Builder& b, const GetRetention& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateGetRetention(b, &conversation);
}
Offset<fb::DeleteConversation> build(Builder& b, const End& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateDeleteConversation(b, &conversation);
}
Offset<fb::Ping> build(Builder& b, const Ping&) { return fb::CreatePing(b); }
Offset<fb::Bye> build(Builder& b, const Bye&) { return fb::CreateBye(b); }

// ---- Answers. ----

Offset<fb::ListEntry> build(Builder& b, const ListEntry& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto head = cursor_of(v.head);
  const auto title = text(b, v.title);
  const auto last = bytes(b, v.last_record.bytes());
  const auto draft = text(b, v.draft);
  const auto avatar = text(b, v.avatar);
  const auto folder = text(b, v.folder);
  const auto space = bytes16(v.space.bytes);
  const auto children = ids(b, v.children);
  return fb::CreateListEntry(
      b, &conversation, number(v.kind), title, v.peer.value, number(v.role), v.visible_from, &head,
      v.head_ordinal, v.received, v.read, v.unread, ms(v.last_activity), last, v.pinned, v.archived,
      v.marked_unread, ms(v.muted_until), draft, ms(v.drafted), avatar, v.archived_for_all,
      v.mentions, folder, v.hidden_until, v.space ? &space : nullptr, children);
}
Offset<fb::UserSettings> build(Builder& b, const UserSettings& v) {
  return fb::CreateUserSettings(b, v.hide_reads, v.hide_last_seen, text(b, v.status),
                                ms(v.status_until));
}
Offset<fb::Device> build(Builder& b, const Device& v) {
  return fb::CreateDevice(b, v.id.value, text(b, v.name), ms(v.created), ms(v.last_seen), v.online);
}
Offset<fb::List> build(Builder& b, const ListChanged& v) {
  const auto entries = tables<fb::ListEntry>(b, v.entries);
  const auto removed = ids(b, v.removed);
  const auto token = bytes(b, v.token);
  const auto settings = v.settings ? build(b, *v.settings) : Offset<fb::UserSettings>();
  const auto devices =
      v.devices ? tables<fb::Device>(b, *v.devices) : Offset<Vector<Offset<fb::Device>>>();
  const auto requests = v.requests ? tables<fb::OwnRequest>(b, *v.requests)
                                   : Offset<Vector<Offset<fb::OwnRequest>>>();
  const auto blocked = v.blocked ? ids(b, *v.blocked) : Offset<Vector<std::uint64_t>>();
  return fb::CreateList(b, v.whole, entries, removed, token, v.more, settings, devices, requests,
                        blocked);
}
Offset<fb::Welcome> build(Builder& b, const Welcome& v) {
  const auto list = build(b, v.list);
  const auto subject = text(b, v.subject);
  const auto ticket = bytes(b, v.ticket);
  return fb::CreateWelcome(b, v.version, v.session, v.user.value, v.device.value, subject,
                           v.heartbeat_ms, v.max_body, ticket, list);
}
Offset<fb::Done> build(Builder& b, const Done&) { return fb::CreateDone(b); }
Offset<fb::Error> build(Builder& b, const Failed& v) {
  const int value = v.error.code.value();
  const int code = value >= 1000 ? value : static_cast<int>(v.error.errc());
  const auto wait = std::clamp<std::int64_t>(v.error.retry_after.count(), 0, UINT32_MAX);
  return fb::CreateError(b, code, text(b, v.error.message), v.error.retryable(),
                         static_cast<std::uint32_t>(wait), v.error.next);
}
Offset<fb::Ack> build(Builder& b, const Acked& v) {
  const auto conversation = bytes16(v.ack.conversation.bytes);
  return fb::CreateAck(b, &conversation, v.ack.seq, ms(v.ack.time), v.ack.number, v.ack.repeated);
}
Offset<fb::Opened> build(Builder& b, const Opened& v) {
  return fb::CreateOpened(b, build(b, v.entry));
}
Offset<fb::ResumeAnswer> build(Builder& b, const ResumeAnswer& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto head = cursor_of(v.head);
  const bool has_head = !(v.head == Cursor{});
  return fb::CreateResumeAnswer(b, &conversation, number(v.answer), number(v.level),
                                has_head ? &head : nullptr, v.head_ordinal, v.floor, v.floor_mark,
                                v.last_visible);
}
Offset<fb::Subscribed> build(Builder& b, const Subscribed& v) {
  return fb::CreateSubscribed(b, tables<fb::ResumeAnswer>(b, v.answers));
}
Offset<fb::HeadMoved> build(Builder& b, const HeadMoved& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto head = cursor_of(v.head);
  return fb::CreateHeadMoved(b, &conversation, &head, v.head_ordinal);
}
Offset<fb::Receipts> build(Builder& b, const ReceiptsMoved& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateReceipts(b, &conversation, receipts(b, v.receipts));
}
Offset<fb::Signalled> build(Builder& b, const Signalled& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto kind = text(b, v.kind);
  return fb::CreateSignalled(b, &conversation, v.sender.value, kind, bytes(b, v.data), v.lasts_ms);
}
Offset<fb::MembersPage> build(Builder& b, const MembersPage& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto members = structs<fb::Member>(b, v.members, [](const Member& m) {
    return fb::Member(m.user.value, ms(m.since), m.visible_from, number(m.role));
  });
  return fb::CreateMembersPage(b, &conversation, members, receipts(b, v.receipts), v.count, v.more);
}
Offset<fb::UserName> build(Builder& b, const UserName& v) {
  return fb::CreateUserName(b, v.id.value, text(b, v.subject));
}
Offset<fb::Names> build(Builder& b, const Names& v) {
  return fb::CreateNames(b, tables<fb::UserName>(b, v.users));
}
Offset<fb::RecordBytes> build(Builder& b, const Payload& record) {
  return fb::CreateRecordBytes(b, bytes(b, record.bytes()));
}
Offset<fb::Messages> build(Builder& b, const Messages& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateMessages(b, &conversation, tables<fb::RecordBytes>(b, v.records));
}
Offset<fb::ReactorsPage> build(Builder& b, const ReactorsPage& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateReactorsPage(b, &conversation, v.seq, ids(b, v.users), v.more);
}
Offset<fb::ScheduledItem> build(Builder& b, const Scheduled::Item& v) {
  const auto message = build(b, v.message);
  return fb::CreateScheduledItem(b, v.id, ms(v.at), message, v.failed, text(b, v.why));
}
Offset<fb::Scheduled> build(Builder& b, const Scheduled& v) {
  const auto items = tables<fb::ScheduledItem>(b, v.items);
  return fb::CreateScheduled(b, v.whole, items, b.CreateVector(v.removed));
}
Offset<fb::ConversationInfo> build(Builder& b, const Info& v) {
  const ConversationInfo& info = v.info;
  const auto conversation = bytes16(info.conversation.bytes);
  const auto settings = build_settings(b, change_of(info.settings));
  const auto space = bytes16(info.space.bytes);
  const auto children = ids(b, info.children);
  return fb::CreateConversationInfo(b, &conversation, number(info.kind), settings,
                                    info.creator.value, ms(info.created), info.members, info.pins,
                                    number(info.role), info.muted, ms(info.muted_until),
                                    info.space ? &space : nullptr, children);
}
Offset<fb::ThreadState> build(Builder& b, const ThreadState& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto root = bytes(b, v.root.bytes());
  return fb::CreateThreadState(b, &conversation, root, v.followed, v.read, v.unread);
}
Offset<fb::ThreadPage> build(Builder& b, const ThreadPage& v) {
  const auto thread = build(b, v.thread);
  return fb::CreateThreadPage(b, thread, tables<fb::RecordBytes>(b, v.records), v.more);
}
Offset<fb::ThreadsPage> build(Builder& b, const ThreadsPage& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  const auto threads = tables<fb::ThreadState>(b, v.threads);
  return fb::CreateThreadsPage(b, &conversation, threads, v.more, v.next);
}
Offset<fb::ListPage> build(Builder& b, const ListPage& v) {
  return fb::CreateListPage(b, tables<fb::ListEntry>(b, v.entries), v.more);
}
Offset<fb::DeviceList> build(Builder& b, const DeviceList& v) {
  return fb::CreateDeviceList(b, tables<fb::Device>(b, v.devices));
}
Offset<fb::SeenBy> build(Builder& b, const SeenBy& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateSeenBy(b, &conversation, v.seq, v.count);
}
Offset<fb::Retention> build(Builder& b, const Kept& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateRetention(b, &conversation, v.retention.keep_for.count(),
                             v.retention.keep_events, v.retention.hold);
}
Offset<fb::Ballot> build(Builder& b, const Ballot& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateBallot(b, &conversation, v.message, b.CreateVector(v.options));
}
Offset<fb::VotersPage> build(Builder& b, const VotersPage& v) {
  const auto conversation = bytes16(v.conversation.bytes);
  return fb::CreateVotersPage(b, &conversation, v.seq, v.option, ids(b, v.users), v.more);
}
Offset<fb::Goodbye> build(Builder& b, const Goodbye& v) {
  return fb::CreateGoodbye(b, text(b, v.reason), v.spread_ms, v.reconnect);
}

constexpr std::size_t padded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

// One allocation for a whole frame; its memory is not initialised.
class Block {
 public:
  explicit Block(std::size_t size)
      : words_(std::make_shared_for_overwrite<std::uint64_t[]>(size / 8)),
        data_(reinterpret_cast<char*>(words_.get())),
        size_(size) {}
  void put(const void* data, std::size_t size) {
    if (size != 0) std::memcpy(data_ + at_, data, size);
    at_ += size;
  }
  Payload finish() {
    std::memset(data_ + at_, 0, size_ - at_);
    return {std::move(words_), Bytes(data_, size_)};
  }

 private:
  std::shared_ptr<std::uint64_t[]> words_;
  char* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

std::size_t total(const std::vector<Payload>& records) {
  std::size_t size = 0;
  for (const Payload& record : records) size += record.size();
  return size;
}

}  // namespace

template <class T>
Payload FrameWriter::table(fb::FrameType type, std::uint32_t request, const T& value) {
  builder_.Clear();
  builder_.Finish(build(builder_, value));
  const std::size_t size = padded(FrameHeader::size + builder_.GetSize());
  FrameHeader header{.length = static_cast<std::uint32_t>(size),
                     .type = static_cast<std::uint8_t>(type),
                     .request = request};
  Block block(size);
  block.put(&header, sizeof header);
  block.put(builder_.GetBufferPointer(), builder_.GetSize());
  return block.finish();
}

Payload FrameWriter::events(const Reply& reply, const Events& events) {
  const std::size_t size =
      FrameHeader::size + sizeof(RecordsHeader) + padded(total(events.records));
  const FrameHeader header{.length = static_cast<std::uint32_t>(size),
                           .type = static_cast<std::uint8_t>(fb::FrameType::events),
                           .request = reply.request};
  const RecordsHeader records{events.conversation, events.epoch, events.first,
                              static_cast<std::uint32_t>(events.records.size()), events.mark};
  Block block(size);
  block.put(&header, sizeof header);
  block.put(&records, sizeof records);
  for (const Payload& record : events.records) block.put(record.data(), record.size());
  return block.finish();
}

Payload FrameWriter::page(const Reply& reply, const HistoryPage& page) {
  const std::size_t size =
      FrameHeader::size + sizeof(RecordsHeader) + sizeof page.floor + padded(total(page.records));
  const FrameHeader header{.length = static_cast<std::uint32_t>(size),
                           .type = static_cast<std::uint8_t>(fb::FrameType::history_page),
                           .flags = page.more ? FrameHeader::more : std::uint8_t{0},
                           .request = reply.request};
  const RecordsHeader records{page.conversation, page.epoch, page.first,
                              static_cast<std::uint32_t>(page.records.size()), page.mark};
  Block block(size);
  block.put(&header, sizeof header);
  block.put(&records, sizeof records);
  block.put(&page.floor, sizeof page.floor);
  for (const Payload& record : page.records) block.put(record.data(), record.size());
  return block.finish();
}

Payload FrameWriter::write(const Request& request) {
  return std::visit(
      [&](const auto& value) -> Payload {
        if constexpr (!on_the_wire<std::decay_t<decltype(value)>>) {
          return {};
        } else {
          return table(request_types[request.operation.index()].type, request.number, value);
        }
      },
      request.operation);
}

Payload FrameWriter::write(const Reply& reply) {
  return std::visit(
      [&](const auto& value) -> Payload {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Events>) {
          return events(reply, value);
        } else if constexpr (std::is_same_v<T, HistoryPage>) {
          return page(reply, value);
        } else if constexpr (!on_the_wire<T>) {
          return {};
        } else {
          return table(answer_types[reply.answer.index()].type, reply.request, value);
        }
      },
      reply.answer);
}

}  // namespace parley::wire
