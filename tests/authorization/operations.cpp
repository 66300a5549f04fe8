#include "authorization/operations.hpp"

#include <functional>
#include <map>

#include "catch.hpp"

namespace parley::test {
namespace {

using Make = std::function<wire::Operation(const Cell&)>;

wire::Operation send(const Cell& cell, std::uint8_t audience) {
  wire::Send send;
  send.conversation = cell.conversation;
  send.body = Payload::copy_of("from the actor");
  send.audience = audience;
  return send;
}

wire::Operation subscribe(const Cell& cell, std::optional<Cursor> cursor) {
  wire::Subscribe subscribe;
  subscribe.items.push_back({cell.conversation, Level::full, cursor});
  return subscribe;
}

Make reading(bool backward) {
  return [backward](const Cell& cell) -> wire::Operation {
    return wire::History{cell.conversation, Seq{backward ? 0U : 1U}, backward, 100};
  };
}

/// The operations about a message and its thread, of either sort.
void add_threads(std::map<std::string, Make>& all, const std::string& suffix, Seq Cell::*seq) {
  all["reply" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    wire::Send reply;
    reply.conversation = cell.conversation;
    reply.body = Payload::copy_of("from the actor");
    reply.thread_root = cell.*seq;
    return reply;
  };
  all["forward" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    wire::Send forward;
    forward.conversation = cell.conversation;
    forward.forward = {cell.conversation, cell.*seq};
    return forward;
  };
  all["thread" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::Thread{cell.conversation, cell.*seq};
  };
  all["follow_thread" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::FollowThread{cell.conversation, cell.*seq};
  };
  all["read_thread" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::ReadThread{cell.conversation, cell.*seq, cell.*seq};
  };
}

/// The operations about a poll of the keeper's.
void add_polls(std::map<std::string, Make>& all, const std::string& suffix, Seq Cell::*seq) {
  all["vote" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::Vote{cell.conversation, cell.*seq, {0}};
  };
  all["close_poll" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::ClosePoll{cell.conversation, cell.*seq};
  };
  all["ballot" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::GetBallot{cell.conversation, cell.*seq};
  };
  all["voters" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::Voters{.conversation = cell.conversation, .seq = cell.*seq};
  };
}

/// The operations about a message, of either sort.
void add_changes(std::map<std::string, Make>& all, const std::string& suffix, Seq Cell::*seq) {
  const bool shown = suffix.empty();
  all[shown ? "edit_other" : "edit" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::Edit{cell.conversation, cell.*seq, {}, Payload::copy_of("by the actor")};
  };
  all[shown ? "delete_other" : "delete" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::Delete{cell.conversation, cell.*seq};
  };
  all["delete_for_me" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::DeleteForMe{cell.conversation, {cell.*seq}};
  };
  all["react" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::React{cell.conversation, cell.*seq, "+1", true};
  };
  all["reactors" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::Reactors{cell.conversation, cell.*seq, cell.reaction, {}, 100};
  };
  all["pin" + suffix] = [seq](const Cell& cell) -> wire::Operation {
    return wire::Pin{cell.conversation, cell.*seq, true};
  };
}

std::map<std::string, Make> make_all() {
  std::map<std::string, Make> all;
  add_changes(all, "", &Cell::shown);
  add_changes(all, "_hidden", &Cell::hidden);
  add_threads(all, "", &Cell::shown);
  add_threads(all, "_hidden", &Cell::hidden);
  add_polls(all, "", &Cell::poll);
  add_polls(all, "_hidden", &Cell::hidden_poll);
  all["threads"] = [](const Cell& cell) -> wire::Operation {
    return wire::Threads{cell.conversation};
  };
  all["mention_all"] = [](const Cell& cell) -> wire::Operation {
    wire::Send send;
    send.conversation = cell.conversation;
    send.body = Payload::copy_of("from the actor");
    send.extras.mention_scope = MentionScope::all;
    return send;
  };
  all["send"] = [](const Cell& cell) { return send(cell, audience::everyone); };
  all["send_to_moderators"] = [](const Cell& cell) { return send(cell, audience::moderators); };
  all["send_to_group"] = [](const Cell& cell) { return send(cell, audience::last_group); };
  all["ask_moderators"] = [](const Cell& cell) { return send(cell, audience::sender); };
  all["pins"] = [](const Cell& cell) -> wire::Operation { return wire::Pins{cell.conversation}; };
  all["history"] = reading(true);
  all["history_forward"] = reading(false);
  all["subscribe"] = [](const Cell& cell) { return subscribe(cell, {}); };
  all["resume"] = [](const Cell& cell) { return subscribe(cell, cell.cursor); };
  all["mark_read"] = [](const Cell& cell) -> wire::Operation {
    return wire::MarkRead{cell.conversation, 1, 1};
  };
  all["signal"] = [](const Cell& cell) -> wire::Operation {
    return wire::SendSignal{cell.conversation, "typing", {}};
  };
  all["watch"] = [](const Cell& cell) -> wire::Operation {
    return wire::Watch{cell.conversation, {cell.keeper}};
  };
  all["watch_conversation"] = [](const Cell& cell) -> wire::Operation {
    return wire::WatchConversation{cell.conversation};
  };
  all["members"] = [](const Cell& cell) -> wire::Operation {
    return wire::Members{cell.conversation, {}, 100};
  };
  all["join"] = [](const Cell& cell) -> wire::Operation { return wire::Join{cell.conversation}; };
  all["leave"] = [](const Cell& cell) -> wire::Operation { return wire::Leave{cell.conversation}; };
  all["add"] = [](const Cell& cell) -> wire::Operation {
    return wire::Add{cell.conversation, {"another"}};
  };
  all["add_hermit"] = [](const Cell& cell) -> wire::Operation {
    return wire::Add{cell.conversation, {"hermit"}};
  };
  all["open"] = [](const Cell&) -> wire::Operation { return wire::Direct{"keeper"}; };
  all["block"] = [](const Cell& cell) -> wire::Operation { return wire::BlockUser{cell.keeper}; };
  all["remove"] = [](const Cell& cell) -> wire::Operation {
    return wire::Remove{cell.conversation, cell.bystander};
  };
  all["set_role"] = [](const Cell& cell) -> wire::Operation {
    return wire::SetRole{cell.conversation, cell.bystander, Role::read_only};
  };
  all["transfer"] = [](const Cell& cell) -> wire::Operation {
    return wire::Transfer{cell.conversation, cell.bystander};
  };
  all["create_child"] = [](const Cell& cell) -> wire::Operation {
    wire::Create create;
    create.kind = ConversationKind::channel;
    create.space = cell.conversation;
    return create;
  };
  all["set_title"] = [](const Cell& cell) -> wire::Operation {
    return wire::SetTitle{cell.conversation, "the actor's"};
  };
  all["set_settings"] = [](const Cell& cell) -> wire::Operation {
    return wire::SetSettings{cell.conversation, {.description = "the actor's"}};
  };
  all["info"] = [](const Cell& cell) -> wire::Operation {
    return wire::GetInfo{cell.conversation};
  };
  all["mute"] = [](const Cell& cell) -> wire::Operation {
    return wire::Restrict{cell.conversation, RestrictionKind::mute, cell.bystander, true, {}};
  };
  all["ban"] = [](const Cell& cell) -> wire::Operation {
    return wire::Restrict{cell.conversation, RestrictionKind::ban, cell.bystander, true, {}};
  };
  all["banned"] = [](const Cell& cell) -> wire::Operation {
    return wire::Restrictions{cell.conversation, RestrictionKind::ban, {}, 100};
  };
  all["create_invite"] = [](const Cell& cell) -> wire::Operation {
    return wire::CreateInvite{cell.conversation, {}};
  };
  all["create_high_invite"] = [](const Cell& cell) -> wire::Operation {
    return wire::CreateInvite{cell.conversation, {.role = Role::moderator}};
  };
  all["invites"] = [](const Cell& cell) -> wire::Operation {
    return wire::ListInvites{cell.conversation};
  };
  all["revoke_invite"] = [](const Cell& cell) -> wire::Operation {
    return wire::RevokeInvite{cell.invite};
  };
  all["join_invite"] = [](const Cell& cell) -> wire::Operation {
    return wire::JoinInvite{cell.invite};
  };
  all["request_join"] = [](const Cell& cell) -> wire::Operation {
    return wire::RequestJoin{cell.conversation, "please"};
  };
  all["join_requests"] = [](const Cell& cell) -> wire::Operation {
    return wire::JoinRequests{.conversation = cell.conversation};
  };
  all["answer_request"] = [](const Cell& cell) -> wire::Operation {
    return wire::AnswerRequest{cell.conversation, cell.bystander, true};
  };
  all["start_stream"] = [](const Cell& cell) -> wire::Operation {
    return wire::StartStream{.conversation = cell.conversation};
  };
  all["send_brief"] = [](const Cell& cell) -> wire::Operation {
    wire::Send send;
    send.conversation = cell.conversation;
    send.body = Payload::copy_of("from the actor");
    send.expires_after_ms = 3'600'000;
    return send;
  };
  all["set_retention"] = [](const Cell& cell) -> wire::Operation {
    return wire::SetRetention{cell.conversation, {.keep_events = 1'000}};
  };
  all["hold"] = [](const Cell& cell) -> wire::Operation {
    return wire::SetRetention{cell.conversation, {.hold = true}};
  };
  all["retention"] = [](const Cell& cell) -> wire::Operation {
    return wire::GetRetention{cell.conversation};
  };
  all["delete_conversation"] = [](const Cell& cell) -> wire::Operation {
    return wire::End{cell.conversation};
  };
  all["set_list"] = [](const Cell& cell) -> wire::Operation {
    return wire::SetList{cell.conversation, {.archived = true}};
  };
  return all;
}

}  // namespace

wire::Operation make_operation(const std::string& name, const Cell& cell) {
  static const std::map<std::string, Make> all = make_all();
  const auto found = all.find(name);
  INFO("operation: " << name);
  REQUIRE(found != all.end());
  return found->second(cell);
}

}  // namespace parley::test
