// spaces.cpp: the channels of a space. A row of the space comes before the birth of a channel and
// goes after its end, so that nobody is in a channel that its space does not know.
#include <algorithm>
#include <utility>

#include "core/conversation_state.hpp"
#include "core/staged_rows.hpp"

namespace parley::core {
namespace {

constexpr std::size_t child_event_bytes = event_bytes + limits::title;
constexpr std::size_t child_bytes = 17 + 32 + limits::title;

}  // namespace

// ---- Arrival ----

void Conversation::create_child(Caller caller, const ConversationId& child, Creation creation,
                                Then<Access> then) {
  if (Error error = check_creation(creation)) return then(std::move(error));
  auto& members = creation.members;
  std::erase(members, caller.user);
  state_->arrive({.caller = caller, .what = ChildOp{child, std::move(creation), std::move(then)}});
}

void Conversation::child_changed(const ConversationId& child, bool open, std::string title,
                                 Seq as_of, Then<void> then) {
  using What = ChildNewsOp::What;
  state_->arrive(
      {.what = ChildNewsOp{What::changed, child, open, std::move(title), as_of, std::move(then)}});
}

/// A space that is gone, too, knows nothing any more.
void Conversation::child_gone(const ConversationId& child, Then<void> then) {
  if (state_->ended()) return then({});
  auto told = [then = std::move(then)](Result<void> stored) {
    const bool unknown = !stored && stored.error().errc() == Errc::denied;
    then(unknown ? Result<void>() : std::move(stored));
  };
  state_->arrive({.what = ChildNewsOp{ChildNewsOp::What::gone, child, false, {}, 0, told}});
}

// ---- Rows in the speculative state ----

const layout::ChildRow* Conversation::State::child(const ConversationId& which) const noexcept {
  if (staged) {
    for (const auto& [changed, row] : staged->children)
      if (changed == which) return row ? &*row : nullptr;
  }
  const auto at = children.find(which);
  return at != children.end() ? &at->second : nullptr;
}

std::size_t Conversation::State::child_count() const noexcept {
  std::size_t count = children.size();
  for (const auto& [which, row] : staged->children) {
    const bool was = children.contains(which);
    if (row && !was) ++count;
    if (!row && was) --count;
  }
  return count;
}

void Conversation::State::stage_child(const ConversationId& which,
                                      const std::optional<layout::ChildRow>& row) {
  const std::optional<layout::ChildRow> kept = row;  // it may be one of those that go here
  std::erase_if(staged->children, [&](const auto& change) { return change.first == which; });
  staged->children.emplace_back(which, kept);
  staged->rows += 1;
  staged->bytes += child_bytes;
  if (kept) staged->head.flags |= layout::head_has_children;
}

void Conversation::State::tell_child(const ConversationId& which, UserId by, bool open,
                                     std::string_view title) {
  wire::RecordFields fields{.sender = by,
                            .kind = open ? EventKind::child_opened : EventKind::child_closed,
                            .title = open ? title : std::string_view(),
                            .conversation = which};
  StagedEvent& event = stage_event(fields);
  if (open) event.opened = which;
}

// ---- Deciding ----

/// The row names what the channel is to be born with, so that its birth can be carried on.
Decision Conversation::State::decide(Op& op, ChildOp& create) {
  Decision decision{};
  if (!actor(op, Action::create_child, decision)) return decision;
  Creation& with = create.creation;
  const UserId creator = op.caller.user;
  bool later = false;
  if (const auto own = creator ? member(creator, later, op.error) : std::nullopt)
    with.child.entry = own->admission;
  with.child.entries.clear();
  for (const UserId named : with.members) {
    bool unread = false;
    const auto row = member(named, unread, op.error);
    later = later || unread;
    if (!unread && !op.error && (!row || row->role == Role::none))
      op.error = {Errc::invalid_argument, "members: one of them is not in the space"};
    with.child.entries.push_back(row ? row->admission : 0);
  }
  if (later) return Decision::later;
  if (op.error || child(create.id) != nullptr) return decision;
  if (child_count() >= limits::children) {
    op.error = {Errc::limit_reached, "the space has 500 channels; delete some first"};
    return decision;
  }
  layout::InfoRow row = info_now();
  if (!fits(0, 2, child_bytes + layout::encode(row).size())) return Decision::full;
  ++row.child_number;
  stage_child(create.id,
              layout::ChildRow{.number = row.child_number,
                               .open = with.join != JoinRule::added,
                               .unborn = layout::Unborn{creator, with.child.entry, with.title}});
  staged->bytes += 5 + layout::encode(row).size();
  if (!staged->info) staged->rows += 1;
  staged->info = std::move(row);
  return decision;
}

Decision Conversation::State::decide(Op& op, ChildNewsOp& news) {
  using What = ChildNewsOp::What;
  const layout::ChildRow* known = child(news.id);
  if (known == nullptr || (news.what == What::changed && known->as_of >= news.as_of))
    return Decision::decided;
  if (!fits(1, 2, child_event_bytes + child_bytes)) return Decision::full;
  layout::ChildRow row = *known;
  const bool shown = row.open && !row.unborn;
  if (news.what == What::gone) {
    if (shown) tell_child(news.id, op.caller.user, false, {});
    stage_child(news.id, std::nullopt);
    return Decision::decided;
  }
  if (news.what == What::born) {
    if (!row.unborn) return Decision::decided;
    if (row.open) tell_child(news.id, row.unborn->creator, true, row.unborn->title);
    row.unborn.reset();
  } else {
    if (!row.unborn && news.open != row.open)
      tell_child(news.id, op.caller.user, news.open, news.title);
    row.open = news.open;
    row.as_of = news.as_of;
  }
  stage_child(news.id, row);
  return Decision::decided;
}

// ---- Births ----

void Conversation::State::answer_child(Op& op, ChildOp& create) {
  bear(create.id, op.caller, std::move(create.creation), std::move(create.then));
}

void Conversation::State::bear(const ConversationId& which, Caller creator, Creation creation,
                               Then<Access> then) {
  const auto at = children.find(which);
  if (at == children.end()) return then(denied());
  const layout::ChildRow& row = at->second;
  creation.kind = ConversationKind::channel;
  creation.child.space = id;
  creation.child.number = row.number;
  creation.join = row.open ? JoinRule::open : JoinRule::added;
  if (row.unborn) creation.title = row.unborn->title;
  births.insert(which);
  host.bear_child(which, creator, std::move(creation),
                  input<Result<Access>>([this, which, then = std::move(then)](Result<Access> made) {
                    births.erase(which);
                    born(which, std::move(made), then);
                  }));
}

/// It is there, too, when who made it is not in it any more.
void Conversation::State::born(const ConversationId& which, Result<Access> made,
                               const Then<Access>& then) {
  const auto now = children.find(which);
  if (now == children.end() || !now->second.unborn) return then(std::move(made));
  const Errc error = made ? Errc::ok : made.error().errc();
  const bool there = error == Errc::ok || error == Errc::denied;
  if (!there && error != Errc::key_reused) {
    start_flush_timer();  // once more
    return then(std::move(made));
  }
  const auto what = there ? ChildNewsOp::What::born : ChildNewsOp::What::gone;
  auto told = [then, made = std::move(made)](Result<void> stored) {
    then(stored ? made : Result<Access>(std::move(stored).error()));
  };
  arrive({.what = ChildNewsOp{what, which, false, {}, 0, std::move(told)}});
}

bool Conversation::State::bearing() const noexcept {
  return std::any_of(children.begin(), children.end(),
                     [](const auto& item) { return item.second.unborn.has_value(); });
}

void Conversation::State::bear_children() {
  if (phase != Phase::ready || ended()) return;
  std::vector<ConversationId> unborn;
  for (const auto& [which, row] : children)
    if (row.unborn && !births.contains(which)) unborn.push_back(which);
  for (const ConversationId& which : unborn) {
    const layout::Unborn& begun = *children.find(which)->second.unborn;
    Creation creation{.title = begun.title};
    creation.child.entry = begun.entry;
    bear(which, Caller{begun.creator, {}}, std::move(creation), [](const Result<Access>&) {});
  }
}

// ---- What its members are in its channels ----

void Conversation::State::answer_when_told(std::vector<OpPtr> ops,
                                           const std::vector<StagedEvent>& events) {
  std::vector<std::pair<UserId, bool>> changes;  // whom, and whether they went
  for (const StagedEvent& event : events) {
    if (event.ended) changes.emplace_back(event.ended, true);
    if (event.changed) changes.emplace_back(event.changed, false);
  }
  if (ended()) changes = {{UserId{}, true}};
  auto held = std::make_shared<std::vector<OpPtr>>(std::move(ops));
  tell_rights(std::move(changes), [this, held] { answer_all(*held); });
}

void Conversation::State::tell_rights(std::vector<std::pair<UserId, bool>> changes,
                                      std::function<void()> then) {
  auto open = std::make_shared<std::size_t>(changes.size() + 1);
  const auto one_done = [open, then = std::move(then)] {
    if (--*open == 0) then();
  };
  for (const auto& [user, gone] : changes) {
    ++outstanding;
    host.space_changed(id, user, gone, [this, one_done, here = std::weak_ptr<const void>(alive)] {
      if (here.expired()) return;
      --outstanding;
      one_done();
    });
  }
  one_done();
}

// ---- Where they stand ----

/// One read at a time; who comes while it is under way shares the next one.
void Conversation::State::with_beginnings(ThenBeginnings then) {
  beginning_waiters.push_back(std::move(then));
  if (!reading_beginnings) read_beginnings();
}

void Conversation::State::read_beginnings() {
  auto asked = std::make_shared<std::vector<ThenBeginnings>>(std::exchange(beginning_waiters, {}));
  std::vector<OwnedCell> cells;
  std::vector<std::uint32_t> numbers;
  for (const auto& [which, row] : children) {
    cells.push_back({layout::conversation, layout::conversation_id(host.ns(), which), {}});
    numbers.push_back(row.number);
  }
  if (cells.empty()) {
    for (const ThenBeginnings& then : *asked) then(std::vector<layout::Beginnings::One>());
    return;
  }
  reading_beginnings = true;
  get(owned_get(std::move(cells)),
      [this, asked, numbers = std::move(numbers)](Result<Cells> found) {
        reading_beginnings = false;
        std::vector<layout::Beginnings::One> beginnings;
        for (std::size_t i = 0; found && i < numbers.size(); ++i) {
          const auto& guard = found->values[i];  // none: it is not born yet, or gone
          const auto head = guard ? layout::decode_head(*guard) : std::nullopt;
          if (head && head->ordinal != 0) beginnings.push_back({numbers[i], head->ordinal});
        }
        std::sort(beginnings.begin(), beginnings.end(),
                  [](const auto& a, const auto& b) { return a.child < b.child; });
        if (!beginning_waiters.empty()) read_beginnings();
        for (const ThenBeginnings& then : *asked) {
          if (found)
            then(beginnings);
          else
            then(found.error());
        }
      });
}

// ---- Rows ----

void Conversation::State::write_children(BatchWriter& writer) {
  write_rows(writer, staged->children, layout::child_key);
}

void Conversation::State::children_committed(const Staged& done) {
  take_rows(children, done.children);
}

}  // namespace parley::core
