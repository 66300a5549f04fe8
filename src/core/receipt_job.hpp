// core/receipt_job.hpp: one commit of a receipt partition on its way.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/conversation_state.hpp"
#include "core/refusals.hpp"

namespace parley::core {

struct Conversation::State::ReceiptJob {
  std::uint16_t bucket = 0;
  std::string partition;
  std::vector<std::pair<UserId, Marked>> marks;  // as they were when the job began
  std::vector<std::pair<UserId, layout::ReceiptRow>> changed;
  std::map<std::string, std::int64_t> moves;    // by the key of an 'h' row: how it changes
  std::map<std::string, std::uint64_t> counts;  // what those rows become
  std::string new_guard;
  std::size_t lookups = 0;
  Error error;
};

inline Error receipts_unreadable() { return unreadable("a receipt partition"); }

}  // namespace parley::core
