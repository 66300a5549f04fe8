// parley/message.hpp: what a message carries beside its content. Thread: any; these are values.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/ids.hpp"

namespace parley::inline v0 {

/// Whom a message addresses beside the users that it names. More than `none` needs a right: admins
/// and owners have it, in direct conversations and in groups to limits::small_group every member.
enum class MentionScope : std::uint8_t {
  none = 0,
  here = 1,  // who is online now: a hint for notifications, never counted as an unread mention
  all = 2,   // every member
};

/// A thing kept elsewhere that belongs to a message: the engine carries the handle, not the bytes.
struct Attachment {
  std::string handle{};        // the host's name for it, 1..limits::attachment_handle bytes
  std::string content_type{};  // up to limits::content_type bytes
  std::string name{};          // for people, up to limits::attachment_name bytes
  std::uint64_t size = 0;      // bytes, up to 2^53 - 1
  friend bool operator==(const Attachment&, const Attachment&) = default;
};

/// Something that the host's programs say to one another about a message.
struct MessageHeader {
  std::string name{};   // 1..limits::header_name bytes
  std::string value{};  // up to limits::header_value bytes
  friend bool operator==(const MessageHeader&, const MessageHeader&) = default;
};

/// Answers to choose from, to the question that the message's content asks.
struct PollDraft {
  std::vector<std::string> options{};  // 2..limits::poll_options, each 1..limits::poll_option bytes
  bool multiple = false;               // more than one may be chosen
  bool anonymous = false;              // nobody is told who chose what
  /// It closes by itself so long after it was stored: limits::poll_least to limits::poll_most;
  /// zero: when somebody closes it. Under a legal hold that is told when the hold is lifted; no
  /// vote is taken meanwhile.
  std::chrono::milliseconds closes_after{0};
  friend bool operator==(const PollDraft&, const PollDraft&) = default;
};

/// Where a forwarded message was written first. The conversation and seq are told only where every
/// reader may know them: within the same conversation, and from one that anybody may join.
struct Origin {
  ConversationId conversation{};  // none: not told
  Seq seq = 0;                    // zero: not told
  UserId sender{};                // none: the system
  WallTime time{};
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// Which message to forward.
struct ForwardOf {
  ConversationId conversation{};
  Seq seq = 0;
  friend bool operator==(const ForwardOf&, const ForwardOf&) = default;
};

}  // namespace parley::inline v0
