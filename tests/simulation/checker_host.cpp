// checker_host.cpp: history from elsewhere, exports, and the end of a user.
#include <algorithm>

#include "base/crc32c.hpp"
#include "simulation/broken.hpp"
#include "simulation/checker.hpp"

namespace parley::simulation {
namespace {

constexpr Time erased_for(std::chrono::seconds(30));  // what was read before may be told still

/// Whether the stream says by `through` that the message is deleted.
bool deleted_by(const TrueStream& stream, Seq seq, Seq through) {
  return stream.message_at(seq, std::min(through, stream.head())).deleted;
}

}  // namespace

// ---- From elsewhere ----

void Checker::importing(const wire::Import& batch) {
  for (std::size_t i = 0; i < batch.messages.size(); ++i) {
    const wire::Send& message = batch.messages[i];
    imports_.try_emplace({batch.conversation, message.import->id},
                         Imported{.sender = batch.senders[i],
                                  .written_ms = message.import->written_ms,
                                  .body_hash = base::crc32c(0, message.body.bytes())});
  }
}

void Checker::imported(const wire::Import& batch, const wire::Answer& answer) {
  if (const auto* failed = std::get_if<wire::Failed>(&answer)) {
    const Errc code = failed->error.errc();
    if (code == Errc::key_reused || code == Errc::invalid_argument || code == Errc::internal ||
        code == Errc::store_corrupt)
      broken("C20", "an import failed: " + failed->error.message);
    return;
  }
  const auto* done = std::get_if<wire::Imported>(&answer);
  if (done == nullptr || done->acks.size() != batch.messages.size())
    broken("A", "an import was answered by something else");
  const TrueStream& truth = stream("C20", batch.conversation);
  Seq last = 0;
  for (std::size_t i = 0; i < done->acks.size(); ++i) {
    const Ack& ack = done->acks[i];
    const std::string& name = batch.messages[i].import->id;
    Imported& known = imports_.at({batch.conversation, name});
    const std::string what = "the import " + name + " in " + at(batch.conversation, ack.seq);
    if (ack.seq == 0 || ack.seq > truth.head()) broken("C1", what + " is not stored");
    const TrueEvent& event = truth.at(ack.seq);
    const bool gone = event.import_id.empty() && event.written_ms == known.written_ms;
    if ((event.import_id != name && !gone) || event.time_ms != ack.time.time_since_epoch().count())
      broken("C20", what + " is another event");
    if (known.sender.empty() ? bool(event.sender) : !event.sender)
      broken("C20", what + " has another sender");
    if (event.sender) this->name(event.sender, known.sender);
    if (known.seq != 0 && (known.seq != ack.seq || !ack.repeated))
      broken("C3", what + " was answered before as seq " + std::to_string(known.seq));
    known.seq = ack.seq;
    if (!ack.repeated && ack.seq < last) broken("C20", what + " is out of order");
    if (!ack.repeated) last = ack.seq;
  }
}

/// Every one that is stored is what was given, and what was answered is stored.
void Checker::finish_imports() {
  for (const ConversationId& id : truth_.conversations()) {
    const TrueStream& truth = stream("C20", id);
    for (const auto& [name, seq] : truth.imports) {
      const auto known = imports_.find({id, name});
      if (known == imports_.end()) broken("C20", at(id, seq) + " was imported by nobody");
      const TrueEvent& event = truth.at(seq);
      if (event.written_ms != known->second.written_ms ||
          (event.hash != 0 && event.body_hash != known->second.body_hash))
        broken("C20", at(id, seq) + " is another message than was imported");
    }
  }
  for (const auto& [key, known] : imports_) {
    if (known.seq == 0) continue;
    const TrueStream& truth = stream("C20", key.first);
    const auto found = truth.imports.find(key.second);
    const bool gone = truth.at(known.seq).import_id.empty();  // deleted before anybody looked
    if (gone ? truth.at(known.seq).written_ms != known.written_ms
             : found == truth.imports.end() || found->second != known.seq)
      broken("C1", "the import " + key.second + " was answered and is lost");
  }
}

// ---- To elsewhere ----

void Checker::exported_event(const ConversationId& id, Seq seq, Bytes record, Seq through,
                             bool exact) {
  const TrueStream& truth = stream("C20", id);
  const std::string what = "the export of " + at(id, seq);
  const auto fields = wire::verify_record(record);
  if (!fields || seq == 0 || seq > truth.head() || fields->seq != seq)
    broken("C20", what + " is none of the stream's");
  if (identity_of(*fields) != truth.at(seq).identity) broken("C20", what + " differs");
  if (fields->kind == EventKind::edited && !fields->body.empty() &&
      deleted_by(truth, fields->about, through))
    broken("C20", what + " shows an edit of what was deleted");
  if (fields->kind != EventKind::message) return;
  const TrueMessage then = truth.message_at(seq, exact ? truth.head() : fields->changed);
  if (fields->deleted != then.deleted ||
      (then.sure && base::crc32c(0, fields->body) != then.body_hash))
    broken("C20", what + " has another body");
  if (!fields->deleted && deleted_by(truth, seq, through))
    broken("C20", what + " shows what was deleted");
}

/// Answers with the seq after its last.
Seq Checker::exported_page(const ConversationId& id, const wire::HistoryPage& page, Seq next,
                           Seq through, bool exact) {
  const TrueStream& truth = stream("C20", id);
  const std::string what = "the export of " + short_name(id);
  if (page.conversation != id || page.records.empty()) broken("C20", what + " has a foreign page");
  const bool floor = truth.was_floor(page.first) && page.first > next;  // it was trimmed meanwhile
  if (page.first != next && !floor)
    broken("C20",
           what + " goes on with " + std::to_string(page.first) + " after " + std::to_string(next));
  if (exact && next == 0 && page.first != truth.floor())
    broken("C20", what + " does not begin at the floor");
  for (std::size_t i = 0; i < page.records.size(); ++i)
    exported_event(id, page.first + i, page.records[i].bytes(), through, exact);
  return page.first + page.records.size();
}

void Checker::exported(const ConversationId& id, const Heads& before,
                       const std::vector<wire::Answer>& lines, bool exact) {
  const TrueStream& truth = stream("C20", id);
  const auto began = before.find(id);
  const Seq through = began == before.end() ? 0 : began->second;
  const std::string what = "the export of " + short_name(id);
  if (lines.empty() || !std::holds_alternative<wire::Info>(lines.front()))
    broken("C20", what + " does not begin with what it is");
  Seq next = 0;
  std::map<UserId, Role> told, known;
  for (const wire::Answer& line : lines) {
    if (const auto* page = std::get_if<wire::HistoryPage>(&line)) {
      next = exported_page(id, *page, next, through, exact);
    } else if (const auto* members = std::get_if<wire::MembersPage>(&line)) {
      for (const Member& member : members->members) told[member.user] = member.role;
    } else if (!std::holds_alternative<wire::Info>(line) &&
               !std::holds_alternative<wire::Kept>(line) &&
               !std::holds_alternative<wire::RestrictionsPage>(line)) {
      broken("C20", what + " has a line of another kind");
    }
  }
  if (next <= through && truth.floor() <= through && !truth.ended)
    broken("C20", what + " ends before " + std::to_string(through));
  if (!exact) return;
  for (const auto& [user, row] : truth_.members(id))
    if (row.role != Role::none) known[user] = row.role;
  if (told != known) broken("C20", what + " has other members");
}

std::set<Seq> Checker::written_by(const TrueStream& stream, UserId user) {
  std::set<Seq> found;
  for (Seq seq = stream.floor(); seq <= stream.head(); ++seq) {
    const TrueEvent& event = stream.at(seq);
    if (event.kind == EventKind::message && event.sender == user &&
        !stream.message_at(seq, stream.head()).deleted)
      found.insert(seq);
  }
  return found;
}

/// Messages may be imported in the name of who never was in their conversation.
bool Checker::was_in(const ConversationId& id, UserId user) {
  return truth_.member(id, user) || stream("C20", id).beginnings.contains(user) ||
         !spans(id, user).empty();
}

void Checker::user_exported(UserId user, const Heads& before,
                            const std::vector<wire::Answer>& lines, bool exact) {
  const std::string what = "the export of user " + to_string(user);
  if (lines.empty() || !std::holds_alternative<UserSettings>(lines.front()))
    broken("C20", what + " does not begin with its settings");
  std::map<ConversationId, std::set<Seq>> wrote, deleted;
  for (const wire::Answer& line : lines) {
    if (const auto* own = std::get_if<DeletedForMe>(&line)) {
      const auto& tried = own_deletions_[{own->conversation, user}].tried;
      for (const Seq seq : own->messages)
        if (!tried.contains(seq)) broken("C18", what + " has a deletion that is none of its own");
      deleted[own->conversation].insert(own->messages.begin(), own->messages.end());
    }
    const auto* messages = std::get_if<wire::Messages>(&line);
    if (messages == nullptr) continue;
    const auto began = before.find(messages->conversation);
    for (const Payload& record : messages->records) {
      const auto fields = wire::verify_record(record.bytes());
      if (!fields || fields->kind != EventKind::message || fields->sender != user)
        broken("C20", what + " has what the user did not write");
      if (!wrote[messages->conversation].insert(fields->seq).second)
        broken("C20", what + " has a message twice");
      exported_event(messages->conversation, fields->seq, record.bytes(),
                     began == before.end() ? 0 : began->second, exact);
    }
  }
  if (!exact) return;
  for (const ConversationId& id : truth_.conversations()) {
    const TrueStream& truth = stream("C20", id);
    if (truth.ended || !was_in(id, user)) continue;
    const Seq floor = truth.floor();  // what was exported before a trim was there
    wrote[id].erase(wrote[id].begin(), wrote[id].lower_bound(floor));
    deleted[id].erase(deleted[id].begin(), deleted[id].lower_bound(floor));
    if (written_by(truth, user) != wrote[id])
      broken("C20", what + " has " + std::to_string(wrote[id].size()) + " messages of " +
                        short_name(id) + ", the user wrote " +
                        std::to_string(written_by(truth, user).size()));
    std::set<Seq> own = truth_.own_deletions(id, user);
    own.erase(own.begin(), own.lower_bound(floor));
    if (own != deleted[id]) broken("C18", what + " has other deletions of " + short_name(id));
  }
}

// ---- The end of a user ----

bool Checker::signing_in(const std::string& subject) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&subject](const auto& session) {
    return session.second.subject == subject && !session.second.welcomed;
  });
}

