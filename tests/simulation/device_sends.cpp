// device_sends.cpp: the outbox of a device: what it writes and forwards, and what becomes of it.
#include <algorithm>

#include "parley/limits.hpp"
#include "simulation/device.hpp"

namespace parley::simulation {

using namespace std::chrono_literals;

void Device::write(const ConversationId& id) {
  Outbox& outbox = kept_.outboxes[id];
  const std::uint64_t settled = outbox.items.empty() ? outbox.next : outbox.items.front().number;
  if (outbox.next >= settled + limits::open_sends) return;
  Item item{.number = outbox.next++, .random = random_.next() | 1};
  if (random_.chance(0.06)) item.forward = something_said();
  if (!item.forward) item.body = words(item.random);
  if (random_.chance(0.05)) item.audience = audience::sender;
  if (random_.chance(0.03)) item.audience = audience::moderators;   // if the role allows it
  if (random_.chance(0.03)) item.audience = audience::first_group;  // if it is in that
  if (item.audience == audience::everyone) address(id, item);
  // A program's calls have keys.
  place_.checker.ledger().issue({.random = item.random,
                                 .subject = subject_,
                                 .device = index_,
                                 .life = life_,
                                 .conversation = id,
                                 .number = hosted() ? 0 : item.number,
                                 .body_hash = place_.checker.stored_hash(item.body),
                                 .forward = item.forward});
  outbox.items.push_back(std::move(item));
  transmit(id, outbox.items.back(), false);
}

std::string Device::words(std::uint64_t random) {
  const std::size_t size = random_.chance(0.01)  ? random_.between(4'000, limits::body_default)
                           : random_.chance(0.1) ? random_.between(100, 4'000)
                                                 : random_.between(0, 40);
  std::string body = "m" + std::to_string(random);
  body.resize(std::max<std::size_t>(size, body.size()), 'x');
  if (random_.chance(0.01)) body.clear();
  return body;
}

/// To be forwarded: what it has seen somewhere, whether it is still in there or not; now and then
/// anything that there is.
std::optional<ForwardOf> Device::something_said() {
  if (random_.chance(0.1) && !place_.rumours.all.empty())
    return ForwardOf{random_.pick(place_.rumours.all), random_.between(1, 30)};
  std::vector<ForwardOf> seen;
  for (const auto& [id, view] : kept_.views)
    for (const auto* seqs : {&view.mine, &view.others})
      if (!seqs->empty()) seen.push_back({id, random_.pick(*seqs)});
  if (seen.empty()) return std::nullopt;
  return random_.pick(seen);
}

void Device::transmit(const ConversationId& id, Item& item, bool again) {
  const Outbox& outbox = kept_.outboxes[id];
  Sent* known = place_.checker.ledger().find(item.random);
  if (++known->attempts > 1) place_.report.reached(Sometimes::send_retried);
  wire::Send send{.conversation = id,
                  .number = item.number,
                  .random = item.random,
                  .settled = outbox.items.front().number,
                  .body = Payload::copy_of(item.body),
                  .audience = item.audience,
                  .thread_root = item.thread_root,
                  .extras = {.mentions = item.mentions, .mention_scope = item.scope},
                  .forward = item.forward};
  if (hosted()) {
    send.number = send.settled = 0;
    send.key = "robot" + std::to_string(item.random);
  }
  // The same at every attempt, like the body.
  if (item.random % 16 == 3 && !item.body.empty()) {
    PollDraft& poll = send.poll.emplace();
    poll.options = {"a", "b", "c"};
    poll.multiple = (item.random >> 8 & 1) != 0;
    poll.anonymous = (item.random >> 9 & 1) != 0;
    if ((item.random >> 10 & 1) != 0)
      poll.closes_after = std::chrono::milliseconds(1'000 + item.random % 15'000);
  }
  if (item.random % 16 == 1) send.expires_after_ms = 1'000 + item.random % 15'000;
  ask(std::move(send),
      [this, id, random = item.random](const wire::Reply* reply) { sent(id, random, reply); });
  if (!again) item.request = last_request_;
}

void Device::sent(const ConversationId& id, std::uint64_t random, const wire::Reply* reply) {
  if (reply == nullptr) return;
  Sent& known = *place_.checker.ledger().find(random);
  auto& items = kept_.outboxes[id].items;
  const auto at = std::find_if(items.begin(), items.end(),
                               [&](const Item& item) { return item.random == random; });
  if (const auto* acked = std::get_if<wire::Acked>(&reply->answer)) {
    place_.checker.ack_received(random, acked->ack);
    if (hosted()) place_.report.reached(Sometimes::robot_said);
    if (at != items.end()) items.erase(at);
    return;
  }
  const auto* failed = std::get_if<wire::Failed>(&reply->answer);
  if (failed == nullptr) throw Broken("A a send was answered by something else");
  if (at == items.end()) return;  // a repetition; the first answer settled it
  const Error& error = failed->error;
  at->request = 0;
  if (error.retryable() || error.errc() == Errc::engine_closed ||
      error.errc() == Errc::session_closed || error.errc() == Errc::store_failed) {
    known.put_off = true;
    at->not_before = place_.scheduler.now() + std::max<Time>(error.retry_after, 20ms);
    return;
  }
  if (error.errc() == Errc::number_taken || error.errc() == Errc::too_old) {
    if (life_ == 0) {
      throw Broken("C3 " + name_ + ", which never lost anything, is told " +
                   std::string(to_string(error.errc())) + " for number " +
                   std::to_string(at->number) + ": " + error.message);
    }
    return renumber(id, *at, error.next);
  }
  known.refused = true;
  const bool corrects = error.code.value() == refusal_code && !at->forward;
  if (corrects && random_.chance(0.7)) return correct(id, *at);
  items.erase(at);
}

/// What the host refused is written in other words, under the number that it had.
void Device::correct(const ConversationId& id, Item& item) {
  place_.report.reached(Sometimes::corrected);
  Sent fresh = *place_.checker.ledger().find(item.random);
  item.random = fresh.random = random_.next() | 1;
  do {
    item.body = words(random_.next() | 1);
  } while (word_on(item.body) == Word::refused);
  fresh.body_hash = place_.checker.stored_hash(item.body);
  fresh.attempts = 0;
  fresh.refused = false;
  fresh.put_off = true;  // later ones may have overtaken it
  place_.checker.ledger().issue(std::move(fresh));
  item.request = 0;
  transmit(id, item, false);
}

/// The whole outbox moves above what the engine knows; each message becomes another one.
void Device::renumber(const ConversationId& id, Item&, std::uint64_t next) {
  Outbox& outbox = kept_.outboxes[id];
  outbox.next = std::max(outbox.next, next);
  for (Item& item : outbox.items) {
    const Sent old = *place_.checker.ledger().find(item.random);
    item.number = outbox.next++;
    item.random = random_.next() | 1;
    item.request = 0;
    Sent fresh = old;
    fresh.random = item.random;
    fresh.number = item.number;
    fresh.attempts = 0;
    fresh.acked = 0;
    fresh.renumbered = true;
    place_.checker.ledger().issue(std::move(fresh));
  }
}

}  // namespace parley::simulation
