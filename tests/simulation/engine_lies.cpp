// engine_lies.cpp: the planted lies on their way in and out.
#include <algorithm>

#include "simulation/engine_sessions.hpp"
#include "simulation/truth.hpp"

namespace parley::simulation {

using namespace std::chrono_literals;

void Engine::commit(Batch batch, std::function<void(Committed)> then) {
  const auto done = [](std::function<void(Committed)>& tell) {
    tell(Committed{.verdict = Verdict::done, .found = {}, .error = {}, .owner = {}});
  };
  switch (world_.lie) {
    case Lie::unknown_is_done:
    case Lie::failed_is_done: {
      const Verdict from = world_.lie == Lie::unknown_is_done ? Verdict::unknown : Verdict::failed;
      store_->commit(std::move(batch), [from, then = std::move(then)](Committed c) {
        if (c.verdict == from) c.verdict = Verdict::done;
        then(std::move(c));
      });
      return;
    }
    case Lie::ack_before_commit:
      done(then);
      world_.scheduler.after(50ms, [this, alive = std::weak_ptr<int>(alive_), batch] {
        if (!alive.expired()) store_->commit(batch, [](Committed) {});
      });
      return;
    case Lie::lost_write:
      if (batch.partition.space == 1 && random_.chance(0.01)) return done(then);
      break;
    default:
      mangle_rows(batch);
  }
  store_->commit(std::move(batch), std::move(then));
}

void Engine::mangle_rows(Batch& batch) {
  const std::uint8_t space = batch.partition.space;
  const auto lose = [&batch, space](std::uint8_t where, char first) {
    if (space == where)
      std::erase_if(batch.puts, [first](const Row& row) { return row.key[0] == first; });
  };
  switch (world_.lie) {
    case Lie::lost_overlay:
      return lose(layout::conversation, 'o');
    case Lie::lost_reactor:
      return lose(layout::reaction, 'u');
    case Lie::lost_ballot:
      return lose(layout::reaction, 'b');
    case Lie::lost_schedule:
      return lose(layout::user, 'q');
    case Lie::lost_own_deletion:
      return lose(layout::personal, 'h');
    case Lie::lost_import_id:
      return lose(layout::conversation, 'k');
    case Lie::lost_counts:
      return lose(layout::receipt, 'h');
    case Lie::lost_erase:
      if (space == layout::conversation)
        std::erase_if(batch.erases, [](Bytes key) { return key[0] == 'e'; });
      return;
    case Lie::lost_hold:
      if (space != layout::conversation ||
          !held_.contains(*Truth::conversation_in(batch.partition)))
        return;
      for (Row& row : batch.puts) {
        if (row.key != layout::retention_key()) continue;
        auto keep = *layout::decode_retention(row.value);
        keep.hold = true;
        const auto held =
            std::make_shared<std::pair<std::string, Owner>>(layout::encode(keep), batch.owner);
        row.value = held->first;
        batch.owner = held;
      }
      return;
    default:
      mangle_sighted_rows(batch);
  }
}

bool Engine::lied_to(wire::Operation& operation, const Answered& then) {
  if (auto* keep = std::get_if<wire::SetRetention>(&operation);
      keep != nullptr && world_.lie == Lie::lost_hold) {
    if (keep->retention.hold) held_.insert(keep->conversation);
    keep->retention.hold = false;
  }
  if (auto* import = std::get_if<wire::Import>(&operation);
      import != nullptr && world_.lie == Lie::lost_import && import->messages.size() > 1) {
    import->messages.pop_back();
    import->senders.pop_back();
  }
  if (auto* set = std::get_if<wire::SetVisibility>(&operation);
      set != nullptr && world_.lie == Lie::lost_shadow)
    set->shadowed.reset();
  const bool spared = world_.lie == Lie::spared_body &&
                      std::holds_alternative<wire::Delete>(operation) && random_.chance(0.5);
  if (spared) {
    world_.scheduler.after(1ms, [then, alive = std::weak_ptr<int>(alive_)] {
      if (!alive.expired()) then(wire::Done{});
    });
  }
  return spared;
}

void Engine::mangle_host(wire::Reply& reply) {
  if (auto* page = std::get_if<wire::HistoryPage>(&reply.answer);
      page != nullptr && world_.lie == Lie::short_export && page->records.size() > 1) {
    page->records.erase(page->records.begin());
    ++page->first;
  }
  if (auto* done = std::get_if<wire::Imported>(&reply.answer);
      done != nullptr && world_.lie == Lie::lost_import && !done->acks.empty()) {
    done->acks.push_back(done->acks.back());
    ++done->acks.back().seq;
  }
}

bool Engine::delayed(SessionKey key, const wire::Request& request) {
  if (world_.lie != Lie::overtaking || !std::holds_alternative<wire::Send>(request.operation) ||
      !random_.chance(0.1))
    return false;
  world_.scheduler.after(50ms, [this, key, request, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) hand_in(key, request);
  });
  return true;
}