void Checker::erasing(UserId user, std::int64_t wall_ms) {
  Erasing& begun = erasing_[user];
  begun.since_ms = wall_ms;
  for (const ConversationId& id : truth_.conversations()) {
    const auto row = truth_.member(id, user);
    if (row && row->role != Role::none && truth_.kind_of(id) != ConversationKind::direct)
      begun.in.emplace(id, row->since_ms);
  }
}

void Checker::erased(UserId user, const ErasedUser& result) {
  for (const ConversationId& id : result.held)
    if (!truth_.held(id) && !ended(id))
      broken("C20", short_name(id) + " is said to be held, and is not");
  if (!result.held.empty()) return;
  erased_.emplace(user, scheduler_.now());
  truth_.erased(user);
  for (const ConversationId& id : truth_.conversations()) {
    const TrueStream& truth = stream("C20", id);
    if (truth.ended) continue;
    for (const Seq seq : written_by(truth, user)) {
      // What was due, or with the host, while the end was under way may come after the look at what
      // there is.
      const TrueEvent& event = truth.at(seq);
      const bool slow = host_looks_later_ || event.body_hash == base::crc32c(0, scheduled_text);
      const bool late = slow && event.time_ms >= erasing_.at(user).since_ms;
      if (!late && (event.written_ms == 0 || was_in(id, user)))
        broken("C20", at(id, seq) + " is of a user who was erased");
      spared_.emplace(id, seq);
    }
    const auto row = truth_.member(id, user);
    const auto was = erasing_.at(user).in.find(id);  // who was added meanwhile stays
    if (row && row->role != Role::none && was != erasing_.at(user).in.end() &&
        was->second == row->since_ms)
      broken("C20", "a user who was erased is a member of " + short_name(id));
  }
}

/// Nothing that an erased user wrote is shown to anybody.
void Checker::bodies_gone(const ConversationId& id, const TrueStream& truth, Seq seq,
                          const wire::RecordFields& fields) const {
  const auto erased = erased_.find(truth.at(seq).sender);
  if (erased == erased_.end() || erased->second + erased_for > scheduler_.now()) return;
  if (fields.kind != EventKind::message && fields.kind != EventKind::edited) return;
  // What an edit said of a message that was trimmed: no deletion reaches that any more.
  if (fields.kind == EventKind::edited && fields.about < truth.floor()) return;
  if (!fields.body.empty() && !spared_.contains({id, seq}))
    broken("C20", at(id, seq) + " shows what an erased user wrote");
}

}  // namespace parley::simulation
