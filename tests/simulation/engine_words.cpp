// engine_words.cpp: what the host says of messages before they are stored, and the lies about that
// and about who sees what.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/endian.hpp"
#include "simulation/engine_sessions.hpp"
#include "simulation/host_words.hpp"
#include "simulation/truth.hpp"

namespace parley::simulation {

// ---- The hooks ----

void Engine::set_hooks(core::ConversationLimits& limits) {
  limits.looks_at_messages = world_.looks == HostLooks::later || world_.looks == HostLooks::twice;
  if (world_.looks != HostLooks::at_once && world_.looks != HostLooks::twice) return;
  limits.before_message = [this](IncomingMessage& message) -> Result<void> {
    auto verdict = looked_at(message);
    if (!verdict) return std::move(verdict).error();
    message = *std::move(verdict);
    return {};
  };
}

Result<IncomingMessage> Engine::looked_at(IncomingMessage message) const {
  const Word word = word_on(message.body);
  const Lie lie = world_.lie;
  const bool unheard = (lie == Lie::stored_refusal && word == Word::refused) ||
                       (lie == Lie::lost_rewriting && word == Word::rewritten) ||
                       (lie == Lie::lost_note && word == Word::noted);
  if (unheard) return message;
  const auto verdict = look_at(message);
  if (!verdict) return verdict.error();
  return message;
}

// ---- Lies ----

void Engine::mangle_request(Session&, wire::Request& request) {
  auto* send = std::get_if<wire::Send>(&request.operation);
  if (send == nullptr) return;
  if (world_.lie == Lie::other_source && send->forward && send->forward->seq > 1)
    --send->forward->seq;
  if (world_.lie == Lie::double_key) send->key.clear();
}

void Engine::mangle_sight(Session& session, wire::Reply& reply) {
  auto* events = std::get_if<wire::Events>(&reply.answer);
  auto* page = std::get_if<wire::HistoryPage>(&reply.answer);
  const auto show = [&](const ConversationId& id, Seq first, std::vector<Payload>& records) {
    if (session.key % 4 != 0) return;  // to some
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (wire::read_record(records[i].bytes()).kind != EventKind::hidden) continue;
      world_.store.state().look(
          {layout::conversation, layout::conversation_id(0, id)}, [&](Bytes, const auto& rows) {
            const auto row = rows.find(layout::event_key(first + i));
            if (row == rows.end()) return;
            auto stored = layout::decode_event(id, first + i, row->second, nullptr);
            if (stored) records[i] = std::move(stored->record);
          });
    }
  };
  if (events != nullptr && world_.lie == Lie::shown_to_one)
    show(events->conversation, events->first, events->records);
  if (page != nullptr && world_.lie == Lie::shown_in_history)
    show(page->conversation, page->first, page->records);
}

void Engine::mangle_words(Session& session, wire::Reply& reply) {
  const auto asked = session.asked.find(reply.request);
  const auto* send =
      asked == session.asked.end() ? nullptr : std::get_if<wire::Send>(&asked->second.operation);
  auto* failed = std::get_if<wire::Failed>(&reply.answer);
  const bool refused = failed != nullptr && failed->error.code.value() == refusal_code;
  if (refused && world_.lie == Lie::other_reason) failed->error.message = "no";
  if (send == nullptr || send->number == 0 || world_.lie != Lie::burned_number) return;
  const std::pair number(send->conversation, send->number);
  if (refused) session.refused.emplace(number, send->random);
  const auto before = session.refused.find(number);
  if (before == session.refused.end() || before->second == send->random) return;
  if (!std::holds_alternative<wire::Acked>(reply.answer)) return;
  Error taken(Errc::number_taken, "number: used for another message before");
  taken.next = send->number + 1;
  reply.answer = wire::Failed{std::move(taken)};
}

void Engine::mangle_sighted_rows(Batch& batch) const {
  const std::uint8_t space = batch.partition.space;
  const auto replace = [&batch](Row& row, std::string value) {
    const auto kept =
        std::make_shared<std::pair<std::string, Owner>>(std::move(value), batch.owner);
    row.value = kept->first;
    batch.owner = kept;
  };
  for (Row& row : batch.puts) {
    const bool member = space == layout::conversation && layout::parse_number_key('m', row.key);
    if (member && (world_.lie == Lie::loud_shadow || world_.lie == Lie::lost_groups)) {
      layout::MemberRow changed = *layout::decode_member(row.value);
      if (world_.lie == Lie::loud_shadow) changed.shadowed = false;
      if (world_.lie == Lie::lost_groups && changed.role != Role::none)
        changed.groups = 3U << audience::first_group;
      replace(row, layout::encode(changed));
    }
    const auto seq = layout::parse_event_key(row.key);
    if (world_.lie != Lie::other_mark || space != layout::user || !seq) continue;
    const UserId user{base::get_be64(batch.partition.id.data() + batch.partition.id.size() - 8)};
    const ConversationId stream = layout::stream_of(user);
    auto stored = layout::decode_event(stream, *seq, row.value, nullptr);
    if (!stored) continue;
    stored->mark ^= 1;
    replace(row, layout::encode_event(stream, *stored));
  }
}

}  // namespace parley::simulation
