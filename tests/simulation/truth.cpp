// truth.cpp: decodes the store's rows and checks each stream against itself.
#include "simulation/truth.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/crc32c.hpp"
#include "simulation/host_words.hpp"
#include "simulation/report.hpp"
#include "store/layout_messages.hpp"

namespace parley::simulation {
namespace {

using RowMap = store::MemoryStore::RowMap;

[[noreturn]] void broken(const char* check, const ConversationId& id, Seq seq, std::string what) {
  throw Broken(std::string(check) + " conversation " + short_name(id) + " seq " +
               std::to_string(seq) + ": " + std::move(what));
}

ConversationId conversation_of(Bytes partition) {
  ConversationId id;
  partition.substr(partition.size() - id.bytes.size())
      .copy(reinterpret_cast<char*>(id.bytes.data()), id.bytes.size());
  return id;
}

bool is_held(const RowMap& rows) {
  const auto row = rows.find(layout::retention_key());
  const auto keep = row == rows.end() ? std::nullopt : layout::decode_retention(row->second);
  return keep && keep->hold;
}

/// The end of a message by itself, or of the whole conversation.
bool ends_something(const TrueEvent& event) {
  return event.kind == EventKind::ended || (event.kind == EventKind::deleted && !event.sender);
}

}  // namespace

std::string short_name(const ConversationId& id) { return to_string(id).substr(0, 6); }

std::optional<std::string> Truth::row(std::uint8_t space, const std::string& partition,
                                      const std::string& key) {
  std::optional<std::string> value;
  store_.look({space, partition}, [&](Bytes, const RowMap& rows) {
    if (const auto at = rows.find(key); at != rows.end()) value = at->second;
  });
  return value;
}

const TrueStream* Truth::stream(const ConversationId& id) {
  bool found = false;
  store_.look({layout::conversation, layout::conversation_id(0, id)},
              [&](Bytes guard, const RowMap& rows) {
                const auto head = layout::decode_head(guard);
                if (!head) broken("C2", id, 0, "the head cell cannot be decoded");
                found = true;
                follow(id, streams_[id], *head, rows);
              });
  const auto at = streams_.find(id);
  if (at == streams_.end()) return nullptr;
  if (!found && !at->second.ended) broken("C2", id, at->second.head(), "the stream vanished");
  return &at->second;
}

void Truth::follow(const ConversationId& id, TrueStream& stream, const layout::HeadCell& head,
                   const RowMap& rows) {
  if (stream.ended && stream.epoch == head.epoch) return;  // it goes in parts
  if (stream.events.empty()) stream.epoch = head.epoch;
  if (!head.epoch) broken("C2", id, head.head, "the epoch is empty");
  if (head.epoch != stream.epoch) broken("C2", id, head.head, "the epoch changed");
  if (head.head < stream.head()) {
    broken("C2", id, head.head, "the head went back from " + std::to_string(stream.head()));
  }
  if (head.sealed > head.head) broken("C2", id, head.head, "sealed beyond the head");
  stream.sealed = head.sealed;
  const bool held = stream.keeping.hold && is_held(rows);  // it may come in the same commit
  if (stream.head() < head.head) take_openness(id, stream);
  while (stream.head() < head.head) {
    const Seq seq = stream.head() + 1;
    const bool first = stream.events.empty();
    const TrueEvent event =
        read(id, seq, rows, stream.mark_at(seq - 1), first ? 0 : stream.events.back().time_ms,
             stream.ordinal_at(seq - 1));
    if (held && ends_something(event)) broken("C17", id, seq, "ends what a hold keeps");
    take_event(id, stream, event, seq);
    stream.events.push_back(event);
    ++committed_;
  }
  take_floor(id, stream, head, rows);
  if (head.mark != stream.mark_at(head.head))
    broken("C2", id, head.head, "the head's mark is wrong");
  if (head.ordinal != stream.ordinal_at(head.head)) {
    broken("C2", id, head.head, "the head's ordinal is wrong");
  }
}

/// What the stream says after one more event, and what that must not be.
void Truth::take_event(const ConversationId& id, TrueStream& stream, const TrueEvent& event,
                       Seq seq) {
  if (event.echo != 0) {
    const auto [at, fresh] = echoes_.try_emplace(event.echo, Place{id, seq});
    if (!fresh) {
      broken("C3", id, seq,
             "the same send was committed before, in " + short_name(at->second.conversation) +
                 " as seq " + std::to_string(at->second.seq));
    }
  }
  if (event.expires) expiring_.emplace(id, seq);
  if (event.closes) closing_.emplace(id, seq);
  if (event.kind == EventKind::deleted) {
    if (about_ordinal_ != 0) stream.deleted.emplace_back(about_ordinal_, seq);
    if (expiring_.erase({id, about_}) != 0 && !event.sender) ++expired_;
    closing_.erase({id, about_});
  }
  for (auto& [message, change] : changes_) {
    if (change.poll) take_poll(id, stream, message, change);
    stream.changes[message].push_back(std::move(change));
  }
  changes_.clear();
  take_import(id, stream, event, seq);
  take_groups(stream, event);
  take_rights(id, stream, event, seq);
  take_restriction(id, stream, seq, event);
  take_shadow(id, stream, seq, event);
  if (event.role == Role::read_only) stream.silenced.insert(event.target);
  // In a channel joins are no events, and somebody may have come back as a member.
  if (event.kind == EventKind::message && kind_of(id) == ConversationKind::group && event.sender &&
      event.written_ms == 0 && stream.roles[event.sender] == Role::read_only)
    broken("C7", id, seq, "was written by somebody who may only read");
  if (event.kind == EventKind::joined || event.kind == EventKind::added)
    stream.beginnings[event.target].push_back(seq);
  if (event.kind == EventKind::left || event.kind == EventKind::removed) {
    stream.endings[event.target].push_back(seq);
  }
  if (event.kind == EventKind::ended) stream.ended = true;
}

/// History from elsewhere comes once.
void Truth::take_import(const ConversationId& id, TrueStream& stream, const TrueEvent& event,
                        Seq seq) {
  if (event.import_id.empty()) return;  // or it was deleted before anybody looked
  const auto [first, fresh] = stream.imports.try_emplace(event.import_id, seq);
  if (!fresh) broken("C3", id, seq, "was imported before, as seq " + std::to_string(first->second));
}

/// No vote passes the end of its poll, and none is counted twice.
void Truth::take_poll(const ConversationId& id, const TrueStream& stream, Seq seq,
                      const TrueChange& change) {
  const PollResults& now = *change.poll;
  const std::optional<PollResults> before = stream.message_at(seq, stream.head()).poll;
  if (before && before->closed && !same_results(before, change.poll))
    broken("C15", id, seq, "is a closed poll whose results changed");
  const std::uint64_t most = *std::max_element(now.votes.begin(), now.votes.end());
  if (most > now.voters) broken("C15", id, seq, "has more votes for an option than voters");
  if (now.closed) closing_.erase({id, seq});
}

void Truth::take_rights(const ConversationId& id, TrueStream& stream, const TrueEvent& event,
                        Seq seq) {
  const ConversationKind kind = kind_of(id).value_or(ConversationKind::group);
  UserId user = event.target;
  Role role = event.role;
  switch (event.kind) {
    case EventKind::created:
      user = event.sender;
      role = Role::owner;
      break;
    case EventKind::joined:
    case EventKind::left:
    case EventKind::added:
    case EventKind::removed:
    case EventKind::role_changed:
      break;
    case EventKind::visibility_changed:
      role = stream.roles[user];
      // Elsewhere who came came without an event.
      if (kind != ConversationKind::group) role = std::max(role, Role::member);
      break;
    default:
      return;
  }
  if (!user) return;
  stream.roles[user] = role;
  stream.audiences[user].emplace_back(
      seq, core::audiences_of(kind, {.role = role, .groups = stream.groups[user]}));
}

/// Nobody writes who is muted, nobody comes in who is banned.
void Truth::take_restriction(const ConversationId& id, TrueStream& stream, Seq seq,
                             const TrueEvent& event) {
  if (event.kind == EventKind::muted) stream.muted.insert(event.target);
  if (event.kind == EventKind::unmuted) stream.muted.erase(event.target);
  if (event.kind == EventKind::banned) stream.banned.insert(event.target);
  if (event.kind == EventKind::unbanned) stream.banned.erase(event.target);
  const bool wrote = (event.kind == EventKind::message && event.written_ms == 0) ||
                     event.kind == EventKind::edited;
  if (wrote && stream.muted.contains(event.sender))
    broken("C7", id, seq, "was written by somebody who is muted");
  const bool came = event.kind == EventKind::joined || event.kind == EventKind::added;
  if (came && stream.banned.contains(event.target))
    broken("C7", id, seq, "lets somebody in who is banned");
}

std::optional<layout::StoredEvent> Truth::sealed(const ConversationId& id, Seq seq) {
  std::optional<layout::StoredEvent> found;
  store_.look({layout::archive, layout::archive_id(0, id, seq)}, [&](Bytes, const RowMap& rows) {
    auto at = rows.upper_bound(layout::chunk_key(seq));
    if (at == rows.begin()) return;
    --at;
    auto chunk = layout::decode_chunk(id, at->second, nullptr);
    if (!chunk) broken("C2", id, seq, "its chunk cannot be decoded: " + chunk.error().message);
    for (auto& event : *chunk) {
      if (event.seq == seq) found = std::move(event);
    }
  });
  return found;
}

TrueEvent Truth::read(const ConversationId& id, Seq seq, const RowMap& rows, Mark before,
                      std::int64_t time, std::uint64_t ordinal) {
  layout::StoredEvent stored;
  if (const auto at = rows.find(layout::event_key(seq)); at != rows.end()) {
    auto decoded = layout::decode_event(id, seq, at->second, nullptr);
    if (!decoded) broken("C2", id, seq, "cannot be decoded: " + decoded.error().message);
    stored = *std::move(decoded);
  } else if (auto archived = sealed(id, seq)) {
    stored = *std::move(archived);
  } else {
    broken("C2", id, seq, "is missing below the head");
  }
  const auto fields = wire::verify_record(stored.record.bytes());
  if (!fields) broken("C2", id, seq, "its record is no record");
  if (fields->seq != seq || stored.seq != seq) broken("C2", id, seq, "carries another seq");
  // A change that was committed with the message, or before this look, may show already.
  const bool changed = fields->changed != 0 || fields->deleted;
  const Mark mark = changed ? stored.mark : layout::next_mark(before, id, stored.record.bytes());
  if (mark != stored.mark) broken("C2", id, seq, "its mark does not continue the chain");
  const bool countable = fields->kind == EventKind::message && fields->thread_root == 0 &&
                         fields->audience == audience::everyone && fields->written_ms == 0;
  if (fields->ordinal != ordinal + (countable ? 1 : 0)) {
    broken("C2", id, seq,
           "ordinal " + std::to_string(fields->ordinal) + " after " + std::to_string(ordinal));
  }
  if (fields->time_ms < time) broken("C2", id, seq, "its time runs backward");
  if (kind_of(id) != ConversationKind::direct &&
      (seq == 1) != (fields->kind == EventKind::created)) {
    broken("C2", id, seq, "the first event, and no other, is `created`");
  }
  about_ordinal_ = fields->about_ordinal;
  about_ = fields->about;
  take_changes(*fields);
  if (host_looks_)
    if (const std::string wrong = unlike_host(*fields); !wrong.empty())
      broken("C22", id, seq, wrong);
  return {.hash = changed ? 0 : base::crc32c(0, stored.record.bytes()),
          .mark = mark,
          .ordinal = fields->ordinal,
          .time_ms = fields->time_ms,
          .id = fields->id,
          .sender = fields->sender,
          .kind = fields->kind,
          .echo = fields->kind == EventKind::message ? fields->echo : 0,
          .body_hash = base::crc32c(0, fields->body),
          .target = fields->target,
          .role = fields->role,
          .audience = fields->audience,
          .owner = core::owner_of(*fields),
          .groups = fields->groups,
          .shadowed = fields->shadowed,
          .origin = fields->origin,
          .identity = identity_of(*fields),
          .thread_root = fields->thread_root,
          .mentions = fields->extras.mentions,
          .scope = fields->extras.mention_scope,
          .expires = fields->expires_ms != 0,
          .closes = fields->poll && fields->poll->closes_ms != 0,
          .written_ms = fields->written_ms,
          .import_id = std::string(fields->import_id)};
}

void Truth::take_changes(const wire::RecordFields& fields) {
  // The root of a thread shows that a reply came or went, which everybody may see.
  if (fields.thread_root != 0 && fields.audience == audience::everyone)
    changes_.emplace_back(fields.thread_root,
                          TrueChange{.seq = fields.seq, .kind = EventKind::message});
  switch (fields.kind) {
    case EventKind::edited:
    case EventKind::deleted:
    case EventKind::pinned:
    case EventKind::unpinned:
      changes_.emplace_back(fields.about, TrueChange{.seq = fields.seq,
                                                     .kind = fields.kind,
                                                     .body_hash = base::crc32c(0, fields.body),
                                                     .redacted = fields.deleted});
      break;
    case EventKind::reactions:
      for (const wire::Tally& tally : fields.tallies) {
        TrueChange change{.seq = fields.seq, .kind = fields.kind};
        for (const Reaction& reaction : tally.reactions)
          change.reactions[std::string(reaction.key)] = reaction.count;
        change.poll = tally.poll;
        changes_.emplace_back(tally.seq, std::move(change));
      }
      break;
    default:
      break;
  }
}

std::optional<layout::InfoRow> Truth::info(const ConversationId& id) {
  const auto value = row(layout::conversation, layout::conversation_id(0, id), layout::info_key());
  return value ? layout::decode_info(*value) : std::nullopt;
}

std::optional<ConversationKind> Truth::kind_of(const ConversationId& id) {
  auto kind = kinds_.find(id);
  if (kind == kinds_.end()) {
    const auto row = info(id);
    if (!row) return std::nullopt;
    kind = kinds_.emplace(id, row->kind).first;
  }
  return kind->second;
}

layout::MemberRow Truth::ended(const ConversationId& id, UserId user, layout::MemberRow row) {
  const TrueStream* events = stream(id);
  const auto endings = events->endings.find(user);
  if (endings == events->endings.end()) return row;
  if (row.role == Role::none) {
    row.left_at = std::max(row.left_at, removed_at(id, user));
    return row;
  }
  for (const Seq seq : endings->second) {
    if (seq < row.visible_from || seq <= row.left_at) continue;  // before this membership
    row.role = Role::none;
    row.left_at = seq;
    break;
  }
  return row;
}

std::optional<layout::MemberRow> Truth::member(const ConversationId& id, UserId user) {
  const auto kind = kind_of(id);
  if (!kind) return std::nullopt;
  const std::string key = layout::member_key(user);
  if (auto value = row(layout::conversation, layout::conversation_id(0, id), key)) {
    if (auto decoded = layout::decode_member(*value)) return ended(id, user, *decoded);
    broken("C7", id, 0, "a member row cannot be decoded");
  }
  if (!scattered(id)) return std::nullopt;
  if (space_of(id)) return member_by_space(id, user);
  const auto bucket = layout::bucket_of(user, layout::channel_member_buckets);
  const auto value = row(layout::member, layout::member_id(0, id, bucket), key);
  if (!value) return std::nullopt;
  auto decoded = layout::decode_member(*value);
  if (!decoded) broken("C7", id, 0, "a channel's member row cannot be decoded");
  return ended(id, user, *decoded);
}

std::optional<layout::ReceiptRow> Truth::receipt(const ConversationId& id, UserId user) {
  const auto row_info = info(id);
  if (!row_info) return std::nullopt;
  const std::uint16_t bucket =
      scattered(id) ? layout::bucket_of(user, layout::channel_receipt_buckets) : 0;
  const auto value =
      row(layout::receipt, layout::receipt_id(0, id, bucket), layout::receipt_key(user));
  return value ? layout::decode_receipt(*value) : std::nullopt;
}

std::set<Seq> Truth::own_deletions(const ConversationId& id, UserId user) {
  std::set<Seq> found;
  store_.look({layout::personal, layout::personal_id(0, id, user)}, [&](Bytes, const RowMap& rows) {
    for (const auto& [key, value] : rows)
      if (const auto seq = layout::parse_number_key('h', key)) found.insert(*seq);
  });
  return found;
}

std::uint64_t Truth::seen(const ConversationId& id, UserId asking, Seq seq) {
  const auto found = info(id);
  if (!found) return 0;
  const bool channel = scattered(id);
  std::uint64_t count = 0;
  for (std::uint16_t bucket = 0; bucket < (channel ? layout::channel_receipt_buckets : 1);
       ++bucket) {
    const std::string name = layout::receipt_id(0, id, bucket);
    store_.look({layout::receipt, name}, [&](Bytes, const RowMap& rows) {
      for (const auto& [key, value] : rows) {
        const auto user = layout::parse_number_key('r', key);
        if (!user || UserId{*user} == asking) continue;
        const auto row = layout::decode_receipt(value);
        if (!row) broken("C6", id, 0, "a receipt row cannot be decoded");
        if (row->shown >= seq) ++count;
      }
    });
  }
  return count;
}

std::map<UserId, layout::MemberRow> Truth::members(const ConversationId& id) {
  if (space_of(id)) return members_by_space(id);
  std::map<UserId, layout::MemberRow> found;
  const auto take = [&](Bytes, const RowMap& rows) {
    for (auto at = rows.lower_bound("m"); at != rows.end() && at->first[0] == 'm'; ++at) {
      UserId user;
      for (std::size_t i = 1; i < at->first.size(); ++i) {
        user.value = user.value << 8 | static_cast<unsigned char>(at->first[i]);
      }
      const auto decoded = layout::decode_member(at->second);
      if (!decoded) broken("C7", id, 0, "a member row cannot be decoded");
      found.try_emplace(user, ended(id, user, *decoded));
    }
  };
  store_.look({layout::conversation, layout::conversation_id(0, id)}, take);
  if (scattered(id)) {
    for (std::uint16_t bucket = 0; bucket < layout::channel_member_buckets; ++bucket) {
      store_.look({layout::member, layout::member_id(0, id, bucket)}, take);
    }
  }
  return found;
}

bool Truth::asks(const ConversationId& id, UserId user) {
  return row(layout::conversation, layout::conversation_id(0, id), layout::join_request_key(user))
      .has_value();
}

void Truth::check_invites(const ConversationId& id) {
  const auto rows_of = members(id);
  store_.look({layout::conversation, layout::conversation_id(0, id)},
              [&](Bytes, const RowMap& rows) {
                for (auto at = rows.lower_bound("v"); at != rows.end(); ++at) {
                  if (at->first[0] == 'v') {
                    const auto link = layout::decode_invite(at->second);
                    if (!link || (link->uses != 0 && link->used > link->uses))
                      broken("C7", id, 0, "a link was used too often");
                  } else if (const auto user = layout::parse_number_key('y', at->first)) {
                    const auto row = rows_of.find(UserId{*user});
                    const auto let_in = layout::decode_admission(at->second);
                    if (!let_in || row == rows_of.end() || row->second.admission < let_in->id)
                      broken("C7", id, 0, "somebody was let in and has no row");
                  }
                }
              });
}

const Truth::Place* Truth::find(std::uint64_t echo) const {
  const auto at = echoes_.find(echo);
  return at == echoes_.end() ? nullptr : &at->second;
}

std::vector<ConversationId> Truth::conversations() {
  std::vector<ConversationId> all;
  store_.for_each([&](Partition partition, Bytes, const RowMap&) {
    if (partition.space == layout::conversation) all.push_back(conversation_of(partition.id));
  });
  return all;
}

bool Truth::held(const ConversationId& id) {
  bool held = false;
  store_.look({layout::conversation, layout::conversation_id(0, id)},
              [&held](Bytes, const RowMap& rows) { held = is_held(rows); });
  return held;
}

std::vector<ConversationId> Truth::audit() {
  std::vector<ConversationId> all = conversations();
  Truth again(store_);
  std::erase_if(all, [this](const ConversationId& id) { return stream(id)->ended; });
  for (const auto& id : all) {
    const TrueStream& before = streams_.at(id);
    TrueStream& kept = again.streams_[id];  // what is below the floor is there no more
    kept.epoch = before.epoch;
    kept.floors = before.floors;
    kept.events.assign(before.events.begin(),
                       before.events.begin() + static_cast<std::ptrdiff_t>(before.floor() - 1));
    const TrueStream* now = again.stream(id);
    if (now->head() != before.head() || now->epoch != before.epoch) {
      broken("C2", id, now->head(), "the stream differs from what was read before");
    }
    for (Seq seq = 1; seq <= before.head(); ++seq) {
      const bool changed = now->at(seq).hash == 0 || before.at(seq).hash == 0;
      if ((!changed && now->at(seq).hash != before.at(seq).hash) ||
          now->at(seq).identity != before.at(seq).identity ||
          now->at(seq).mark != before.at(seq).mark) {
        broken("C2", id, seq, "a committed event changed");
      }
    }
  }
  return all;
}

std::map<ConversationId, layout::ListRow> Truth::list_of(UserId user) {
  std::map<ConversationId, layout::ListRow> entered;
  store_.look({layout::user, layout::user_id(0, user)}, [&](Bytes, const RowMap& rows) {
    for (auto at = rows.lower_bound("c"); at != rows.end() && at->first[0] == 'c'; ++at) {
      const auto decoded = layout::decode_list(at->second);
      if (!decoded) throw Broken("C12 a list row of user " + to_string(user) + " is no list row");
      if (decoded->entered) entered.emplace(conversation_of(at->first), *decoded);
    }
  });
  return entered;
}

std::optional<layout::ScheduledRow> Truth::scheduled(UserId user, Snowflake id) {
  const auto found = row(layout::user, layout::user_id(0, user), layout::scheduled_key(id));
  return found ? layout::decode_scheduled(*found) : std::nullopt;
}

}  // namespace parley::simulation
