// link_session.cpp: between a link and the core.
#include "engine/link_session.hpp"

#include <algorithm>
#include <utility>

#include "engine/engine_impl.hpp"
#include "engine/shard_host.hpp"
#include "parley/limits.hpp"

namespace parley::engine {
namespace {

// A frame around the longest body: a base64 one in JSON is longer, and so is its allowance.
constexpr std::size_t frame_room = 64 * limits::kib;
constexpr std::size_t reference_charge = 64;  // of a message in a link's queue, beside its bytes
constexpr std::uint32_t spread_ms = 5'000;    // in which those come back whom the engine closed
constexpr auto busy_for = std::chrono::milliseconds(1'000);

std::size_t most_message(std::size_t max_body, Encoding encoding) {
  return (encoding == Encoding::json ? (max_body + 2) / 3 * 4 : max_body) + frame_room;
}

}  // namespace

LinkSession::LinkSession(ShardHost& host, std::unique_ptr<Link> link, LinkInfo info)
    : HostedOutlet(host),
      link_(std::move(link)),
      info_(std::move(info)),
      codec_(host.codec(info_.encoding)),
      progress_(host.now().steady) {}

void LinkSession::open() {
  link_->limit_messages(most_);
  host_.in_core([this](core::Shard& core) {
    ref_ = core.open(*this, {.kind = core::SessionSetup::Kind::link});
  });
}

void LinkSession::push(const core::FramePtr& frame) {
  if (closed_ || lost_) return;
  try {
    if (frame->reply().request != 0) note_answer(frame->reply());
    const Payload& bytes = frame->encoded(codec_);
    pending_.push_back(bytes);
    pending_bytes_ += bytes.size();
    backlog_ += bytes.size();
  } catch (...) {
    lost_ = true;
  }
  if (referenced_ != 0 || held_ != 0) measure();  // else the link had nothing, and has nothing
  host_.mark_dirty(*this);
}

void LinkSession::note_answer(const wire::Reply& reply) {
  if (open_requests_ > 0) --open_requests_;
  const auto* welcome = std::get_if<wire::Welcome>(&reply.answer);
  if (welcome == nullptr) return;
  most_ = most_message(host_.core().max_body(), info_.encoding);
  link_->limit_messages(most_);
  welcome_ = std::make_unique<SessionInfo>(
      SessionInfo{welcome->user, welcome->device, welcome->subject, info_.transport});
}

void LinkSession::measure() {
  note_held(link_->held());
  const std::size_t queued = link_->queued();
  note_queued(queued);
  backlog_ = queued + held_ + pending_bytes_;
}

/// A link says how many bytes wait, not how many messages: as many as there are on the average.
void LinkSession::note_queued(std::size_t bytes) noexcept {
  if (bytes >= referenced_) return;
  const std::size_t left = (references_ * bytes + referenced_ - 1) / referenced_;
  host_.waits(-static_cast<std::ptrdiff_t>((references_ - left) * reference_charge));
  references_ = left;
  referenced_ = bytes;
}

void LinkSession::note_held(std::size_t bytes) noexcept {
  host_.holds(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(held_));
  held_ = bytes;
}

void LinkSession::close(CloseReason reason, std::string_view text) {
  if (closing_) return;
  closing_ = true;
  reason_ = reason;
  text_ = std::make_unique<const std::string>(text);
  host_.mark_dirty(*this);
}

bool LinkSession::flush() {
  if (released_ || closed_) return false;
  if (lost_) {
    give_up();
    return false;
  }
  if (!pending_.empty()) {
    const std::size_t before = link_->queued();
    // One answer may be larger than the limit, a long list: then it is what may wait.
    if (before <= limits::queue_soft) one_message_ = 0;
    for (const Payload& frame : pending_) one_message_ = std::max(one_message_, frame.size());
    accepted_ += pending_bytes_;
    references_ += pending_.size();
    referenced_ += pending_bytes_;
    host_.waits(static_cast<std::ptrdiff_t>(pending_.size() * reference_charge));
    link_->send(pending_);
    pending_.clear();
    pending_bytes_ = 0;
    measure();
    // The clock of a stall starts here.
    if (before == 0 && backlog_ != held_) progress_ = host_.now().steady;
  }
  if (welcome_) host_.engine().tell_session(*std::exchange(welcome_, nullptr));
  if (closing_) {
    closed_ = true;
    backlog_ = 0;
    link_->close(reason_, text_ ? std::string_view(*text_) : std::string_view());
    return false;
  }
  const std::size_t most = std::max(one_message_, host_.core().max_body());
  const std::size_t hard = limits::queue_hard + most + frame_room;
  if (backlog_ > hard) {
    fail_link(CloseReason::slow_consumer, Errc::slow_consumer, "answers were not read");
    return true;
  }
  tell_drained();
  if (backlog_ != 0) host_.look_after(*this);
  return false;
}

void LinkSession::drained() {
  if (released_ || closed_) return;
  try {
    measure();
    tell_drained();
  } catch (...) {
    give_up();
  }
}

void LinkSession::tell_drained() {
  if (!lagging_) return;
  const std::size_t low = host_.queue_limit() / 2;
  if (backlog_ > low) return link_->tell_drained(low);
  lagging_ = false;
  host_.in_core([this](core::Shard& core) { core.drained(ref_); });
}

/// What it keeps was nothing when it was looked at last: the clock of a stall starts here.
void LinkSession::holding() {
  if (released_ || closed_ || looked_after()) return;
  progress_ = host_.now().steady;
  note_held(link_->held());
  try {
    host_.look_after(*this);
  } catch (...) {
    give_up();
  }
}

bool LinkSession::sweep() {
  if (released_ || closed_) return false;
  measure();
  const auto now = host_.now().steady;
  const std::size_t queued = link_->queued();
  // A link may count bytes of its own (prefixes) in its queue, so what was taken is a lower bound.
  const std::uint64_t taken = accepted_ > queued ? accepted_ - queued : 0;
  if (queued == 0 || taken > taken_) progress_ = now;
  taken_ = std::max(taken_, taken);
  if (now - progress_ >= limits::stall) {
    fail_link(CloseReason::slow_consumer, Errc::slow_consumer, "nothing was read for 15 seconds");
    return false;
  }
  if (held_ == 0) {
    held_since_ = {};
  } else if (held_since_ == std::chrono::steady_clock::time_point{}) {
    held_since_ = now;
  } else if (now - held_since_ >= limits::message_within) {
    fail_link(CloseReason::policy, Errc::protocol_error, "a message did not end within 30 seconds");
    return false;
  }
  tell_drained();
  return queued != 0 || held_ != 0 || lagging_;
}

void LinkSession::received(Bytes message) {
  try {
    take(message);
  } catch (...) {
    give_up();
  }
}

void LinkSession::take(Bytes message) {
  held_since_ = {};
  if (released_ || closing_) return;
  if (message.size() > most_) {
    return fail_link(CloseReason::too_large, Errc::too_large,
                     "a message may have " + std::to_string(most_) + " bytes");
  }
  std::vector<wire::Request>& requests = host_.requests_scratch();
  if (auto decoded = codec_.decode(message, requests); !decoded) {
    return fail_link(CloseReason::protocol_error, Errc::protocol_error, decoded.error().message);
  }
  const Error refusal = refuse_all();
  for (wire::Request& request : requests) {
    if (closing_) return;
    ++open_requests_;
    request.bytes = static_cast<std::uint32_t>(message.size() / requests.size());
    if (refusal && request.number != 0) {
      push(core::make_frame(request.number, wire::Failed{refusal}));
    } else {
      host_.in_core([&](core::Shard& core) { core.request(ref_, std::move(request)); });
    }
  }
}

/// Why no request is taken now, if so.
Error LinkSession::refuse_all() const {
  if (!host_.engine().accepting()) return parley::detail::closed_error();
  const std::size_t most = host_.queue_limit();
  const bool hoards = most < limits::queue_soft && link_->queued() + pending_bytes_ > most;
  if (!hoards && !host_.memory_full()) return {};
  Error busy(Errc::busy, hoards ? "memory is short: read what was answered, then ask for more"
                                : "the engine's memory limit is reached; try again");
  busy.retry_after = busy_for;
  return busy;
}

void LinkSession::fail_link(CloseReason reason, Errc code, std::string text) {
  if (closing_) return;
  host_.log(core::Effects::Severity::info,
            "closing a link of " + info_.transport + " from " + info_.peer + ": " + text);
  push(core::make_frame(
      0, wire::Goodbye{std::string(to_string(code)), 0, reason == CloseReason::slow_consumer}));
  close(reason, text);
}

void LinkSession::closed(Error why) {
  if (released_) return host_.orphan_closed(*this);
  end();
  host_.release(*this);
  if (!why) return;
  try {
    host_.log(core::Effects::Severity::debug,
              "a link of " + info_.transport + " from " + info_.peer + " ended: " + why.message);
  } catch (...) {  // it is only not told
  }
}

/// Nothing comes from the core any more, nor goes to it.
void LinkSession::end() noexcept {
  closed_ = true;
  open_requests_ = 0;
  note_held(0);
  note_queued(0);
  backlog_ = 0;
  pending_.clear();
  try {
    host_.in_core([this](core::Shard& core) { core.session_closed(ref_); });
  } catch (...) {  // the core begins anew, and does not know of it
  }
}

void LinkSession::core_lost() noexcept {
  ref_ = {};
  open_requests_ = 0;
  lagging_ = false;
  if (released_ || closing_) return;
  try {
    push(core::make_frame(0, wire::Goodbye{"internal", spread_ms, true}));
    close(CloseReason::internal, "no memory");
  } catch (...) {
    give_up();
  }
}

/// Without a goodbye, for which there is no memory either; the transport says why.
void LinkSession::give_up() noexcept {
  if (released_ || closed_) return;
  closing_ = closed_ = true;
  pending_.clear();
  pending_bytes_ = 0;
  backlog_ = 0;
  try {
    link_->close(CloseReason::internal, "no memory");
  } catch (...) {  // what is left of it ends with the peer
  }
}

void LinkSession::abandon(const Error& why) {
  if (released_) return;
  if (!closed_) link_->close(CloseReason::going_away, why.message);
  end();
  host_.orphan(*this);
}

}  // namespace parley::engine
