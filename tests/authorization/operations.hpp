// authorization/operations.hpp: the operations of matrix.csv, as requests.
#pragma once
#include <string>

#include "parley/ids.hpp"
#include "wire/messages.hpp"

namespace parley::test {

/// What an operation is about. `shown` and `hidden` are messages of the keeper's: for everybody,
/// and for moderators.
struct Cell {
  ConversationId conversation{};
  ConversationId space{};  // that the conversation belongs to; none mostly
  UserId actor{}, keeper{}, bystander{};
  Seq shown = 0, hidden = 0;
  Seq poll = 0, hidden_poll = 0;
  Cursor cursor{};  // before both of them
  std::string reaction{};
  std::string invite{};  // the system's link
};

/// Fails the test when there is none of that name.
wire::Operation make_operation(const std::string& name, const Cell& cell);

}  // namespace parley::test
