// core/transfer.hpp: what the host takes out of an engine, and the end of a user: many questions in
// the host's name, one after the other.
#pragma once
#include <functional>
#include <string>

#include "core/timers.hpp"
#include "parley/ids.hpp"
#include "parley/transfer.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// Asks as the system. What it is given is called once, or dropped: then the work ends there.
/// Thread: the shard of the system's session, for all of this.
using AskSystem = std::function<void(wire::Operation, std::function<void(Result<wire::Answer>&&)>)>;

void export_conversation(AskSystem ask, const ConversationId& id, ExportSink sink, Then<void> then);
void export_user(AskSystem ask, UserId user, ExportSink sink, Then<void> then);
void erase_user(AskSystem ask, UserId user, std::string subject, Then<ErasedUser> then);

}  // namespace parley::core
