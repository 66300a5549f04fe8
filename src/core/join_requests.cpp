// join_requests.cpp: strangers who ask to be let in, and the answers of those who may invite.
#include <utility>

#include "base/utf8.hpp"
#include "core/conversation_state.hpp"
#include "core/refusals.hpp"
#include "core/staged_rows.hpp"

namespace parley::core {
namespace {

constexpr std::size_t request_bytes = 9 + 11 + limits::note;

}  // namespace

void Conversation::request_join(Caller caller, std::string note, Then<void> then) {
  if (caller.system()) return then(bad("the system is no member and cannot join"));
  if (note.size() > limits::note)
    return then(Error{Errc::too_large, "note: expected at most 256 bytes of UTF-8"});
  if (!base::valid_utf8(note)) return then(bad("note: expected valid UTF-8"));
  state_->arrive({.caller = caller, .what = RequestJoinOp{std::move(note), std::move(then)}});
}

void Conversation::answer_request(Caller caller, UserId user, bool approve, Then<void> then) {
  if (!user) return then(bad("user: nobody was named"));
  State& state = *state_;
  auto refuse = [then](Error error) { then(std::move(error)); };
  auto answer = [&state, caller, user, approve, then = std::move(then)] {
    state.arrive({.caller = caller, .what = AnswerRequestOp{user, approve, then}});
  };
  if (!approve) return answer();
  allows(caller, Action::invite, [&state, user, refuse, answer](const Result<void>& allowed) {
    allowed ? state.unless_full_of_spaces(user, refuse, answer) : answer();
  });
}

void Conversation::join_requests(Caller caller, const wire::JoinRequests& asked,
                                 Then<wire::JoinRequestsPage> then) {
  State& state = *state_;
  if (asked.limit == 0 || asked.limit > limits::page_join_requests)
    return then(bad("limit: expected 1 to 200 requests"));
  allows(caller, Action::invite, [&state, asked, then](Result<void> allowed) {
    if (!allowed) return then(std::move(allowed).error());
    wire::JoinRequestsPage page{.conversation = state.id};
    for (auto at = state.requests.upper_bound(asked.after); at != state.requests.end(); ++at) {
      if (page.requests.size() == asked.limit) {
        page.more = true;
        break;
      }
      page.requests.push_back({at->first, wall_time(at->second.since_ms), at->second.note});
    }
    then(std::move(page));
  });
}

const layout::JoinRequestRow* Conversation::State::request(UserId user) const noexcept {
  if (staged) {
    for (const auto& [changed, row] : staged->requests)
      if (changed == user) return row ? &*row : nullptr;
  }
  const auto at = requests.find(user);
  return at != requests.end() ? &at->second : nullptr;
}

std::size_t Conversation::State::request_count() const noexcept {
  std::size_t count = requests.size();
  for (const auto& [user, row] : staged->requests) {
    const bool was = requests.contains(user);
    if (row && !was) ++count;
    if (!row && was) --count;
  }
  return count;
}

void Conversation::State::stage_request(UserId user,
                                        const std::optional<layout::JoinRequestRow>& row) {
  std::erase_if(staged->requests, [user](const auto& change) { return change.first == user; });
  staged->requests.emplace_back(user, row);
  staged->rows += 1;
  staged->bytes += request_bytes;
  if (row) staged->head.flags |= layout::head_has_join_requests;
}

void Conversation::State::tell_request(UserId user, UserId by, EventKind kind) {
  const bool members = may(Action::invite, Role::member);
  wire::RecordFields fields{.sender = by,
                            .kind = kind,
                            .audience = members ? audience::everyone : audience::moderators,
                            .target = user};
  stage_note(stage_event(fields).stored.seq);  // the user's own devices are told, too
}

void Conversation::State::end_request(UserId user, UserId by, EventKind kind) {
  if (request(user) == nullptr) return;
  tell_request(user, by, kind);
  stage_request(user, std::nullopt);
}

Decision Conversation::State::decide(Op& op, RequestJoinOp& ask) {
  const UserId user = op.caller.user;
  bool later = false;
  const auto row = member(user, later, op.error);
  if (later) return Decision::later;
  const bool in = (row && row->role != Role::none) || on_the_way(user);
  if (op.error || in) return Decision::decided;
  if (info_now().settings.join != JoinRule::by_request || banned(user)) op.error = denied();
  if (!op.error) op.error = closed(op.caller, Role::none);
  if (op.error || request(user) != nullptr) return Decision::decided;
  if (request_count() >= limits::join_requests) {
    op.error = {Errc::limit_reached, "1,000 wait to be let in; try again later"};
    return Decision::decided;
  }
  if (!fits(1, 2, event_bytes + request_bytes)) return Decision::full;
  tell_request(user, user, EventKind::join_requested);
  stage_request(user, layout::JoinRequestRow{staged->now_ms, ask.note});
  return Decision::decided;
}

Decision Conversation::State::decide(Op& op, AnswerRequestOp& answer) {
  Decision decision{};
  if (!actor(op, Action::invite, decision)) return decision;
  if (channel() && (writing_users.contains(answer.user) || on_the_way(answer.user)))
    return Decision::later;
  bool later = false;
  const auto row = member(answer.user, later, op.error);
  if (later) return Decision::later;
  if (op.error) return decision;
  const bool in = row && row->role != Role::none;
  if (request(answer.user) == nullptr) {  // answered before, or never asked
    if (answer.approve && !in) op.error = denied();
    return decision;
  }
  if (answer.approve && !in) {
    op.error = host_admits(answer.user);
    if (!op.error && full_house())
      op.error = {Errc::limit_reached, "the conversation has as many members as there may be"};
    if (op.error) return decision;
  }
  if (!fits(2, 6, 2 * event_bytes + request_bytes)) return Decision::full;
  const UserId by = op.caller.user;
  if (answer.approve && !in)
    let_in(answer.user, by, EventKind::added, Role::member);
  else
    end_request(answer.user, by,
                answer.approve ? EventKind::join_approved : EventKind::join_denied);
  return decision;
}

void Conversation::State::write_requests(BatchWriter& writer) {
  write_rows(writer, staged->requests, layout::join_request_key);
}

void Conversation::State::requests_committed(const Staged& done) {
  take_rows(requests, done.requests);
}

}  // namespace parley::core
