// wire/settings.hpp: the settings of a conversation one by one, whatever holds them.
#pragma once
#include "parley/event.hpp"
#include "parley/settings.hpp"

namespace parley::wire {

/// f(a.x, b.x) for every setting x.
template <class A, class B, class F>
void each_setting(A& a, B& b, const F& f) {
  f(a.title, b.title);
  f(a.description, b.description);
  f(a.avatar, b.avatar);
  f(a.metadata, b.metadata);
  f(a.who_sends, b.who_sends);
  f(a.who_adds, b.who_adds);
  f(a.who_pins, b.who_pins);
  f(a.who_changes, b.who_changes);
  f(a.join, b.join);
  f(a.archived, b.archived);
  f(a.slow_mode, b.slow_mode);
  f(a.expires_after, b.expires_after);
}

/// Views of what is given in `settings` (SettingsUpdate), or of all (ConversationSettings).
template <class Settings>
SettingsChange change_of(const Settings& settings) {
  SettingsChange change;
  each_setting(change, settings, [](auto& to, const auto& from) { to = from; });
  return change;
}
/// What is given replaces what was there.
template <class Change>
void apply_settings(const Change& change, ConversationSettings& settings) {
  each_setting(settings, change, [](auto& to, const auto& from) {
    if (from) to = *from;
  });
}

}  // namespace parley::wire
