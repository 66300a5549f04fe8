// core/polls.hpp: polls in messages: checked before they are sent.
#pragma once
#include "parley/result.hpp"
#include "wire/messages.hpp"

namespace parley::core {

/// What is wrong with the poll of a send; no error when it has none.
Error check_poll(const wire::Send& send);

}  // namespace parley::core
