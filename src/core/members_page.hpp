// core/members_page.hpp: a page of members that is being put together (members_buckets.cpp,
// members_search.cpp).
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "core/conversation_state.hpp"

namespace parley::core {

struct Conversation::State::PageJob {
  Caller caller;
  wire::MembersPage page;
  std::uint16_t bucket = 0;
  UserId after;
  std::uint32_t limit = 0;
  std::string prefix;  // as layout::searched_name() has it
  std::string from;    // of a search: the first key of a name that counts
  Then<wire::MembersPage> then;

  /// Asked when there is another member: the page has no room for it.
  bool full() {
    page.more = page.members.size() == limit;
    return page.more;
  }
};

inline Member shown_member(UserId user, const layout::MemberRow& row) {
  return {user, row.role, wall_time(row.since_ms), row.visible_from};
}

}  // namespace parley::core
