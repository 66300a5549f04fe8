// parley/hooks.hpp: what the host is asked, and told, about what happens in its engine.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/event.hpp"
#include "parley/message.hpp"
#include "parley/result.hpp"

namespace parley::inline v0 {

// Thread: an engine thread, several at once. They must not block, must not wait for the engine
// (Pending::get), and hold up their shard as long as they run: a call above limits::hook_budget is
// logged. One that throws counts as a refusal with Errc::internal.

/// A message, or the new content of one, that its sender may post and that was not posted before.
struct IncomingMessage {
  ConversationId conversation{};
  ConversationKind kind = ConversationKind::group;
  UserId sender{};             // none: the system
  Role role = Role::none;      // of the sender there
  Seq edits = 0;               // the message that is edited; zero: a new one
  std::string content_type{};  // "" is text/plain; may be changed
  std::string body{};          // may be changed, within max_body
  /// Of a new message: may be changed, whoever the sender is. An edit keeps its message's.
  std::uint8_t audience = audience::everyone;
  // Of a new message, within the limits of MessageDraft; an edit keeps its message's.
  std::vector<MessageHeader> headers{};     // may be changed: notes for the host's own programs
  std::vector<Attachment> attachments{};    // may be changed
  std::vector<std::string> poll_options{};  // to be looked at
};
/// Looks at a message before it is stored: may change it, or refuse it with an error, whose code
/// (the host's own begin at 1000) and message the sender is shown. At most once for each message,
/// but for a retry that comes after a restart.
using MessageHook = std::function<Result<void>(IncomingMessage& message)>;
/// The same for hosts that must ask somebody else first: calls `done` once, in the call or later,
/// on any thread, with the message as it is to be stored or with the refusal. Meanwhile only later
/// messages of the same device to the same conversation wait; whether the sender may is looked at
/// again afterwards. Without an answer within limits::hook_patience the sender is answered
/// Errc::timed_out, and a late one is ignored.
using AsyncMessageHook =
    std::function<void(IncomingMessage message, std::function<void(Result<IncomingMessage>)> done)>;

/// A user wants into a channel by itself.
struct JoinRequest {
  ConversationId conversation{};
  UserId user{};
};
/// Lets in, or refuses with an error that the user is shown. May be asked about who is in already.
using JoinHook = std::function<Result<void>(const JoinRequest& request)>;

/// A link whose token was believed.
struct ConnectRequest {
  UserId user{};
  std::string subject{};  // the host's own id of the user
  std::string device{};   // its name; "" = an ephemeral one
};
/// Lets in, or refuses with an error that the client is shown before the link closes.
using ConnectHook = std::function<Result<void>(const ConnectRequest& request)>;

/// Is told of stored events, in the order of each conversation, soon after their commit: whatever
/// their audience. Each at most once: what was committed at the moment of a crash is not told
/// again. What must miss nothing reads the stream from a cursor of its own.
using CommitHook = std::function<void(std::span<const Event> events)>;

/// Whether a signal goes to that user: an area of interest, a language. Called for each receiver.
using SignalFilter = std::function<bool(const Signal& signal, UserId receiver)>;

}  // namespace parley::inline v0
