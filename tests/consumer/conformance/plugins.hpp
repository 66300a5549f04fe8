// plugins.hpp: the stranger's store and transport.
#pragma once
#include <memory>

#include "parley/store.hpp"
#include "parley/transport.hpp"

parley::StoreOpener map_store();
std::unique_ptr<parley::Transport> pipe_transport();
