#include "core/growing.hpp"

#include <algorithm>
#include <utility>

#include "core/shard_state.hpp"
#include "parley/limits.hpp"
#include "wire/record.hpp"

namespace parley::core {
namespace {

Error over() { return {Errc::denied, "no such stream, or it has ended"}; }

}  // namespace

Growing::Stream* Growing::find(const ConversationId& id, Snowflake stream) noexcept {
  const auto all = streams_.find(id);
  if (all == streams_.end()) return nullptr;
  for (Stream& each : all->second)
    if (each.known.stream == stream) return &each;
  return nullptr;
}

// ---- Its sender ----

void Growing::start(SessionRef ref, const Caller& caller, const wire::StartStream& start,
                    Then<wire::StreamStarted> then) {
  Conversation& home = *shard_.home(start.conversation).conversation;
  home.may_write(caller, [this, ref, caller, start, then = std::move(then)](Result<bool> heard) {
    heard ? begin(ref, caller, start, !*heard, then) : then(std::move(heard).error());
  });
}

void Growing::begin(SessionRef ref, const Caller& caller, const wire::StartStream& start,
                    bool unheard, const Then<wire::StreamStarted>& then) {
  Streams& all = streams_[start.conversation];
  const auto own = std::count_if(all.begin(), all.end(), [&caller](const Stream& each) {
    return each.known.sender == caller.user;
  });
  if (static_cast<std::size_t>(own) >= limits::streams)
    return then(Error{Errc::limit_reached, "4 messages of yours are growing here; end one first"});
  const auto of_user = of_user_.find(caller.user);
  if (of_user != of_user_.end() && of_user->second >= limits::streams_user)
    return then(Error{Errc::limit_reached, "16 messages of yours are growing; end one first"});
  if (all.size() >= limits::streams_conversation)
    return then(Error{Errc::limit_reached, "16 messages are growing here; try again later"});
  ++of_user_[caller.user];
  Stream& stream = all.emplace_back();
  stream.known = {.conversation = start.conversation,
                  .stream = shard_.next_snowflake(),
                  .sender = caller.user,
                  .content_type = start.content_type,
                  .reply_to = start.reply_to,
                  .thread_root = start.thread_root};
  stream.unheard = unheard;
  stream.session = ref;
  tell(stream, false);
  then(wire::StreamStarted{start.conversation, stream.known.stream});
}

void Growing::append(SessionRef ref, const Caller& caller, wire::AppendStream append,
                     Then<void> then) {
  const Stream* stream = find(append.conversation, append.stream);
  if (stream == nullptr || stream->known.sender != caller.user) return then(over());
  Conversation& home = *shard_.home(append.conversation).conversation;
  home.may_write(caller, [this, ref, user = caller.user, append = std::move(append),
                          then = std::move(then)](Result<bool> heard) {
    if (heard) return take(ref, user, append, *heard, then);
    if (!heard.error().retryable())
      end(append.conversation, [user](const Stream& each) { return each.known.sender == user; });
    then(std::move(heard).error());
  });
}

void Growing::take(SessionRef ref, UserId sender, const wire::AppendStream& append, bool heard,
                   const Then<void>& then) {
  Stream* stream = find(append.conversation, append.stream);
  if (stream == nullptr || stream->known.sender != sender) return then(over());
  std::string& text = stream->known.text;
  if (append.at > text.size())
    return then(Error{Errc::invalid_argument, "at: beyond the end of what was appended"});
  const std::size_t known = std::min<std::size_t>(text.size() - append.at, append.text.size());
  const bool same = text.compare(append.at, known, append.text, 0, known) == 0;
  if (!same) return then(Error{Errc::invalid_argument, "at: another text was appended there"});
  if (append.at + append.text.size() > shard_.config.conversation.max_body)
    return then(Error{Errc::too_large, "text: the message grows beyond EngineOptions::max_body"});
  if (!heard && !stream->unheard) {  // from here on; the sender is not to notice
    tell(*stream, true);
    stream->unheard = true;
  }
  if (append.at + append.text.size() > text.size()) {
    bytes_ += append.text.size() - known;
    text.append(append.text, known);
  }
  stream->session = ref;
  stream->orphaned_at = {};
  tell_later(*stream);
  then({});
}

bool Growing::of_another(const ConversationId& id, Snowflake stream, UserId user) noexcept {
  const Stream* found = find(id, stream);
  return found != nullptr && !found->unheard && found->known.sender != user;
}

void Growing::cancel(const Caller& caller, const wire::CancelStream& cancel) {
  end(cancel.conversation, [&](const Stream& each) {
    return each.known.stream == cancel.stream && each.known.sender == caller.user;
  });
}

// ---- Those who look ----

/// What others are told next goes on where this one ends.
Result<wire::Streamed> Growing::text(const wire::GetStream& get) {
  Stream* stream = find(get.conversation, get.stream);
  if (stream == nullptr || stream->unheard) return over();
  tell_all(*stream);
  return stream->known;
}

void Growing::tell_all(Stream& stream) {
  if (stream.told < stream.known.text.size()) tell(stream, false);
}

void Growing::announce(const ConversationId& id, SessionRef to) {
  const auto all = streams_.find(id);
  if (all == streams_.end()) return;
  for (Stream& stream : all->second) {
    if (stream.unheard || stream.session == to) continue;
    tell_all(stream);
    wire::Streamed piece = stream.known;
    piece.at = std::exchange(piece.text, {}).size();
    shard_.at(to.shard, [to, frame = make_frame(0, std::move(piece))](ShardState& there) {
      there.sessions.tell(to, frame);
    });
  }
}

void Growing::tell(Stream& stream, bool ended) {
  if (stream.timer != Effects::Timer::none) shard_.world.cancel_timer(stream.timer);
  stream.timer = Effects::Timer::none;
  stream.told_at = shard_.world.now().steady;
  const std::uint64_t from = std::exchange(stream.told, stream.known.text.size());
  if (!ended) {
    stream.timer = shard_.world.start_timer(
        limits::stream_beat,
        [this, id = stream.known.conversation, number = stream.known.stream] { beat(id, number); });
  }
  if (stream.unheard) return;
  const auto home = shard_.homes.find(stream.known.conversation);
  if (home == shard_.homes.end()) return;
  wire::Streamed piece = stream.known;
  piece.at = from;
  piece.text.erase(0, from);
  piece.ended = ended;
  for (const ShardIndex follower : home->second.followers) {
    shard_.at(follower, [piece, except = stream.session](ShardState& there) {
      there.fans.streamed(piece, except);
    });
  }
}

/// At most once a period.
void Growing::tell_later(Stream& stream) {
  if (stream.told == stream.known.text.size()) return;
  const auto since = shard_.world.now().steady - stream.told_at;
  if (since >= limits::stream_period) return tell(stream, false);
  shard_.world.cancel_timer(stream.timer);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(limits::stream_period - since);
  stream.timer = shard_.world.start_timer(
      left, [this, id = stream.known.conversation, number = stream.known.stream] {
        if (Stream* due = find(id, number)) {
          due->timer = Effects::Timer::none;
          tell(*due, false);
        }
      });
}

/// Says that it is still there, and looks whether its session is.
void Growing::beat(const ConversationId& id, Snowflake number) {
  Stream* stream = find(id, number);
  if (stream == nullptr) return;
  stream->timer = Effects::Timer::none;
  const auto now = shard_.world.now().steady;
  const bool orphaned = stream->orphaned_at != std::chrono::steady_clock::time_point{};
  if (orphaned && now - stream->orphaned_at >= limits::stream_orphaned)
    return end(id, [number](const Stream& each) { return each.known.stream == number; });
  tell(*stream, false);
  if (orphaned) return;
  const SessionRef session = stream->session;
  shard_.at(session.shard, [id, number, session, back = shard_.index](ShardState& there) {
    if (there.sessions.find(session) != nullptr) return;
    there.at(back, [id, number, session](ShardState& home) {
      home.growing.session_gone(id, number, session);
    });
  });
}

void Growing::session_gone(const ConversationId& id, Snowflake number, SessionRef session) {
  Stream* stream = find(id, number);
  if (stream != nullptr && stream->session == session)
    stream->orphaned_at = shard_.world.now().steady;
}

// ---- Ends ----

template <class Which>
void Growing::end(const ConversationId& id, Which which) {
  const auto all = streams_.find(id);
  if (all == streams_.end()) return;
  std::erase_if(all->second, [&](Stream& stream) {
    if (!which(stream)) return false;
    tell(stream, true);
    bytes_ -= stream.known.text.size();
    const auto own = of_user_.find(stream.known.sender);
    if (--own->second == 0) of_user_.erase(own);
    return true;
  });
  if (all->second.empty()) streams_.erase(all);
}

void Growing::published(const Published& events) {
  if (!streams_.contains(events.conversation)) return;
  for (const Payload& record : events.records) {
    const wire::RecordFields fields = wire::read_record(record.bytes());
    if (fields.kind != EventKind::message || fields.stream == 0) continue;
    end(events.conversation, [&fields](const Stream& each) {
      return each.known.stream == fields.stream && each.known.sender == fields.sender;
    });
  }
  if (events.ended) left(events.conversation, events.ended);
}

void Growing::left(const ConversationId& id, UserId user) {
  end(id, [user](const Stream& each) { return each.known.sender == user; });
}

void Growing::ended(const ConversationId& id) {
  end(id, [](const Stream&) { return true; });
}

}  // namespace parley::core
