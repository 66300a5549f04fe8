// core/invite_token.hpp: what a link says: the conversation, so that it leads to its home, and the
// secret that its row has.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/hex.hpp"
#include "parley/ids.hpp"
#include "parley/limits.hpp"
#include "store/layout.hpp"

namespace parley::core {

struct InviteLink {
  ConversationId conversation;
  layout::InviteSecret secret;
};

inline std::string invite_token(const ConversationId& id, const layout::InviteSecret& secret) {
  const std::string_view bytes(reinterpret_cast<const char*>(secret.data()), secret.size());
  return base::to_hex(id.view()) + base::to_hex(bytes);
}

inline std::optional<InviteLink> parse_invite(std::string_view token) {
  InviteLink link;
  if (token.size() != limits::invite_token) return std::nullopt;
  if (!base::from_hex(token.substr(0, 32), link.conversation.bytes.data(), 16) ||
      !base::from_hex(token.substr(32), link.secret.data(), 16))
    return std::nullopt;
  return link;
}

}  // namespace parley::core
