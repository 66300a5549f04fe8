// core/own_deletions.hpp: the messages of a conversation that one user deleted for itself alone.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "parley/ids.hpp"
#include "store/layout_messages.hpp"
#include "wire/record.hpp"

namespace parley::core {

/// One user's, in one conversation, at one revision of the user's personal partition. Never changes
/// once made: shards share it.
class OwnDeletions {
 public:
  struct Item {
    Seq seq = 0;
    layout::OwnDeletionRow row{};
  };
  /// `items`: by ascending seq, each once.
  OwnDeletions(std::vector<Item> items, std::uint64_t revision);

  [[nodiscard]] std::uint64_t revision() const noexcept { return revision_; }
  [[nodiscard]] const std::vector<Item>& items() const noexcept { return items_; }
  [[nodiscard]] bool has(Seq seq) const noexcept;
  /// Whether the event is one of these messages, or speaks of nothing but such.
  [[nodiscard]] bool covers(const wire::RecordFields& event) const noexcept;
  [[nodiscard]] bool has_ordinal(std::uint64_t ordinal) const noexcept;
  /// How many have an ordinal above `base`, up to `head`.
  [[nodiscard]] std::uint64_t counted(std::uint64_t base, std::uint64_t head) const noexcept;
  /// The replies to `root` after `base`.
  [[nodiscard]] std::vector<Seq> replies(Seq root, Seq base) const;
  [[nodiscard]] std::vector<Seq> seqs() const;

 private:
  std::vector<Item> items_;
  std::vector<std::uint64_t> ordinals_;  // ascending, of those that have one
  std::uint64_t revision_ = 0;
};
/// Null: the user deleted nothing.
using OwnDeletionsPtr = std::shared_ptr<const OwnDeletions>;

}  // namespace parley::core
