// client_model_test.cpp: against a model server behind a link that cuts, repeats and skips, every
// event comes once and in order, and every message handed over is stored once.
#include <rapidcheck.h>

#include <map>
#include <set>

#include "client/harness.hpp"

namespace {

using namespace parley;
using namespace parley::test;

/// The server's side of one conversation and one device, and what a bad link does to it.
struct Model {
  explicit Model(Harness& harness) : t(harness) {}

  ListEntry listed() const { return entry(1, head); }
  void commit() { ++head; }

  // Dials until it is ready; every step may be cut.
  void connect() {
    if (t.core.state() == ClientState::stopped) t.start();
    if (t.core.state() == ClientState::waiting) t.advance(milliseconds(30'000));
    if (t.core.state() != ClientState::connecting) return;
    t.sent.clear();
    t.opened();
    subscribed = false;
    t.reply(t.last<wire::Hello>().number, t.welcome({listed()}));
    up = true;
  }
  void cut() {
    if (!up) return;
    up = false;
    t.sent.clear();  // whatever was not served is lost
    t.closed(Error{Errc::disconnected, "cut"});
  }

  // Serves the oldest request; `answered` false: it took effect, the answer is lost with the link.
  void serve(bool answered) {
    if (!up || t.sent.empty()) return;
    const wire::Request request = t.sent.front();
    t.sent.erase(t.sent.begin());
    wire::Answer answer = wire::Done{};
    if (const auto* send = std::get_if<wire::Send>(&request.operation)) {
      answer = take(*send);
    } else if (const auto* subscribe = std::get_if<wire::Subscribe>(&request.operation)) {
      answer = resume(*subscribe);
    }
    if (!answered) return cut();
    const bool fresh = std::holds_alternative<wire::Subscribed>(answer);
    t.reply(request.number, std::move(answer));
    if (fresh) push(next, head);
  }
  wire::Answer take(const wire::Send& send) {
    RC_ASSERT(send.number < send.settled + limits::open_sends);
    RC_ASSERT(send.settled >= settled);
    settled = send.settled;
    const auto known = row.find(send.number);
    if (known != row.end()) {
      RC_ASSERT(known->second.first == std::string(send.body.bytes()));
      return wire::Acked{{room, known->second.second, WallTime{}, send.number, true}};
    }
    RC_ASSERT(send.number >= send.settled);
    commit();
    row[send.number] = {std::string(send.body.bytes()), head};
    return wire::Acked{{room, head, WallTime{}, send.number, false}};
  }
  wire::Answer resume(const wire::Subscribe& subscribe) {
    RC_ASSERT(subscribe.items.size() == 1U);
    const auto& cursor = subscribe.items[0].cursor;
    RC_ASSERT(cursor.has_value());
    RC_ASSERT(cursor->seq <= head);
    RC_ASSERT(cursor->mark == mark_of(cursor->seq));
    next = cursor->seq + 1;
    subscribed = true;
    ResumeAnswer answer;
    answer.conversation = room;
    answer.answer = cursor->seq == head ? Resume::caught_up : Resume::range;
    answer.level = Level::full;
    answer.head = {epoch, head, mark_of(head)};
    return wire::Subscribed{{answer}};
  }

  void push(Seq first, Seq last) {
    if (!up || !subscribed || first > last || first == 0) return;
    t.push(events(room, first, last));
    next = std::max(next, last + 1);
  }

  // Until nothing is left to do.
  void settle_down() {
    for (int round = 0; round < 200; ++round) {
      connect();
      while (!t.sent.empty()) serve(true);
      push(next, head);
      if (t.sent.empty() && t.core.outbox().empty() &&
          t.core.cursor(room) == Cursor{epoch, head, mark_of(head)}) {
        return;
      }
      t.advance(milliseconds(1'000));
    }
    RC_FAIL("it never settled");
  }

  Harness& t;
  bool up = false;
  bool subscribed = false;
  Seq head = 5;
  Seq next = 0;  // to be pushed
  std::uint64_t settled = 0;
  std::map<std::uint64_t, std::pair<std::string, Seq>> row;  // never swept: finds every repeat
};

}  // namespace

TEST_CASE("whatever the link does, every event comes once and every message is stored once") {
  CHECK(rc::check("cuts, repeats, gaps and restarts", [] {
    const auto storage = memory_storage();
    auto harness = std::make_unique<Harness>(storage);
    auto model = std::make_unique<Model>(*harness);
    std::vector<Seq> seen;
    int handed_over = 0;
    const auto collect = [&] {
      for (const Seq seq : harness->seqs()) seen.push_back(seq);
      harness->notices.clear();
    };
    model->connect();
    const auto steps = *rc::gen::inRange(0, 120);
    for (int i = 0; i < steps; ++i) {
      switch (*rc::gen::inRange(0, 12)) {
        case 0:
        case 1:
          model->commit();
          break;
        case 2:
          model->push(model->next, model->head);
          break;
        case 3:
          model->push(std::max<Seq>(1, model->next - std::min<Seq>(model->next, 3)), model->head);
          break;  // with repeats
        case 4:
          model->push(model->next + 2, model->head);
          break;  // a gap
        case 5:
          harness->send(room, "m" + std::to_string(++handed_over));
          break;
        case 6:
        case 7:
        case 8:
          model->serve(true);
          break;
        case 9:
          model->serve(false);
          break;
        case 10:
          model->cut();
          model->connect();
          break;
        default: {
          if (*rc::gen::inRange(0, 4) != 0) break;
          collect();  // the process ends; its storage stays
          auto restarted = std::make_unique<Harness>(storage);
          restarted->now = harness->now;
          auto moved = std::make_unique<Model>(*restarted);
          moved->head = model->head;
          moved->row = model->row;
          moved->settled = model->settled;
          model = std::move(moved);
          harness = std::move(restarted);
          model->connect();
        }
      }
    }
    model->settle_down();
    collect();
    std::vector<Seq> expected;
    for (Seq seq = 6; seq <= model->head; ++seq) expected.push_back(seq);
    RC_ASSERT(seen == expected);
    RC_ASSERT(model->row.size() == static_cast<std::size_t>(handed_over));
    std::set<std::string> bodies;
    for (const auto& [number, stored] : model->row) bodies.insert(stored.first);
    RC_ASSERT(bodies.size() == static_cast<std::size_t>(handed_over));
  }));
}
