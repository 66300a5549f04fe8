// settings.cpp: what a conversation is like, and who may change it.
#include "wire/settings.hpp"

#include <utility>

#include "base/utf8.hpp"
#include "core/conversation_state.hpp"
#include "core/read_as_member.hpp"

namespace parley::core {
namespace {

Error check_text(const std::optional<std::string>& text, std::size_t most, const char* field) {
  if (!text) return {};
  if (text->size() > most)
    return {Errc::too_large,
            std::string(field) + ": expected at most " + std::to_string(most) + " bytes of UTF-8"};
  if (!base::valid_utf8(*text))
    return {Errc::invalid_argument, std::string(field) + ": expected valid UTF-8"};
  return {};
}

Error check_least(const std::optional<Role>& role, const char* field) {
  if (!role || *role == Role::none || (known_role(*role) && *role >= Role::member)) return {};
  return {Errc::invalid_argument,
          std::string(field) + ": expected none, or a role from member to owner"};
}

Error check(const SettingsUpdate& settings) {
  for (Error error :
       {check_text(settings.title, limits::title, "title"),
        check_text(settings.description, limits::description, "description"),
        check_text(settings.avatar, limits::avatar, "avatar"),
        check_least(settings.who_sends, "who_sends"), check_least(settings.who_adds, "who_adds"),
        check_least(settings.who_pins, "who_pins"),
        check_least(settings.who_changes, "who_changes")})
    if (error) return error;
  if (settings.metadata && settings.metadata->size() > limits::metadata)
    return {Errc::too_large, "metadata: expected at most 4096 bytes"};
  if (settings.join && !known_rule(*settings.join))
    return {Errc::invalid_argument, "join: expected added, open or by_request"};
  if (settings.slow_mode &&
      (settings.slow_mode->count() < 0 || *settings.slow_mode > limits::slow_mode))
    return {Errc::invalid_argument, "slow_mode: expected 0 to 24 hours"};
  if (settings.expires_after && settings.expires_after->count() != 0 &&
      (*settings.expires_after < limits::expires_least ||
       *settings.expires_after > limits::expires_most))
    return {Errc::invalid_argument, "expires_after: expected 0, or 1 second to 366 days"};
  return {};
}

}  // namespace

void Conversation::set_settings(Caller caller, SettingsUpdate settings, Then<void> then) {
  if (Error error = check(settings)) return then(std::move(error));
  state_->arrive({.caller = caller, .what = SettingsOp{std::move(settings), std::move(then)}});
}

const layout::InfoRow& Conversation::State::info_now() const noexcept {
  return staged && staged->info ? *staged->info : info;
}

bool Conversation::State::may(Action action, Role role) const noexcept {
  const ConversationSettings& settings = info_now().settings;
  const Role by_kind = least_role(limits.permissions, info.kind, action);
  if (by_kind > Role::owner) return false;  // nobody's, whatever the settings say
  const auto least = [&](Role set) { return set != Role::none ? set : by_kind; };
  switch (action) {
    case Action::send:
      return role >= least(settings.who_sends);
    case Action::invite:
      if (inherits) return false;  // the space's let in
      [[fallthrough]];
    case Action::add:
      return role >= least(settings.who_adds);
    case Action::pin:
      return role >= least(settings.who_pins);
    case Action::change_settings:
      return role >= least(settings.who_changes);
    default:
      return role >= least(Role::none);
  }
}

Error Conversation::State::closed(const Caller& caller, Role role) const {
  if (!info_now().settings.archived || caller.system() || role >= Role::admin) return {};
  return {Errc::archived, "the conversation is archived: only admins change it"};
}

Decision Conversation::State::decide(Op& op, SettingsOp& change) {
  Decision decision{};
  const auto role = actor(op, Action::change_settings, decision);
  if (!role) return decision;
  SettingsChange given = wire::change_of(change.settings);
  bool any = false;
  wire::each_setting(given, info_now().settings, [&any](auto& to, const auto& now) {
    if (to && *to == now) to.reset();
    any = any || to.has_value();
  });
  if (!any) return decision;  // it is so already
  layout::InfoRow row = info_now();
  if (row.space && given.join == JoinRule::by_request) {
    op.error = {Errc::invalid_argument, "join: a channel of a space is open or added"};
    return decision;
  }
  if (row.space && given.join == JoinRule::open) row.opened_ordinal = staged->head.ordinal;
  wire::apply_settings(given, row.settings);
  const std::size_t bytes = layout::encode(row).size();
  if (!fits(1, 2, event_bytes + 2 * bytes)) return Decision::full;
  wire::RecordFields fields{
      .sender = op.caller.user, .kind = EventKind::settings_changed, .settings = given};
  StagedEvent& event = stage_event(fields);
  event.everybody = row.space && given.join == JoinRule::added;
  if (row.space && given.join) stage_note(fields.seq);  // from which the space's own row follows
  staged->head.authority = fields.seq;
  if (!staged->info) staged->rows += 1;
  staged->bytes += 5 + bytes;
  staged->info = std::move(row);
  return decision;
}

void Conversation::info(Caller caller, Then<ConversationInfo> then) {
  State& state = *state_;
  if (state.overloaded()) return then(overload());
  then = counted(state.reads, state.alive, std::move(then));
  state.when_loaded([&state, caller, then](const Error& error) {
    if (error) return then(error);
    if (caller.system()) return state.answer_info(1, all_seeing, Role::none, then);
    state.with_settled_member(
        caller.user, [&state, caller, then](Result<const layout::MemberRow*> row) {
          if (!row) return then(std::move(row).error());
          if (*row == nullptr || (*row)->role == Role::none) return then(denied());
          const Seq from = std::max(state.head.floor, (*row)->visible_from);
          const Reader reader{caller.user, audiences_of(state.info.kind, **row)};
          state.answer_info(from, reader, (*row)->role,
                            state.inherits ? state.still_member(caller.user, then) : then);
        });
  });
}

void Conversation::State::answer_info(Seq from, Reader reader, Role role,
                                      Then<ConversationInfo> then) {
  count_pins(from, reader, [this, user = reader.user, role, then](Result<std::uint64_t> pinned) {
    if (!pinned) return then(std::move(pinned).error());
    count_everybody([this, user, role, pinned = *pinned, then](Result<std::uint64_t> everybody) {
      if (!everybody) return then(std::move(everybody).error());
      ConversationInfo answer{.conversation = id,
                              .kind = info.kind,
                              .settings = info.settings,
                              .creator = info.creator,
                              .created = wall_time(info.created_ms),
                              .members = *everybody,
                              .pins = pinned,
                              .role = role};
      answer.space = info.space;
      for (const auto& [child, row] : children)
        if (!row.unborn && (row.open || !user)) answer.children.push_back(child);
      if (const auto at = restrictions.find(user); at != restrictions.end()) {
        answer.muted = holds(at->second.mute);
        if (answer.muted) answer.muted_until = wall_time(at->second.mute.until_ms);
      }
      then(std::move(answer));
    });
  });
}

}  // namespace parley::core
