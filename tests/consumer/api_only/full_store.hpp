// full_store.hpp: the plugin's own face.
#pragma once
#include <memory>

#include "parley/store.hpp"

std::unique_ptr<parley::Store> full_store();
