// user_end.cpp: a user is forgotten: what the user keeps, and the name that leads there.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/conversation_commit.hpp"
#include "core/erasing.hpp"
#include "core/shard_state.hpp"
#include "store/layout_messages.hpp"

namespace parley::core {
namespace {

constexpr auto sessions_again_after = std::chrono::milliseconds(50);

}  // namespace

void UserHome::places(Then<wire::Places> then) {
  ++operations_;
  load([this, then = std::move(then)](const Error& error) {
    --operations_;
    if (error) return then(error);
    auto all = std::make_shared<wire::Places>();
    std::vector<ConversationId> spaces;
    for (const auto& [id, row] : list_) {
      all->conversations.push_back(id);
      if (row.kind == ConversationKind::space) spaces.push_back(id);
    }
    add_places(all, std::move(spaces), then);
  });
}

void UserHome::forget(Then<void> then) {
  for (const UserSession& session : sessions_) {
    shard_.at(session.ref.shard,
              [ref = session.ref](ShardState& there) { there.sessions.revoked(ref); });
  }
  ++operations_;
  if (loading_ || committing_ || !changes_.empty() || operations_ > 1 || !sessions_.empty()) {
    shard_.world.start_timer(sessions_again_after, [this, then = std::move(then)] {
      --operations_;
      forget(then);
    });
    return;
  }
  places([this, then = std::move(then)](Result<wire::Places> all) {
    if (!all && all.error().errc() != Errc::denied) {
      --operations_;
      return then(std::move(all).error());
    }
    auto places = std::make_shared<std::vector<ConversationId>>();
    if (all) *places = std::move(all->conversations);
    forget_places(places, then);
  });
}

/// What the user keeps for itself of each conversation, then the rest.
void UserHome::forget_places(const std::shared_ptr<std::vector<ConversationId>>& places,
                             const Then<void>& then) {
  auto alive = std::make_shared<const int>(0);  // as long as the work runs, so does this shard
  if (!places->empty()) {
    const ConversationId place = places->back();
    places->pop_back();
    auto next = [this, places, then](const Result<void>& done) {
      if (done) return forget_places(places, then);
      --operations_;
      then(done.error());
    };
    // Replies from before the user left may still be on their way to who followed them.
    Then<void> moved = [this, alive, place, next](const Result<void>& done) {
      if (!done) return next(done);
      erase_partition(shard_.world, alive, layout::personal,
                      layout::personal_id(shard_.config.ns, place, id_),
                      [alive, next](const Error& error) {
                        next(error ? Result<void>(error) : Result<void>());
                      });
    };
    return shard_.at_home(place,
                          [moved, back = shard_.index](ShardState& there, Conversation& home) {
                            home.threads_moved(there.returning<void>(back, moved));
                          });
  }
  erase_partition(shard_.world, alive, layout::user, partition_,
                  [this, alive, then](const Error& error) {
                    --operations_;
                    loaded_ = profile_read_ = false;
                    list_.clear();
                    devices_.clear();
                    settings_ = {};
                    scheduled_.clear();
                    then(error ? Result<void>(error) : Result<void>());
                  });
}

void Names::forget(const std::string& subject, UserId id, Then<void> then) {
  if (subject.empty()) return then({});
  const ShardIndex asking = shard_.index;
  shard_.at(shard_.shard_of_subject(subject), [=, then = std::move(then)](ShardState& there) {
    there.names.forget_here(subject, id, [&there, asking, then](const Result<void>& forgotten) {
      there.at(asking, [then, forgotten](ShardState&) { then(forgotten); });
    });
  });
}

void Names::forget_here(const std::string& subject, UserId id, Then<void> then) {
  if (pending_.contains(subject)) {  // what is being read may be the old cell
    shard_.world.start_timer(sessions_again_after,
                             [=, this, then = std::move(then)] { forget_here(subject, id, then); });
    return;
  }
  const std::string partition = partition_of(subject);
  shard_.world.get(owned_get({{layout::name, partition, {}}}), [=, this, then = std::move(then)](
                                                                   Result<Cells> cells) {
    if (!cells) return then(std::move(cells).error());
    const auto& guard = cells->values[0];
    const auto name = guard ? layout::decode_name(*guard) : std::nullopt;
    if (!name || name->user != id) return drop_everywhere(subject, id, then);
    BatchWriter writer(layout::name, partition, 0);
    writer.expect(*guard);
    Batch batch = std::move(writer).finish();
    batch.guard.reset();
    auto alive = std::make_shared<const int>(0);
    submit_guarded(shard_.world, alive, std::move(batch), [=, this](const Settled& outcome) {
      (void)alive;
      if (outcome.outcome == Settled::Outcome::failed) return then(outcome.error);
      drop_everywhere(subject, id, then);
    });
  });
}

void Names::drop_everywhere(const std::string& subject, UserId id, Then<void> then) {
  auto open = std::make_shared<std::size_t>(shard_.config.shards);
  const ShardIndex here = shard_.index;
  for (ShardIndex i = 0; i < shard_.config.shards; ++i) {
    shard_.at(i, [=](ShardState& there) {
      there.names.ids_.erase(subject);
      there.names.subjects_.erase(id);
      there.at(here, [=](ShardState&) {
        if (--*open == 0) then({});
      });
    });
  }
}

}  // namespace parley::core
