// transport_conformance.cpp: the cases of the transport suite, over the public headers alone.
#include "parley/testing/transport_conformance.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "runtime/transport_probe.hpp"

namespace parley::inline v0::testing {
namespace {

using Peer = ProbePeer;

void connects(TransportProbe& probe) {
  const std::string bound = probe.listen_on({&probe.driver().host(1)});
  if (bound.empty()) return;
  const auto result = probe.dial(bound);
  probe.expect(result->calls == 0, "dial called back before it returned");
  probe.until([&] { return result->calls > 0 && probe.peers().size() == 2; }, "both ends");
  probe.expect(!result->why, "dial failed: " + result->why.message);
  probe.expect(result->links_then == 1, "done ran before the link was handed over");
  for (const auto& peer : probe.peers()) {
    probe.expect(peer->info.encoding == probe.under().encoding, "the encoding is another");
    probe.expect(!peer->info.transport.empty(), "the transport has no name");
  }
  probe.turns(10);
  probe.expect(result->calls == 1, "done ran more than once");
}

void exchanges(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  pair.near->send("hello");
  probe.until([&] { return pair.far->got.size() == 1; }, "a message to the listener");
  pair.far->send("and back");
  probe.until([&] { return pair.near->got.size() == 1; }, "a message to the dialler");
  probe.expect(pair.far->got[0] == "hello" && pair.near->got[0] == "and back", "other bytes came");
}

/// The first thing an engine does in opened() is to write.
void sends_inside_opened(TransportProbe& probe) {
  probe.on_opened = [](Peer& peer) { peer.send("first"); };
  const auto pair = probe.connect();
  if (!pair) return;
  probe.until([&] { return !pair.near->got.empty() && !pair.far->got.empty(); },
              "both first words");
}

void keeps_order(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  const std::size_t count = probe.scaled(20'000);
  std::size_t sent = 0;
  while (sent < count) {
    std::vector<Payload> batch;
    for (std::size_t i = 0; i < 1 + sent % 200 && sent < count; ++i, ++sent) {
      batch.push_back(Payload::copy_of(numbered(sent)));
    }
    pair.near->send(batch);
    pair.far->send(batch);
    probe.turns(1);
  }
  for (Peer* peer : {pair.near, pair.far}) {
    if (!probe.until([&] { return peer->got.size() >= count; }, "every message")) return;
    for (std::size_t i = 0; i < count; ++i) {
      if (!probe.expect(peer->got[i] == numbered(i), "messages are out of order or changed"))
        return;
    }
  }
}

void every_size(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  std::vector<std::size_t> sizes{1, 2, 124, 125, 126, 127, 65'534, 65'535, 65'536, 65'537, 200'000};
  if (probe.under().max_message != 0) sizes.push_back(probe.under().max_message);
  for (const std::size_t size : sizes) {
    if (probe.under().max_message != 0 && size > probe.under().max_message) continue;
    const std::string message(size, static_cast<char>('a' + size % 26));
    for (Peer* from : {pair.near, pair.far}) {
      Peer* to = from == pair.near ? pair.far : pair.near;
      const std::size_t before = to->got.size();
      from->send(message);
      if (!probe.until([&] { return to->got.size() > before; }, "a large message")) return;
      probe.expect(to->got.back() == message, "a message of another size or content came");
    }
  }
}

void too_large(TransportProbe& probe, Peer& from, Peer& to, std::size_t limit) {
  from.send(std::string(limit, 'x'));
  if (!probe.until([&] { return to.got.size() == 1; }, "a message at the limit")) return;
  from.send(std::string(limit + 1, 'x'));
  probe.until([&] { return to.closes == 1 && from.closes == 1; }, "the end after a larger one");
  probe.expect(to.got.size() == 1, "a message above the limit was handed on");
  probe.expect(to.why.errc() == Errc::too_large, "the error is not too_large: " + to.why.message);
}

void limits_size(TransportProbe& probe) {
  if (probe.under().max_message == 0) return;
  const auto pair = probe.connect();
  if (pair) too_large(probe, *pair.near, *pair.far, probe.under().max_message);
  const auto other = probe.connect_again();
  if (other) too_large(probe, *other.far, *other.near, probe.under().max_message);
}

void limits_as_told(TransportProbe& probe) {
  probe.on_opened = [](Peer& peer) { peer.link->limit_messages(1'000); };
  const auto pair = probe.connect();
  if (pair) too_large(probe, *pair.near, *pair.far, 1'000);
}

void pushes_back(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  pair.far->keep = false;
  const Payload block = Payload::copy_of(std::string(16 * limits::kib, 'b'));
  std::size_t sent = 0;
  // Nobody reads while nothing turns, so what the system buffers is used up soon.
  while (pair.near->link->queued() <= 2 * limits::queue_soft && sent < 256 * limits::mib) {
    pair.near->send(std::span(&block, 1));
    sent += block.size();
  }
  probe.expect(pair.near->link->queued() > limits::queue_soft, "queued() does not grow");
  probe.expect(pair.near->drains == 0, "drained too early");
  probe.until([&] { return pair.far->got_bytes == sent && pair.near->link->queued() == 0; },
              "all that was queued");
  probe.until([&] { return pair.near->drains > 0; }, "drained");
  probe.turns(5);
  probe.expect(pair.near->drains == 1, "drained came more than once");
  pair.near->send("small");
  probe.turns(5);
  probe.expect(pair.near->drains == 1, "drained without having been above the limit");
}

void tells_drained(TransportProbe& probe) {
  if (!probe.under().tells_drained) return;
  const auto pair = probe.connect();
  if (!pair) return;
  pair.far->keep = false;
  const Payload block = Payload::copy_of(std::string(16 * limits::kib, 'b'));
  std::size_t sent = 0;
  while (pair.near->link->queued() == 0 && sent < 256 * limits::mib) {
    pair.near->send(std::span(&block, 1));
    sent += block.size();
  }
  pair.near->send(std::span(&block, 1));
  sent += block.size();
  pair.near->link->tell_drained(block.size());
  const auto all_read = [&] { return pair.far->got_bytes == sent; };
  probe.until([&] { return pair.near->drains > 0; }, "drained, as it was asked for");
  probe.expect(pair.near->link->queued() <= block.size(), "drained too early");
  probe.until(all_read, "all that was queued");
  probe.turns(5);
  probe.expect(pair.near->drains == 1, "drained more often than it was asked for");
}

void shares_payloads(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  pair.far->keep = false;
  const auto owner = std::make_shared<const std::string>(64 * limits::kib, 's');
  const Payload payload(owner, *owner);
  std::size_t count = 0;
  while (pair.near->link->queued() < limits::queue_soft && count < 4'096) {
    pair.near->send(std::span(&payload, 1));
    ++count;
  }
  probe.until([&] { return pair.far->got_bytes == count * owner->size(); }, "every copy");
  probe.turns(5);
  probe.expect(owner.use_count() == 2, "a reference is kept after the message was sent");
}

void close_from(TransportProbe& probe, bool dialler) {
  const auto pair = probe.connect();
  if (!pair) return;
  Peer& closes = dialler ? *pair.near : *pair.far;
  Peer& other = dialler ? *pair.far : *pair.near;
  for (std::size_t i = 0; i < 100; ++i) closes.send(numbered(i));
  closes.close();
  closes.close(CloseReason::internal);
  closes.send("after close");
  probe.until([&] { return closes.closes == 1 && other.closes == 1; }, "closed at both ends");
  probe.turns(10);
  probe.expect(other.got.size() == 100, "what was sent before close() did not come, or more came");
  probe.expect(!closes.why, "an orderly close is an error here: " + closes.why.message);
  probe.expect(!other.why, "an orderly close is an error at the peer: " + other.why.message);
}
void closes_from_dialler(TransportProbe& probe) { close_from(probe, true); }
void closes_from_listener(TransportProbe& probe) { close_from(probe, false); }

void closes_from_both(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  pair.near->send("last words");
  pair.near->close();
  pair.far->close(CloseReason::going_away);
  probe.until([&] { return pair.near->closes == 1 && pair.far->closes == 1; }, "closed");
  probe.turns(10);
}

void closes_inside_received(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  pair.far->on_message = [&](Bytes) { pair.far->link->close(CloseReason::policy, "enough"); };
  const std::array<Payload, 3> three{Payload::copy_of("one"), Payload::copy_of("two"),
                                     Payload::copy_of("three")};
  pair.near->send(three);
  probe.until([&] { return pair.near->closes == 1 && pair.far->closes == 1; }, "closed");
  probe.expect(pair.far->got.size() == 1, "messages came after close()");
}

void closes_a_stalled_link(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  pair.far->keep = false;
  const Payload block = Payload::copy_of(std::string(16 * limits::kib, 'b'));
  for (std::size_t sent = 0; pair.near->link->queued() <= limits::queue_hard && sent < 16'384;
       ++sent) {
    pair.near->send(std::span(&block, 1));
  }
  pair.near->close(CloseReason::slow_consumer);
  probe.until([&] { return pair.near->closes == 1 && pair.far->closes == 1; }, "closed");
}

void drops_a_link(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  pair.near->link.reset();  // as an engine does that has no time for goodbyes
  probe.until([&] { return pair.far->closes == 1; }, "closed at the peer");
  probe.expect(static_cast<bool>(pair.far->why), "a dropped link looks like an orderly close");
  probe.expect(pair.near->closes == 0, "closed() came to a link that is gone");
}

void refuses_a_dial(TransportProbe& probe) {
  const auto result = probe.dial(probe.under().nowhere);
  probe.until([&] { return result->calls > 0; }, "an answer");
  probe.turns(5);
  probe.expect(result->calls == 1, "done ran more than once");
  probe.expect(result->why.errc() == Errc::unreachable, "not unreachable: " + result->why.message);
  probe.expect(probe.peers().empty(), "a link was opened all the same");
}

void refuses_bad_urls(TransportProbe& probe) {
  LinkHost* host = &probe.driver().host(0);
  for (const std::string& url : {probe.under().bad_url, std::string("nonsense"), std::string()}) {
    auto bound = probe.server().listen(url, std::span(&host, 1));
    probe.expect(!bound && bound.error().errc() == Errc::invalid_argument, "listened on " + url);
    const auto result = probe.dial(url);
    probe.expect(result->calls == 0, "dial called back before it returned");
    probe.until([&] { return result->calls > 0; }, "an answer");
    probe.expect(result->why.errc() == Errc::invalid_argument, "dialled " + url);
  }
  auto nobody = probe.server().listen(probe.under().url, {});
  probe.expect(!nobody && nobody.error().errc() == Errc::invalid_argument, "listened on no shard");
}

void refuses_a_taken_address(TransportProbe& probe) {
  const std::string bound = probe.listen();
  if (bound.empty()) return;
  LinkHost* host = &probe.driver().host(0);
  auto again = probe.client().listen(bound, std::span(&host, 1));
  probe.expect(!again && again.error().errc() == Errc::address_in_use, "listened twice");
}

void refused_by_the_listener(TransportProbe& probe) {
  probe.refuse(1);
  const std::string bound = probe.listen_on({&probe.driver().host(1)});
  if (bound.empty()) return;
  const auto result = probe.dial(bound);
  probe.until([&] { return result->calls > 0; }, "an answer");
  probe.until(
      [&] { return result->why || (!probe.peers().empty() && probe.peers()[0]->closes == 1); },
      "the end of the refused link");
}

void refused_by_the_dialler(TransportProbe& probe) {
  probe.refuse(0);
  const std::string bound = probe.listen_on({&probe.driver().host(1)});
  if (bound.empty()) return;
  const auto result = probe.dial(bound);
  probe.until([&] { return result->calls > 0; }, "an answer");
  probe.expect(static_cast<bool>(result->why), "done reports a link that was refused");
  probe.until(
      [&] {
        const auto& accepted = probe.accepted();
        return std::all_of(accepted.begin(), accepted.end(),
                           [](Peer* p) { return p->closes == 1; });
      },
      "the end of the other side");
}

void spreads_links(TransportProbe& probe) {
  const std::string bound = probe.listen();
  if (bound.empty()) return;
  const std::size_t hosts = probe.driver().hosts();
  const std::size_t count = 8 * hosts;
  std::vector<std::shared_ptr<TransportProbe::Dial>> dials;
  for (std::size_t i = 0; i < count; ++i) dials.push_back(probe.dial(bound));
  probe.until([&] { return probe.peers().size() == 2 * count; }, "every link");
  for (std::size_t i = 0; i < hosts; ++i) {
    probe.expect(probe.on_host(i).size() >= (i == 0 ? count + 1 : 1), "a shard got no links");
  }
}

void many_links(TransportProbe& probe) {
  const auto first = probe.connect();
  if (!first) return;
  const std::size_t count = probe.scaled(200);
  std::vector<TransportProbe::Pair> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    pairs.push_back(probe.connect_again());
    if (!pairs.back()) return;
  }
  const Payload shared = Payload::copy_of("to everybody");
  for (const auto& pair : pairs) pair.far->send(std::span(&shared, 1));
  probe.until(
      [&] {
        return std::all_of(pairs.begin(), pairs.end(), [](const auto& pair) {
          return pair.near->got.size() == 1 && pair.near->got[0] == "to everybody";
        });
      },
      "the message at every link");
}

void stops_unused(TransportProbe& probe) {
  const auto transport = probe.make();
  bool stopped = false;
  transport->close([&] { stopped = true; });
  probe.until([&] { return stopped; }, "stopped");
}

/// `stopped` comes after the last link has gone, and nothing comes after it.
void stops_last(TransportProbe& probe) {
  const auto pair = probe.connect();
  if (!pair) return;
  const auto half_open = probe.dial(probe.bound());
  int stopped = 0;
  probe.server().close([&] { ++stopped; });
  probe.stopped_by_case(probe.server());
  probe.turns(20);
  probe.expect(stopped == 0, "stopped before the open link was gone");
  probe.until([&] { return half_open->calls == 1; }, "an answer to the dial under way");
  pair.near->send("still open");
  probe.until([&] { return pair.far->got.size() == 1; }, "a message over the open link");
  for (Peer* peer : probe.accepted()) peer->close(CloseReason::going_away);
  probe.until([&] { return stopped > 0; }, "stopped");
  for (Peer* peer : probe.accepted()) {
    probe.expect(peer->closes == 1, "stopped before closed() of every link");
  }
  probe.turns(20);
  probe.expect(stopped == 1, "stopped came more than once");
}

void refuses_when_closed(TransportProbe& probe) {
  const std::string bound = probe.listen();
  if (bound.empty()) return;
  probe.stop(probe.client());
  const auto result = probe.dial(bound);
  probe.until([&] { return result->calls > 0; }, "an answer");
  probe.expect(static_cast<bool>(result->why), "a closed transport dials");
  LinkHost* host = &probe.driver().host(0);
  probe.expect(!probe.client().listen(probe.under().url, std::span(&host, 1)),
               "a closed transport listens");
}

void frees_the_address(TransportProbe& probe) {
  const std::string bound = probe.listen();
  if (bound.empty()) return;
  probe.stop(probe.server());
  LinkHost* host = &probe.driver().host(0);
  auto again = probe.client().listen(bound, std::span(&host, 1));
  probe.expect(again.ok(), "the address is still taken: " + (again ? "" : again.error().message));
}

void sees_a_peer_vanish(TransportProbe& probe) {
  if (!probe.under().vanish) return;
  const std::string bound = probe.listen_on({&probe.driver().host(1)});
  if (bound.empty()) return;
  probe.under().vanish(bound);
  probe.until([&] { return probe.peers().size() == 1 && probe.peers()[0]->closes == 1; }, "closed");
  if (probe.peers().empty()) return;
  probe.expect(probe.peers()[0]->why.errc() == Errc::disconnected, "not disconnected");
  probe.expect(probe.peers()[0]->got.empty(), "half a message was handed on");
}

constexpr TransportCase cases[] = {
    {"connects", "a dial hands a link over at both ends, then completes once", &connects},
    {"exchanges", "messages go both ways", &exchanges},
    {"sends_inside_opened", "a link can be written to inside opened()", &sends_inside_opened},
    {"keeps_order", "many messages come whole, unchanged and in order, both ways at once",
     &keeps_order},
    {"every_size", "messages of every size up to the limit come whole", &every_size},
    {"limits_size", "one byte above the limit ends the link with too_large", &limits_size},
    {"limits_as_told", "limit_messages() holds from inside opened() on", &limits_as_told},
    {"pushes_back", "queued() grows when nobody reads, and drained() comes once", &pushes_back},
    {"tells_drained", "drained() comes once when tell_drained() asked for it", &tells_drained},
    {"shares_payloads", "a payload is kept by reference, and let go when it was sent",
     &shares_payloads},
    {"closes_from_dialler", "close() delivers what was sent, then closed() once at both ends",
     &closes_from_dialler},
    {"closes_from_listener", "the same from the other side", &closes_from_listener},
    {"closes_from_both", "both ends may close at the same time", &closes_from_both},
    {"closes_inside_received", "close() inside received() stops further messages",
     &closes_inside_received},
    {"closes_a_stalled_link", "a link with a full queue can be closed", &closes_a_stalled_link},
    {"drops_a_link", "a link that is destroyed unclosed ends at the peer with an error",
     &drops_a_link},
    {"refuses_a_dial", "dialling where nobody listens answers unreachable", &refuses_a_dial},
    {"refuses_bad_urls", "a malformed URL is invalid_argument, and dial still answers later",
     &refuses_bad_urls},
    {"refuses_a_taken_address", "listening twice is address_in_use", &refuses_a_taken_address},
    {"refused_by_the_listener", "a link that the listener's engine refuses ends at the dialler",
     &refused_by_the_listener},
    {"refused_by_the_dialler", "a link that the dialler's engine refuses is an error of the dial",
     &refused_by_the_dialler},
    {"spreads_links", "every shard gets links", &spreads_links},
    {"many_links", "one payload goes to many links", &many_links},
    {"stops_unused", "a transport that did nothing stops", &stops_unused},
    {"stops_last", "stopped comes once, after the last link, and nothing comes after it",
     &stops_last},
    {"refuses_when_closed", "a closed transport neither dials nor listens", &refuses_when_closed},
    {"frees_the_address", "after stopped the address can be listened on again", &frees_the_address},
    {"sees_a_peer_vanish", "a peer that vanishes inside a message is disconnected",
     &sees_a_peer_vanish},
};

}  // namespace

std::span<const TransportCase> transport_cases() noexcept { return cases; }

void run_transport_case(const TransportCase& wanted, const TransportUnderTest& transport,
                        const TransportCheck& check) {
  TransportProbe probe(wanted, transport, check);
  wanted.run(probe);
  probe.finish();
}

void run_transport_conformance(const TransportUnderTest& transport, const TransportCheck& check) {
  for (const TransportCase& one : cases) run_transport_case(one, transport, check);
}

}  // namespace parley::inline v0::testing
