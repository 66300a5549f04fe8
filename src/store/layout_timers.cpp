// store/layout_timers.cpp: wake-ups, and the rows of what is due.
#include "base/endian.hpp"
#include "store/layout.hpp"
#include "store/layout_bytes.hpp"

namespace parley::layout {
namespace {

constexpr std::int64_t hour_ms = 60LL * 60 * 1000;
constexpr std::size_t timer_id_size = 4 + 4 + 1;

std::string target_bytes(const TimerTarget& target) {
  std::string out(1, static_cast<char>(target.kind));
  if (target.kind == TimerTarget::Kind::user) {
    base::append_be(out, target.user.value);
  } else {
    out.append(target.conversation.view());
  }
  return out;
}

}  // namespace

TimerTarget timer_of(UserId user) noexcept {
  return {.kind = TimerTarget::Kind::user, .user = user, .conversation = {}};
}
TimerTarget timer_of(const ConversationId& id) noexcept {
  return {.kind = TimerTarget::Kind::conversation, .user = {}, .conversation = id};
}

std::string timer_id(Namespace ns, std::uint32_t hour, std::uint8_t shard) {
  std::string out;
  base::append_be(out, ns);
  base::append_be(out, hour);
  out.push_back(static_cast<char>(shard));
  return out;
}
std::optional<std::pair<std::uint32_t, std::uint8_t>> parse_timer_id(Bytes id) noexcept {
  if (id.size() != timer_id_size) return std::nullopt;
  return std::pair(base::get_be32(id.data() + 4), static_cast<std::uint8_t>(id[8]));
}

std::string timer_key(std::int64_t due_ms, const TimerTarget& target) {
  std::string key(1, 't');
  base::append_be(key, static_cast<std::uint64_t>(due_ms));
  return key.append(target_bytes(target));
}
std::optional<TimerKey> parse_timer_key(Bytes key) noexcept {
  if (key.size() < 10 || key[0] != 't') return std::nullopt;
  TimerKey timer;
  timer.due_ms = static_cast<std::int64_t>(base::get_be64(key.data() + 1));
  timer.target.kind = static_cast<TimerTarget::Kind>(key[9]);
  const Bytes id = key.substr(10);
  switch (timer.target.kind) {
    case TimerTarget::Kind::user:
      if (id.size() != 8) return std::nullopt;
      timer.target.user = UserId{base::get_be64(id.data())};
      return timer;
    case TimerTarget::Kind::conversation:
      if (id.size() != 16) return std::nullopt;
      id.copy(reinterpret_cast<char*>(timer.target.conversation.bytes.data()), 16);
      return timer;
  }
  return std::nullopt;  // a later version's
}

std::string due_key(const DueKey& due) {
  std::string key(1, 'd');
  base::append_be(key, static_cast<std::uint64_t>(due.due_ms));
  base::append_be(key, due.seq);
  return key;
}
std::optional<DueKey> parse_due_key(Bytes key) noexcept {
  if (key.size() != 17 || key[0] != 'd') return std::nullopt;
  return DueKey{static_cast<std::int64_t>(base::get_be64(key.data() + 1)),
                base::get_be64(key.data() + 9)};
}

std::uint32_t timer_hour(std::int64_t due_ms) noexcept {
  return static_cast<std::uint32_t>(due_ms / hour_ms);
}
std::uint8_t timer_shard_of(const TimerTarget& target) noexcept {
  const std::uint64_t number = target.kind == TimerTarget::Kind::user
                                   ? target.user.value
                                   : base::get_be64(target.conversation.view().data());
  return static_cast<std::uint8_t>(bucket_of(UserId{number}, timer_shards));
}

std::string encode(const ScheduledRow& row) {
  Writer out(31 + row.why.size() + row.record.size());
  out.u8(format);
  out.i64(row.due_ms);
  out.u32(row.failed);
  out.text(row.why);
  out.bytes(row.conversation.view());
  out.bytes(row.record.bytes());
  return out.take();
}
std::optional<ScheduledRow> decode_scheduled(Bytes value) {
  Reader in(value);
  ScheduledRow row;
  if (in.u8() != format) return std::nullopt;
  row.due_ms = in.i64();
  row.failed = in.u32();
  row.why = in.text();
  in.id(row.conversation);
  row.record = Payload::copy_of(in.bytes(in.left()));
  if (!in.complete()) return std::nullopt;
  return row;
}

std::string encode(const RetentionRow& row) {
  Writer out(26);
  out.u8(format);
  out.i64(row.keep_for_ms);
  out.u64(row.keep_events);
  out.u8(row.hold ? 1 : 0);
  out.u64(row.erased);
  return out.take();
}
std::optional<RetentionRow> decode_retention(Bytes value) {
  Reader in(value);
  RetentionRow row;
  if (in.u8() != format) return std::nullopt;
  row.keep_for_ms = in.i64();
  row.keep_events = in.u64();
  row.hold = in.u8() != 0;
  row.erased = in.u64();
  if (!in.complete()) return std::nullopt;
  return row;
}

}  // namespace parley::layout
