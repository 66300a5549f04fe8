// network.cpp: delivery in order, and the breaks.
#include "simulation/network.hpp"

#include <algorithm>
#include <cmath>

namespace parley::simulation {

using namespace std::chrono_literals;

struct Network::Link final : Ear, std::enable_shared_from_this<Network::Link> {
  Link(Network& owner, LinkId own_id, LinkUser& own_user, std::string name)
      : network(owner), id(own_id), user(own_user), trusted(std::move(name)) {}

  void said(const wire::Reply& reply, std::size_t bytes) override {
    const auto self = shared_from_this();
    network.at_client(self, network.scheduler_.now() + network.delay(), [reply, bytes](Link& link) {
      if (link.engine_open) link.network.engine_->taken(link.session, bytes);
      if (link.client_open) link.user.received(link.id, link.network.through(link, reply));
    });
  }
  void closing() override {
    const auto self = shared_from_this();
    network.at_client(self, network.scheduler_.now() + network.delay(), [](Link& link) {
      link.network.cut_engine(link.shared_from_this(), link.network.scheduler_.now());
      link.network.cut_client(link, true);
    });
  }

  Network& network;
  LinkId id;
  LinkUser& user;
  std::string trusted;
  Engine::SessionKey session = 0;
  bool client_open = true, engine_open = false, lost = false;
  Time last_down{0}, last_up{0}, stalled_until{0};
  wire::Codec* codec = nullptr;  // null: structs
};

void Network::set_faults(const Faults& faults) { faults_ = faults; }

void Network::set_engine(Engine* engine) {
  engine_ = engine;
  for (auto& [id, link] : std::exchange(at_engine_, {})) {
    link->engine_open = false;
    link->lost = true;
    scheduler_.after(random_.between(0ms, 2s), [this, weak = std::weak_ptr(link)] {
      if (const auto there = weak.lock()) cut_client(*there, true);
    });
  }
}

void Network::at_client(const std::shared_ptr<Link>& link, Time when,
                        std::function<void(Link&)> task) {
  link->last_down = std::max({when, link->last_down + 1ns, link->stalled_until});
  scheduler_.at(link->last_down, [weak = std::weak_ptr(link), task = std::move(task)] {
    const auto there = weak.lock();
    if (there && !there->lost) task(*there);
  });
}

void Network::at_engine(const std::shared_ptr<Link>& link, Time when,
                        std::function<void(Link&)> task) {
  link->last_up = std::max(when, link->last_up + 1ns);
  scheduler_.at(link->last_up, [link, task = std::move(task)] {
    if (link->engine_open) task(*link);
  });
}

LinkId Network::connect(LinkUser& user, const std::string& trusted) {
  const auto link = std::make_shared<Link>(*this, ++last_, user, trusted);
  links_.emplace(link->id, link);
  if (faults_.encoded && trusted.empty()) {
    const bool json = random_.chance(0.5);
    link->codec = json ? json_.get() : binary_.get();
    report_.reached(json ? Sometimes::json_link : Sometimes::binary_link);
  }
  scheduler_.after(delay(), [this, link] { arrive(link); });
  return link->id;
}

void Network::arrive(const std::shared_ptr<Link>& link) {
  if (!link->client_open) return;
  if (engine_ == nullptr) {
    scheduler_.after(delay(), [this, link] { cut_client(*link, true); });
    return;
  }
  link->engine_open = true;
  at_engine_.emplace(link->id, link);
  link->session = engine_->open(*link, link->trusted);
  at_client(link, scheduler_.now() + delay(), [](Link& there) {
    if (there.client_open) there.user.connected(there.id);
  });
  plan_faults(link);
}

/// Draws when the link will break and when its reader will stall, from their rates.
void Network::plan_faults(const std::shared_ptr<Link>& link) {
  const auto in = [&](double rate) {
    const double seconds = -std::log(1.0 - random_.share()) / rate;
    return std::chrono::duration_cast<Time>(std::chrono::duration<double>(std::min(seconds, 1e5)));
  };
  if (faults_.resets > 0) {
    scheduler_.after(in(faults_.resets), [this, weak = std::weak_ptr(link)] {
      const auto there = weak.lock();
      if (there && there->client_open && faults_.resets > 0) reset(there);
    });
  }
  if (faults_.stalls > 0) {
    scheduler_.after(in(faults_.stalls), [this, weak = std::weak_ptr(link)] {
      const auto there = weak.lock();
      if (!there || !there->client_open || faults_.stalls <= 0) return;
      report_.reached(Sometimes::stalled_reader);
      there->stalled_until = scheduler_.now() + random_.between(10ms, faults_.stall_most);
    });
  }
}

void Network::reset(const std::shared_ptr<Link>& link) {
  report_.reached(Sometimes::link_reset);
  report_.trace(scheduler_.now(), "link " + std::to_string(link->id) + " breaks");
  const bool half_open = random_.chance(faults_.half_open);
  if (half_open) {
    // What the client sent still arrives; the engine hears of the end late.
    report_.reached(Sometimes::half_open_link);
    cut_client(*link, true);
    cut_engine(link, scheduler_.now() + random_.between(0ms, 45s));
    return;
  }
  link->lost = true;  // what is under way to the client is gone
  cut_engine(link, scheduler_.now() + random_.between(0ms, 200ms));
  scheduler_.after(random_.between(0ms, 1s), [this, link] { cut_client(*link, true); });
}

void Network::cut_client(Link& link, bool tell) {
  if (!link.client_open) return;
  link.client_open = false;
  const auto kept = link.shared_from_this();
  links_.erase(link.id);
  if (tell) link.user.disconnected(link.id);
}

/// From `when` on the engine knows. Messages due later never arrive.
void Network::cut_engine(const std::shared_ptr<Link>& link, Time when) {
  scheduler_.at(when, [this, link] {
    if (!link->engine_open) return;
    link->engine_open = false;
    at_engine_.erase(link->id);
    engine_->closed(link->session);
  });
}

void Network::send(LinkId id, wire::Request request) {
  const auto at = links_.find(id);
  if (at == links_.end() || at->second->lost) return;
  const auto& link = at->second;
  at_engine(link, scheduler_.now() + delay(), [request = through(*link, request)](Link& there) {
    there.network.engine_->request(there.session, request);
  });
}

void Network::hang_up(LinkId id) {
  const auto at = links_.find(id);
  if (at == links_.end()) return;
  const auto link = at->second;
  cut_client(*link, false);
  // What was sent before arrives first.
  cut_engine(link, std::max(link->last_up + 1ns, scheduler_.now() + delay()));
}

wire::Request Network::through(const Link& link, const wire::Request& request) {
  if (link.codec == nullptr) return request;
  std::vector<wire::Request> out;
  const Payload bytes = link.codec->encode(request);
  const auto decoded = link.codec->decode(bytes.bytes(), out);
  if (!decoded) throw Broken("A a request does not survive its codec: " + decoded.error().message);
  if (out.size() != 1) throw Broken("A a request became several");
  return std::move(out.front());
}

wire::Reply Network::through(const Link& link, const wire::Reply& reply) {
  if (link.codec == nullptr) return reply;
  std::vector<wire::Reply> out;
  const Payload bytes = link.codec->encode(reply);
  const auto decoded = link.codec->decode(bytes.bytes(), out);
  if (!decoded) throw Broken("A a reply does not survive its codec: " + decoded.error().message);
  if (out.size() != 1) throw Broken("A a reply became several");
  return std::move(out.front());
}

}  // namespace parley::simulation
