// connection.cpp: reading, gathered writing and closing of a stream socket.
#include "net/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>

#include "parley/limits.hpp"

namespace parley::net {
namespace {

constexpr std::size_t burst_messages = base::max_pieces / 2;
constexpr std::size_t prefix_room = 14;

using Stage = ShardLinks::Stage;

/// Up to 64 framed messages for one system call. Made for each send: only what is used of it is
/// written.
struct Burst {
  alignas(Bytes) std::array<std::byte, base::max_pieces * sizeof(Bytes)> room;  // NOLINT
  std::array<char, burst_messages * prefix_room> prefixes;                      // NOLINT
  std::size_t count = 0;
  std::size_t messages = 0;
  std::size_t bytes = 0;

  char* prefix() noexcept { return prefixes.data() + messages * prefix_room; }
  /// `skip`: bytes of the frame that went before.
  void add(std::size_t prefix_size, Bytes payload, std::size_t skip) noexcept {
    const std::size_t before = std::min(skip, prefix_size);
    piece({prefix() + before, prefix_size - before});
    piece(payload.substr(skip - before));
    ++messages;
  }
  void piece(Bytes part) noexcept {
    if (part.empty()) return;
    std::construct_at(pieces() + count++, part);
    bytes += part.size();
  }
  [[nodiscard]] Bytes* pieces() noexcept { return reinterpret_cast<Bytes*>(room.data()); }
  [[nodiscard]] bool full() const noexcept { return messages == burst_messages; }
  [[nodiscard]] base::IoResult send(int socket) noexcept {
    return base::send_gathered(socket, std::span<const Bytes>(pieces(), count));
  }
};

Error broken(int error) {
  return {Errc::disconnected, "the connection broke: " + base::system_message(error)};
}

}  // namespace

Connection::Connection(base::Descriptor socket, Seat seat, ShardLinks& shard)
    : shard_(shard), socket_(std::move(socket)), seat_(std::move(seat)) {}

Connection::~Connection() {
  phase_ = Phase::finished;  // whatever did not go is gone
  settle();
  if (watch_ != LinkHost::Watch::none) shard_.host().unwatch(watch_);
  socket_.reset();
  { const Seat gone = std::move(seat_); }
  shard_.leave(*this);  // may let the transport be destroyed: the last thing that touches it
}

void Connection::start(bool dialled) {
  shard_.enter(*this);
  if (dialled) {
    phase_ = Phase::connecting;
    shard_.move(*this, Stage::dialling);
  }
  watch_ = shard_.host().watch(socket_.get(),
                               dialled ? LinkHost::Ready::writable : LinkHost::Ready::readable,
                               [this](LinkHost::Ready now) { ready(now); });
  if (watch_ == LinkHost::Watch::none) {
    finish({Errc::unavailable, "the shard cannot watch another descriptor"});
  }
}

void Connection::ready(LinkHost::Ready now) {
  try {
    if (phase_ == Phase::connecting) return finish_connecting();
    if (now != LinkHost::Ready::readable && !flush()) return;
    if (now != LinkHost::Ready::writable) read();
  } catch (const std::bad_alloc&) {  // what came or went in part is lost: so is the link
    finish({Errc::unavailable, "no memory for what the link carries"});
  }
}

void Connection::finish_connecting() {
  if (const int error = base::connect_error(socket_.get()); error != 0) {
    return finish({Errc::unreachable, "cannot connect: " + base::system_message(error)});
  }
  phase_ = Phase::handshake;
  shard_.host().rewatch(watch_, LinkHost::Ready::readable);
  connected();
}

void Connection::read() {
  const std::span<char> scratch = shard_.host().scratch();
  const base::IoResult got = base::receive(socket_.get(), scratch);
  switch (got.status) {
    case base::IoStatus::ok:
      if (phase_ == Phase::closing) return;  // drained, so that closing sends no reset
      if (stage_ == Stage::quiet || stage_ == Stage::pinged) shard_.move(*this, Stage::quiet);
      if (consume(scratch.first(got.bytes)) && phase_ == Phase::open && (outbox_ || held() != 0))
        events_->holding();
      return;
    case base::IoStatus::would_block:
      return;
    case base::IoStatus::end:
      if (phase_ == Phase::open) return finish(peer_ended());
      if (phase_ == Phase::closing) return finish(why_ ? std::move(*why_) : Error{});
      return finish({Errc::disconnected, "the peer left during the handshake"});
    default:
      // A peer that answers our goodbye with a reset has closed all the same.
      if (phase_ == Phase::closing) return finish(why_ ? std::move(*why_) : Error{});
      return finish(broken(got.error));
  }
}

void Connection::send(std::span<const Payload> messages) {
  if (phase_ != Phase::open || stage_ == Stage::failed) return;
  try {
    send_all(messages);
  } catch (const std::bad_alloc&) {  // a message may have gone in part
    write_failed(ENOMEM);
  }
  if (queued() > limits::queue_soft) high_ = true;
}

void Connection::send_all(std::span<const Payload> messages) {
  if (masks_) {
    for (const Payload& message : messages) push(message, Kind::message);
  } else if (!shard_.gathers() || !gather(messages)) {
    std::size_t partial = 0;
    std::size_t next = outbox_ ? 0 : write_direct(messages, partial);
    for (; next < messages.size(); ++next) {
      queue(messages[next], Kind::message, std::exchange(partial, 0));
    }
    wait_writable();
  }
}

/// Small and with nothing in front of it: goes with the shard's batch.
bool Connection::gather(std::span<const Payload> messages) {
  settle();
  if (outbox_) return false;
  std::size_t size = 0;
  for (const Payload& message : messages) {
    size += prefix_room + message.size();
    if (size > SendBatch::largest) return false;
  }
  SendBatch* batch = shard_.gathering();
  if (batch == nullptr) return false;
  char* end = batch->room();
  for (const Payload& message : messages) {
    end += frame(end, Kind::message, message.size());
    end = std::copy_n(message.bytes().data(), message.size(), end);
  }
  gathered_ = static_cast<std::uint16_t>(end - batch->room());
  batch->add(this, socket_.get(), gathered_);
  return true;
}

void Connection::sent(const SendBatch::Entry& entry) noexcept {
  gathered_ = 0;
  if (entry.result == static_cast<std::int32_t>(entry.size) || phase_ == Phase::finished) return;
  try {
    if (entry.result < 0 && entry.result != -EAGAIN) return write_failed(-entry.result);
    const auto went = static_cast<std::size_t>(std::max(entry.result, 0));
    queue(Payload::copy_of({entry.bytes + went, entry.size - went}), Kind::raw, 0);
    wait_writable();
  } catch (const std::bad_alloc&) {  // a part of it is lost: so is the link
    outbox_.reset();
    shard_.move(*this, Stage::failed);
  }
}

void Connection::push(Payload payload, Kind kind) {
  settle();
  if (stage_ == Stage::failed) return;
  if (masks_ && kind != Kind::raw) {
    payload = masked(kind, payload.bytes());
    kind = Kind::raw;
  }
  std::size_t sent = 0;
  if (!outbox_) {
    Burst burst;
    burst.add(frame(burst.prefix(), kind, payload.size()), payload.bytes(), 0);
    const base::IoResult result = burst.send(socket_.get());
    if (result.status == base::IoStatus::failed) return write_failed(result.error);
    if (result.bytes == burst.bytes) return;
    sent = result.bytes;
  }
  queue(std::move(payload), kind, sent);
  wait_writable();
}

std::size_t Connection::write_direct(std::span<const Payload> messages, std::size_t& partial) {
  std::size_t next = 0;
  while (next < messages.size()) {
    Burst burst;
    for (std::size_t i = next; i < messages.size() && !burst.full(); ++i) {
      const std::size_t length = frame(burst.prefix(), Kind::message, messages[i].size());
      burst.add(length, messages[i].bytes(), 0);
    }
    const base::IoResult result = burst.send(socket_.get());
    if (result.status == base::IoStatus::failed) {
      write_failed(result.error);
      return messages.size();
    }
    if (result.bytes == burst.bytes) {
      next += burst.messages;
      continue;
    }
    std::size_t sent = result.bytes;  // zero when it would block
    for (;; ++next) {
      const std::size_t whole = framed_size({messages[next], Kind::message});
      if (sent < whole) break;
      sent -= whole;
    }
    partial = sent;
    return next;
  }
  return next;
}

std::size_t Connection::framed_size(const Item& item) const noexcept {
  std::array<char, prefix_room> prefix;  // NOLINT(*-member-init)
  return frame(prefix.data(), item.kind, item.payload.size()) + item.payload.size();
}

void Connection::queue(Payload payload, Kind kind, std::size_t sent) {
  if (!outbox_) outbox_ = std::make_unique<Outbox>();
  Item item{std::move(payload), kind};
  outbox_->bytes += framed_size(item) - sent;
  if (sent > 0) outbox_->sent = sent;
  outbox_->items.push_back(std::move(item));
}

void Connection::wait_writable() {
  const bool wanted = outbox_ != nullptr;
  if (std::exchange(writable_wanted_, wanted) == wanted) return;
  shard_.host().rewatch(watch_, wanted ? LinkHost::Ready::both : LinkHost::Ready::readable);
}

/// Writes what is queued. False: the connection has ended, and this with it.
bool Connection::flush() {
  std::optional<std::size_t> told_at;
  while (outbox_) {
    told_at = outbox_->told_at;
    Burst burst;
    for (std::size_t i = outbox_->first; i < outbox_->items.size() && !burst.full(); ++i) {
      const Item& item = outbox_->items[i];
      const std::size_t length = frame(burst.prefix(), item.kind, item.payload.size());
      burst.add(length, item.payload.bytes(), i == outbox_->first ? outbox_->sent : 0);
    }
    const base::IoResult result = burst.send(socket_.get());
    if (result.status == base::IoStatus::failed) {
      const bool told = phase_ == Phase::closing && why_;
      finish(told ? std::move(*why_) : broken(result.error));
      return false;
    }
    consumed(result.bytes);
    if (result.bytes < burst.bytes) break;
  }
  wait_writable();
  if (!outbox_) all_sent();
  const bool low = high_ && queued() <= limits::queue_soft / 2;
  const bool asked = told_at && queued() <= *told_at;
  if (low) high_ = false;
  if (asked && outbox_) outbox_->told_at.reset();
  if ((low || asked) && phase_ == Phase::open) events_->drained();
  return true;
}

/// Takes `bytes` off the front of the outbox, and frees it when nothing is left.
void Connection::consumed(std::size_t bytes) {
  Outbox& out = *outbox_;
  out.bytes -= bytes;
  bytes += out.sent;
  while (out.first < out.items.size()) {
    const std::size_t whole = framed_size(out.items[out.first]);
    if (bytes < whole) break;
    bytes -= whole;
    out.items[out.first++].payload = {};
  }
  out.sent = bytes;
  if (out.first == out.items.size()) {
    outbox_.reset();
  } else if (out.first > 64 && out.first > out.items.size() / 2) {
    out.items.erase(out.items.begin(), out.items.begin() + static_cast<std::ptrdiff_t>(out.first));
    out.first = 0;
  }
}

/// Drops what is queued but for a frame that went in part.
void Connection::drop_queued() {
  if (!outbox_) return;
  if (outbox_->sent == 0) {
    outbox_.reset();
    return;
  }
  Outbox& out = *outbox_;
  out.items.resize(out.first + 1);
  out.bytes = framed_size(out.items[out.first]) - out.sent;
}

void Connection::all_sent() {
  if (phase_ != Phase::closing || std::exchange(shut_, true)) return;
  base::shutdown_send(socket_.get());
}

void Connection::write_failed(int error) {
  outbox_.reset();
  if (!why_) why_ = std::make_unique<Error>(broken(error));
  shard_.fail_later(*this);
}

void Connection::close(CloseReason reason, std::string_view text) {
  if (phase_ != Phase::open) return;
  settle();
  if (reason == CloseReason::slow_consumer) drop_queued();
  say_goodbye(reason, text);
  start_closing({});
}

void Connection::start_closing(Error why) {
  settle();
  phase_ = Phase::closing;
  if (why && !why_) why_ = std::make_unique<Error>(std::move(why));
  if (stage_ != Stage::failed) shard_.move(*this, Stage::closing);
  wait_writable();
  if (!outbox_) all_sent();
}

void Connection::expired() {
  if (why_) return finish(std::move(*why_));
  switch (stage_) {
    case Stage::handshake:
    case Stage::dialling:
    case Stage::serving:
      return finish({Errc::timed_out, "the handshake took too long"});
    case Stage::pinged:
      return finish({Errc::disconnected, "nothing was heard from the peer for too long"});
    default:
      return finish({});  // closing: we have said goodbye, the peer was slow to leave
  }
}

bool Connection::open(LinkInfo info) {
  phase_ = Phase::open;
  shard_.move(*this, Stage::quiet);
  LinkEvents* events = shard_.host().opened(std::unique_ptr<Link>(this), std::move(info));
  if (events == nullptr) return false;  // and this is gone
  events_ = events;
  return true;
}

void Connection::finish(Error why) {
  if (phase_ == Phase::finished) return;
  settle();
  phase_ = Phase::finished;
  if (watch_ != LinkHost::Watch::none) {
    shard_.host().unwatch(std::exchange(watch_, LinkHost::Watch::none));
  }
  socket_.reset();
  outbox_.reset();
  shard_.move(*this, Stage::none);
  if (events_ != nullptr) {
    std::exchange(events_, nullptr)->closed(std::move(why));  // the engine destroys this
    return;
  }
  handshake_failed(std::move(why));
  delete this;
}

std::string Connection::peer() const { return base::host_of(base::peer_address(socket_.get())); }

}  // namespace parley::net
