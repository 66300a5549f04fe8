// core/reaction_job.hpp: one commit of what is on a message: its reactions, and the votes of its
// poll.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/conversation_state.hpp"

namespace parley::core {

struct Conversation::State::ReactionJob {
  Seq seq = 0;
  std::string partition;
  std::vector<ReactionWrite> writes;
  std::vector<Error> errors;  // of each write
  // As it is stored, then as it will be.
  std::optional<std::string> guard;
  layout::CountCell cell;
  std::map<std::string, layout::ReactionRow> counts;
  std::map<std::pair<std::string, UserId>, bool> rows;  // whether it is there, of what was read
  bool all = false;                                     // `rows` holds every one
  std::optional<layout::PollRow> poll;
  std::map<UserId, std::uint32_t> ballots;  // of those who vote now; 0: none
  // What changes.
  std::map<std::pair<std::string, UserId>, bool> reactors;
  std::map<std::string, bool> keys;
  std::map<UserId, bool> voters;
  std::map<std::pair<std::uint8_t, UserId>, bool> votes;  // of polls that are not anonymous
  bool poll_changed = false;

  void forget() {
    guard.reset();
    cell = {};
    counts.clear();
    rows.clear();
    poll.reset();
    ballots.clear();
    reactors.clear();
    keys.clear();
    voters.clear();
    votes.clear();
    poll_changed = false;
  }
};

}  // namespace parley::core
