// parley/parley.hpp: the whole of the library's own face. Stores and transports of components, and
// parley/asio.hpp, are apart.
#pragma once
#include "parley/conversation.hpp"
#include "parley/engine.hpp"
#include "parley/error.hpp"
#include "parley/event.hpp"
#include "parley/hooks.hpp"
#include "parley/ids.hpp"
#include "parley/limits.hpp"
#include "parley/memory_store.hpp"
#include "parley/options.hpp"
#include "parley/payload.hpp"
#include "parley/pending.hpp"
#include "parley/result.hpp"
#include "parley/session.hpp"
#include "parley/store.hpp"
#include "parley/transport.hpp"
#include "parley/version.hpp"
