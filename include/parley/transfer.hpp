// parley/transfer.hpp: history from elsewhere, history to elsewhere, and the end of a user.
// Thread: any; these are values.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/conversation.hpp"
#include "parley/session.hpp"

namespace parley::inline v0 {

/// A message that was written elsewhere. It keeps its time (Message::written) and its id; it counts
/// as unread for nobody, moves nobody's position and tells nobody that they were mentioned. Its
/// snowflake (Event::id) follows from conversation, time and id alone.
struct ImportedMessage {
  /// The host's own, 1..limits::import_id bytes of UTF-8. Imported again, within
  /// limits::host_key_days, it is the first one: Ack::repeated.
  std::string id{};
  std::string sender{};  // a subject, member or not; "": the system
  WallTime written{};    // after 1970
  /// For everybody, in no thread, no forward, and it does not expire.
  MessageDraft message{};
};

/// Takes one line of an export, its end included; false stops the export, which is then done. Runs
/// on an engine thread (host-driven: in poll), one call after the other; must not wait for the
/// engine.
using ExportSink = std::function<bool(std::string_view line)>;

struct ErasedUser {
  std::uint64_t messages = 0;          // deleted by this call
  std::vector<ConversationId> held{};  // under a legal hold, and left as they are
};

}  // namespace parley::inline v0
