// describe.cpp: the lines of the trace.
#include "simulation/describe.hpp"

#include "simulation/truth.hpp"

namespace parley::simulation {
namespace {

std::string n(std::uint64_t value) { return std::to_string(value); }

std::string text(const Cursor& cursor) { return n(cursor.seq) + "/" + n(cursor.mark); }

std::string text(const ListEntry& entry) {
  std::string spaces = entry.space ? " in " + short_name(entry.space) : "";
  for (const ConversationId& child : entry.children) spaces += " has " + short_name(child);
  return short_name(entry.conversation) + " head " + text(entry.head) + " role " +
         n(static_cast<unsigned>(entry.role)) + " from " + n(entry.visible_from) + " read " +
         n(entry.read) + " unread " + n(entry.unread) + spaces;
}

std::string text(const wire::ListChanged& list) {
  std::string out = list.whole ? "whole" : "part";
  for (const auto& entry : list.entries) out += " [" + text(entry) + "]";
  for (const auto& id : list.removed) out += " -" + short_name(id);
  if (list.blocked) out += " blocks " + n(list.blocked->size());
  return out;
}

struct Requests {
  std::string operator()(const wire::Hello& op) const {
    return "hello " + op.token + " " + op.device + (op.sync_token.empty() ? " whole" : "") +
           (op.ticket.empty() ? "" : " ticket");
  }
  std::string operator()(const wire::Send& op) const {
    return "send " + short_name(op.conversation) + " number " + n(op.number) + " settled " +
           n(op.settled) + " random " + n(op.random) + " size " + n(op.body.size()) +
           (op.thread_root == 0 ? "" : " thread " + n(op.thread_root)) +
           (op.extras.mentions.empty() ? "" : " mentions") +
           (op.forward ? " of " + short_name(op.forward->conversation) + " " + n(op.forward->seq)
                       : "") +
           (op.audience == 0 ? "" : " audience " + n(op.audience)) +
           (op.key.empty() ? "" : " keyed");
  }
  std::string operator()(const wire::Create& op) const {
    return "create " + n(static_cast<unsigned>(op.kind)) + " members " + n(op.members.size());
  }
  std::string operator()(const wire::Direct& op) const { return "direct " + op.peer; }
  std::string operator()(const wire::Join& op) const {
    return "join " + short_name(op.conversation);
  }
  std::string operator()(const wire::Leave& op) const {
    return "leave " + short_name(op.conversation);
  }
  std::string operator()(const wire::Add& op) const {
    return "add " + short_name(op.conversation) +
           (op.members.empty() ? "" : " " + op.members.front());
  }
  std::string operator()(const wire::Remove& op) const {
    return "remove " + short_name(op.conversation) + " " + n(op.user.value);
  }
  std::string operator()(const wire::SetRole& op) const {
    return "set_role " + short_name(op.conversation) + " " + n(op.user.value) + " " +
           n(static_cast<unsigned>(op.role));
  }
  std::string operator()(const wire::Transfer& op) const {
    return "transfer " + short_name(op.conversation) + " " + n(op.user.value);
  }
  std::string operator()(const wire::SetSettings& op) const {
    return "set_settings " + short_name(op.conversation);
  }
  std::string operator()(const wire::CreateInvite& op) const {
    return "create_invite " + short_name(op.conversation) + " uses " + n(op.options.uses);
  }
  std::string operator()(const wire::ListInvites& op) const {
    return "list_invites " + short_name(op.conversation);
  }
  std::string operator()(const wire::RevokeInvite& op) const { return "revoke " + op.token; }
  std::string operator()(const wire::JoinInvite& op) const { return "join_invite " + op.token; }
  std::string operator()(const wire::RequestJoin& op) const {
    return "request_join " + short_name(op.conversation);
  }
  std::string operator()(const wire::JoinRequests& op) const {
    return "join_requests " + short_name(op.conversation);
  }
  std::string operator()(const wire::AnswerRequest& op) const {
    return std::string(op.approve ? "approve " : "deny ") + short_name(op.conversation) + " " +
           n(op.user.value);
  }
  std::string operator()(const wire::BlockUser& op) const {
    return std::string(op.on ? "block " : "unblock ") + n(op.user.value);
  }
  std::string operator()(const wire::ListBlocked&) const { return "list_blocked"; }
  std::string operator()(const wire::GetInfo& op) const {
    return "info " + short_name(op.conversation);
  }
  std::string operator()(const wire::Restrict& op) const {
    return std::string(op.on ? "restrict " : "lift ") + short_name(op.conversation) + " " +
           n(op.user.value) + " kind " + n(static_cast<unsigned>(op.kind));
  }
  std::string operator()(const wire::Restrictions& op) const {
    return "restrictions " + short_name(op.conversation);
  }
  std::string operator()(const wire::SetTitle& op) const {
    return "set_title " + short_name(op.conversation) + " " + op.title;
  }
  std::string operator()(const wire::Subscribe& op) const {
    std::string out = "subscribe";
    for (const auto& item : op.items) {
      out += " " + short_name(item.conversation) + " level " +
             n(static_cast<unsigned>(item.level)) + " at " +
             (item.cursor ? text(*item.cursor) : "none");
    }
    return out;
  }
  std::string operator()(const wire::History& op) const {
    return "history " + short_name(op.conversation) + " from " + n(op.from) +
           (op.backward ? " backward " : " forward ") + n(op.limit);
  }
  std::string operator()(const wire::MarkRead& op) const {
    return "mark_read " + short_name(op.conversation) + " " + n(op.received) + " " + n(op.read);
  }
  std::string operator()(const wire::SendSignal& op) const {
    return "signal " + short_name(op.conversation);
  }
  std::string operator()(const wire::Watch& op) const {
    return "watch " + short_name(op.conversation) + " users " + n(op.users.size());
  }
  std::string operator()(const wire::WatchConversation& op) const {
    return (op.on ? "watch all of " : "watch no more of ") + short_name(op.conversation);
  }
  std::string operator()(const wire::Members& op) const {
    return "members " + short_name(op.conversation) + " after " + n(op.after.value);
  }
  std::string operator()(const wire::Lookup&) const { return "lookup"; }
  std::string operator()(const wire::Sync& op) const {
    return op.token.empty() ? "sync all" : "sync";
  }
  std::string operator()(const wire::Edit& op) const {
    return "edit " + short_name(op.conversation) + " " + n(op.seq);
  }
  std::string operator()(const wire::Delete& op) const {
    return "delete " + short_name(op.conversation) + " " + n(op.seq);
  }
  std::string operator()(const wire::React& op) const {
    return "react " + short_name(op.conversation) + " " + n(op.seq) + " " + op.key +
           (op.on ? " on" : " off");
  }
  std::string operator()(const wire::Pin& op) const {
    return "pin " + short_name(op.conversation) + " " + n(op.seq) + (op.on ? " on" : " off");
  }
  std::string operator()(const wire::SetList& op) const {
    return "set_list " + short_name(op.conversation);
  }
  std::string operator()(const wire::PageList& op) const { return "page_list " + n(op.limit); }
  std::string operator()(const wire::Devices&) const { return "devices"; }
  std::string operator()(const wire::RenameDevice& op) const {
    return "rename_device " + n(op.device.value) + " " + op.name;
  }
  std::string operator()(const wire::RevokeDevice& op) const {
    return "revoke_device " + n(op.device.value);
  }
  std::string operator()(const wire::SetUser&) const { return "set_user"; }
  std::string operator()(const wire::SetPresence& op) const {
    return "set_presence " + n(static_cast<unsigned>(op.state));
  }
  std::string operator()(const wire::Seen& op) const {
    return "seen " + short_name(op.conversation) + " " + n(op.seq);
  }
  std::string operator()(const wire::Pins& op) const {
    return "pins " + short_name(op.conversation);
  }
  std::string operator()(const wire::Thread& op) const {
    return "thread " + short_name(op.conversation) + " " + n(op.root);
  }
  std::string operator()(const wire::Threads& op) const {
    return "threads " + short_name(op.conversation);
  }
  std::string operator()(const wire::FollowThread& op) const {
    return "follow_thread " + short_name(op.conversation) + " " + n(op.root);
  }
  std::string operator()(const wire::ReadThread& op) const {
    return "read_thread " + short_name(op.conversation) + " " + n(op.root) + " " + n(op.seq);
  }
  std::string operator()(const wire::Reactors& op) const {
    return "reactors " + short_name(op.conversation) + " " + n(op.seq) + " " + op.key;
  }
  std::string operator()(const wire::Schedule& op) const {
    return "schedule " + short_name(op.message.conversation) + " " + n(op.id);
  }
  std::string operator()(const wire::Unschedule& op) const { return "unschedule " + n(op.id); }
  std::string operator()(const wire::ListScheduled&) const { return "list_scheduled"; }
  std::string operator()(const wire::GetRetention& op) const {
    return "get_retention " + short_name(op.conversation);
  }
  std::string operator()(const wire::End& op) const {
    return "delete_conversation " + short_name(op.conversation);
  }
  std::string operator()(const wire::Vote& op) const {
    return "vote " + short_name(op.conversation) + " " + n(op.seq) + " for " + n(op.options.size());
  }
  std::string operator()(const wire::ClosePoll& op) const {
    return "close_poll " + short_name(op.conversation) + " " + n(op.seq);
  }
  std::string operator()(const wire::DeleteForMe& op) const {
    return "delete_for_me " + short_name(op.conversation) + " " +
           n(op.seqs.empty() ? 0 : op.seqs.front()) + " of " + n(op.seqs.size());
  }
  std::string operator()(const wire::GetBallot& op) const {
    return "get_ballot " + short_name(op.conversation) + " " + n(op.seq);
  }
  std::string operator()(const wire::Voters& op) const {
    return "voters " + short_name(op.conversation) + " " + n(op.seq) + " " + n(op.option);
  }
  std::string operator()(const wire::StartStream& op) const {
    return "start_stream " + short_name(op.conversation);
  }
  std::string operator()(const wire::AppendStream& op) const {
    return "append_stream " + short_name(op.conversation) + " " + n(op.stream) + " " + n(op.at);
  }
  std::string operator()(const wire::SetRetention& op) const {
    return "set_retention " + short_name(op.conversation) + " for " +
           n(static_cast<std::uint64_t>(op.retention.keep_for.count())) + " events " +
           n(op.retention.keep_events) + (op.retention.hold ? " hold" : "");
  }
  std::string operator()(const wire::Import& op) const {
    return "import " + short_name(op.conversation) + " " + n(op.messages.size()) + " from " +
           op.messages.front().import->id;
  }
  std::string operator()(const wire::SetVisibility& op) const {
    return "set_visibility " + short_name(op.conversation) + " " + n(op.user.value) +
           (op.groups ? " groups " + n(*op.groups) : "") +
           (op.shadowed ? *op.shadowed ? " shadowed" : " not shadowed" : "");
  }
  std::string operator()(const wire::PlacesOf& op) const { return "places_of " + n(op.user.value); }
  std::string operator()(const wire::Forget& op) const { return "forget " + n(op.user.value); }
  std::string operator()(const wire::Ping&) const { return "ping"; }
  std::string operator()(const wire::Bye&) const { return "bye"; }
  template <class Other>
  std::string operator()(const Other&) const {
    return "unknown";
  }
};

struct Answers {
  std::string operator()(const wire::Welcome& a) const {
    return "welcome user " + n(a.user.value) + " device " + n(a.device.value) + " " + text(a.list);
  }
  std::string operator()(const wire::Done&) const { return "done"; }
  std::string operator()(const wire::Failed& a) const {
    return "failed " + std::string(to_string(a.error.errc())) + " next " + n(a.error.next) + ": " +
           a.error.message;
  }
  std::string operator()(const wire::Acked& a) const {
    return "acked " + short_name(a.ack.conversation) + " number " + n(a.ack.number) + " seq " +
           n(a.ack.seq) + (a.ack.repeated ? " repeated" : "");
  }
  std::string operator()(const wire::Opened& a) const { return "opened " + text(a.entry); }
  std::string operator()(const wire::Subscribed& a) const {
    std::string out = "subscribed";
    for (const auto& answer : a.answers) {
      out += " " + short_name(answer.conversation) + " answer " +
             n(static_cast<unsigned>(answer.answer)) + " head " + text(answer.head);
    }
    return out;
  }
  std::string operator()(const wire::Events& a) const {
    std::string out = "events " + short_name(a.conversation) + " " + n(a.first) + "+" +
                      n(a.records.size()) + " mark " + n(a.mark);
    for (const Payload& record : a.records) {
      const auto fields = wire::read_record(record.bytes());
      out += " kind " + n(static_cast<std::uint64_t>(fields.kind));
      if (fields.target) out += " of " + to_string(fields.target);
    }
    return out;
  }
  std::string operator()(const wire::HeadMoved& a) const {
    return "head_moved " + short_name(a.conversation) + " " + text(a.head);
  }
  std::string operator()(const wire::HistoryPage& a) const {
    return "page " + short_name(a.conversation) + " " + n(a.first) + "+" + n(a.records.size()) +
           (a.more ? " more" : "") + " floor " + n(a.floor);
  }
  std::string operator()(const wire::ReceiptsMoved& a) const {
    std::string out = "receipts " + short_name(a.conversation);
    for (const auto& receipt : a.receipts) {
      out += " " + n(receipt.user.value) + ":" + n(receipt.received) + "/" + n(receipt.read);
    }
    return out;
  }
  std::string operator()(const wire::Signalled& a) const {
    return "signalled " + short_name(a.conversation) + " by " + n(a.sender.value);
  }
  std::string operator()(const wire::PresenceChanged& a) const {
    std::string out = "presence";
    for (const auto& user : a.users)
      out += " " + n(user.user.value) + (user.online ? ":on" : ":off");
    return out;
  }
  std::string operator()(const Online& a) const {
    std::string out = "online " + short_name(a.conversation) + " step " +
                      n(static_cast<unsigned>(a.step)) + " count " + n(a.count);
    for (const auto& user : a.users.value_or(std::vector<Presence>{}))
      out += " " + n(user.user.value) + (user.online ? ":on" : ":off");
    return out;
  }
  std::string operator()(const wire::ListChanged& a) const { return "list " + text(a); }
  std::string operator()(const wire::MembersPage& a) const {
    return "members " + short_name(a.conversation) + " " + n(a.members.size()) + " of " +
           n(a.count);
  }
  std::string operator()(const wire::Messages& a) const {
    return "messages " + short_name(a.conversation) + " " + n(a.records.size());
  }
  std::string operator()(const wire::ThreadState& a) const {
    return "thread_state " + short_name(a.conversation) + " read " + n(a.read) + " unread " +
           n(a.unread);
  }
  std::string operator()(const wire::ThreadPage& a) const {
    return "thread_page " + n(a.records.size()) + " " + (*this)(a.thread);
  }
  std::string operator()(const wire::ThreadsPage& a) const {
    return "threads_page " + short_name(a.conversation) + " " + n(a.threads.size());
  }
  std::string operator()(const wire::ReactorsPage& a) const {
    return "reactors_page " + short_name(a.conversation) + " " + n(a.users.size());
  }
  std::string operator()(const wire::Imported& a) const {
    return "imported " + n(a.acks.size()) + " from " + n(a.acks.front().seq);
  }
  std::string operator()(const wire::Places& a) const {
    std::string out = "places";
    for (const auto& id : a.conversations) out += " " + short_name(id);
    return out;
  }
  std::string operator()(const wire::Names& a) const { return "names " + n(a.users.size()); }
  std::string operator()(const wire::Scheduled& a) const {
    return "scheduled " + n(a.items.size()) + " -" + n(a.removed.size());
  }
  std::string operator()(const wire::Kept& a) const {
    return "retention " + short_name(a.conversation);
  }
  std::string operator()(const Ballot& a) const {
    return "ballot " + short_name(a.conversation) + " " + n(a.message) + " " + n(a.options.size());
  }
  std::string operator()(const DeletedForMe& a) const {
    return "deleted_for_me " + short_name(a.conversation) + " " + n(a.messages.size());
  }
  std::string operator()(const wire::VotersPage& a) const {
    return "voters_page " + short_name(a.conversation) + " " + n(a.users.size());
  }
  std::string operator()(const wire::StreamStarted& a) const {
    return "stream_started " + short_name(a.conversation) + " " + n(a.stream);
  }
  std::string operator()(const wire::Streamed& a) const {
    return "streamed " + short_name(a.conversation) + " " + n(a.stream) + " " + n(a.at) +
           (a.ended ? " ended" : "");
  }
  std::string operator()(const wire::Goodbye& a) const { return "goodbye " + a.reason; }
  template <class Other>
  std::string operator()(const Other&) const {
    return "unknown";
  }
};

}  // namespace

std::string describe(const wire::Request& request) {
  return "<- " + n(request.number) + " " + std::visit(Requests{}, request.operation);
}

std::string describe(const wire::Reply& reply) {
  return "-> " + n(reply.request) + " " + std::visit(Answers{}, reply.answer);
}

}  // namespace parley::simulation