void Engine::mangle(Session& session, std::vector<wire::Reply>& replies) {
  wire::Reply& reply = replies.front();
  const bool now = random_.chance(0.02);
  const Lie lie = world_.lie;
  if (auto* events = std::get_if<wire::Events>(&reply.answer); events != nullptr && now) {
    if (lie == Lie::drop_event) return replies.clear();
    if (lie == Lie::repeat_event) return replies.push_back(reply);
    if (lie == Lie::change_event) {
      std::string bytes(events->records.front().bytes());
      bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
      events->records.front() = Payload::copy_of(bytes);
    }
  }
  if (auto* acked = std::get_if<wire::Acked>(&reply.answer); acked != nullptr && now) {
    if (lie == Lie::forget_ack) return replies.clear();
    if (lie == Lie::other_seq) ++acked->ack.seq;
  }
  if (auto* moved = std::get_if<wire::ReceiptsMoved>(&reply.answer);
      moved != nullptr && lie == Lie::receipts_go_back) {
    for (Receipt& receipt : moved->receipts) {
      Receipt& before = session.old[{moved->conversation, receipt.user}];
      if (before.user && now) {
        receipt = before;
      } else {
        if (!before.user || random_.chance(0.5)) before = receipt;
      }
    }
  }
  if (auto* answer = std::get_if<wire::Subscribed>(&reply.answer)) {
    const auto& asked = session.asked[reply.request];
    const auto* subscribe = std::get_if<wire::Subscribe>(&asked.operation);
    for (std::size_t i = 0; i < answer->answers.size() && subscribe != nullptr; ++i) {
      ResumeAnswer& resume = answer->answers[i];
      const auto& cursor = subscribe->items[i].cursor;
      if (lie == Lie::caught_up && resume.answer == Resume::range && cursor) {
        resume.answer = Resume::caught_up;
      }
      if (lie == Lie::never_forked && resume.answer == Resume::forked) {
        resume.answer = Resume::caught_up;
      }
    }
  }
  if (auto* events = std::get_if<wire::Events>(&reply.answer);
      events != nullptr && lie == Lie::resume_off_by_one && events->records.size() > 1 && now) {
    events->records.erase(events->records.begin());
    ++events->first;
  }
  if (auto* online = std::get_if<Online>(&reply.answer);
      online != nullptr && lie == Lie::wrong_online) {
    ++online->count;
  }
  mangle_lists(session, reply, now);
  mangle_sight(session, reply);
  mangle_words(session, reply);
}

void Engine::mangle_lists(Session& session, wire::Reply& reply, bool now) {
  const Lie lie = world_.lie;
  auto* welcome = std::get_if<wire::Welcome>(&reply.answer);
  auto* list = welcome != nullptr ? &welcome->list : std::get_if<wire::ListChanged>(&reply.answer);
  if (welcome != nullptr && now && lie == Lie::wrong_unread && !list->entries.empty())
    ++list->entries.front().unread;
  if (welcome != nullptr && now && lie == Lie::other_user) ++welcome->user.value;
  if (list != nullptr && lie == Lie::lost_children)
    for (ListEntry& entry : list->entries)
      if (!entry.children.empty()) entry.children.pop_back();
  if (auto* presence = std::get_if<wire::PresenceChanged>(&reply.answer);
      presence != nullptr && lie == Lie::ghost && reply.request == 0)
    std::erase_if(presence->users, [](const Presence& user) { return !user.online; });
  const auto* failed = std::get_if<wire::Failed>(&reply.answer);
  if (failed == nullptr || lie != Lie::let_in || failed->error.errc() != Errc::denied) return;
  const auto* asked = std::get_if<wire::Members>(&session.asked[reply.request].operation);
  if (asked != nullptr) reply.answer = wire::MembersPage{.conversation = asked->conversation};
}

}  // namespace parley::simulation
