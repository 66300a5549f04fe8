// store/layout_spaces.hpp: the rows of a space about its channels, and about where those stood when
// somebody came (docs/design/storage_layout.md). Pure functions.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/layout.hpp"

namespace parley::layout {

/// What a channel of a space is to be born with.
struct Unborn {
  UserId creator;           // none: the system
  std::uint64_t entry = 0;  // of the creator, into the space
  std::string title;
};
/// A channel of a space, in the space's own partition ('c' conversation16).
struct ChildRow {
  std::uint32_t number = 0;      // 1, 2, 3 ... within the space; never given again
  bool open = false;             // to every member of the space
  Seq as_of = 0;                 // the event of the channel that said so; 0: its birth
  std::optional<Unborn> unborn;  // until it was born
};
std::string child_key(const ConversationId& id);
std::optional<ConversationId> parse_child_key(Bytes key) noexcept;
std::string encode(const ChildRow& row);
std::optional<ChildRow> decode_child(Bytes value);

/// Where the channels of a space stood when a member came, beside the member's row ('b' user8).
struct Beginnings {
  std::uint64_t entry = 0;  // MemberRow::admission of that membership
  struct One {
    std::uint32_t child = 0;    // ChildRow::number
    std::uint64_t ordinal = 0;  // not 0
  };
  std::vector<One> children;  // ascending
  /// 0 for those that had no messages, or were not there.
  [[nodiscard]] std::uint64_t of(std::uint32_t child) const noexcept;
};
std::string beginnings_key(UserId user);
std::string encode(const Beginnings& row);
std::optional<Beginnings> decode_beginnings(Bytes value);

}  // namespace parley::layout
