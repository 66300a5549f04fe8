// core/user_listing.hpp: a list of conversations on its way from the store to a session.
#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/inherited.hpp"
#include "core/mentions.hpp"
#include "core/own_deletions.hpp"
#include "core/user_home.hpp"
#include "core/visibility.hpp"
#include "store/layout_spaces.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// One list on its way from the store.
struct UserHome::Listing {
  explicit Listing(const UserHome& home) : held(home.read_from_) {}
  using Place =
      std::pair<std::int64_t, ConversationId>;  // in the order of a page: the time negated
  struct Item {
    ConversationId conversation;
    layout::ListRow row;
    bool named = false;    // an event of the user's stream speaks of it: always told
    bool guessed = false;  // the user's rows say nothing: in by a space, if at all
    bool left = false;     // guessed: told as removed when it is not
    std::int64_t activity_ms = 0;
    [[nodiscard]] Place place() const { return {-activity_ms, conversation}; }
  };
  /// Ordinals above `base`, up to `head`, of which some are of deleted messages: `gone` so far, and
  /// none of those above `from` is counted yet.
  struct Deleted {
    ConversationId conversation;
    std::uint64_t base = 0, head = 0;
    std::uint64_t from = base, gone = 0;
  };
  /// A space, as far as it lets the user into its channels.
  struct Space {
    SpaceRight right;
    layout::Beginnings begun;
    std::set<ConversationId> owned;  // its channels
    bool whole = false;              // all of those are known, at least as
    Seq as_of = 0;                   // of then
    layout::MemberRow row;           // the user's there, which the right follows from
    Seq head = 0;                    // in the entry
    bool moved = false;              // the entry is of another row
    bool sure = false;               // seen to be so after the entries of channels were read
    int attempts = 0, scans = 0;
  };
  /// The home stays while parts of it are on their way, also when it was answered for another that
  /// failed.
  std::shared_ptr<const int> held;
  std::vector<ConversationId> asked;  // told in any case
  std::vector<Item> items;
  std::map<ConversationId, Space> spaces;
  /// Channels of spaces, as the user's row counts there; none: it is a stranger.
  std::map<ConversationId, std::optional<layout::MemberRow>> children;
  std::vector<Item> again;             // channels of spaces that were not asked about yet
  std::vector<ConversationId> behind;  // spaces whose entry may be newer than what is known of them
  std::set<ConversationId> had;        // channels of spaces that devices may have
  std::unordered_map<ConversationId, Audiences> audiences;
  static constexpr std::uint32_t preview_events = 16;  // looked through for one that a list shows
  std::vector<ConversationId> drafts;                  // still to be read
  /// Where the user deleted something for itself alone; read from after what was read, or what a
  /// preview looks through.
  struct Deleting {
    ConversationId conversation;
    std::uint64_t base = 0;
    Seq read = 0, head = 0;
    std::vector<OwnDeletions::Item> found{};
  };
  std::vector<Deleting> deleting;  // still to be read
  std::unordered_map<ConversationId, OwnDeletionsPtr> own_deletions;
  std::vector<Deleted> deleted;  // still to be counted
  /// Seqs after `base`, up to `head`, of which some may be of messages that mention the user.
  struct Mentions {
    ConversationId conversation;
    MentionBase base;
    Seq head = 0;
  };
  std::vector<Mentions> mentions;  // still to be counted
  std::int64_t since_ms = 0;       // 0: everything
  std::uint32_t limit = 0;         // of a page; 0: no pages
  Place after;                     // the end of the page before
  std::size_t ordered = 0;         // items whose activity was asked for
  wire::ListChanged list;
  std::string token;  // of the moment when it was decided what to tell
  std::size_t open = 0;
  std::deque<std::string> strings;
  Then<wire::ListChanged> then;
  Bytes keep(std::string text) { return strings.emplace_back(std::move(text)); }
  [[nodiscard]] bool asks_for(const ConversationId& id) const {
    return std::find(asked.begin(), asked.end(), id) != asked.end();
  }
  [[nodiscard]] OwnDeletionsPtr deletions_of(const ConversationId& id) const {
    const auto known = own_deletions.find(id);
    return known == own_deletions.end() ? nullptr : known->second;
  }
  [[nodiscard]] ListEntry* entry(const ConversationId& id) {
    const auto found = std::find_if(list.entries.begin(), list.entries.end(),
                                    [&](const ListEntry& each) { return each.conversation == id; });
    return found == list.entries.end() ? nullptr : &*found;
  }
};

}  // namespace parley::core
