// describe.hpp: one line for a request or a reply: for the trace, whose hash two equal runs share.
#pragma once
#include <string>

#include "wire/messages.hpp"

namespace parley::simulation {

std::string describe(const wire::Request& request);
std::string describe(const wire::Reply& reply);

}  // namespace parley::simulation
