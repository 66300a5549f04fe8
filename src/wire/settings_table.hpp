// wire/settings_table.hpp: settings as the FlatBuffers table of records and frames.
#pragma once
#include "wire/record_generated.h"
#include "wire/settings.hpp"

namespace parley::wire {

flatbuffers::Offset<fb::Settings> build_settings(flatbuffers::FlatBufferBuilder& builder,
                                                 const SettingsChange& change);
/// Views into the table.
SettingsChange settings_of(const fb::Settings& from);

}  // namespace parley::wire
