// network.hpp: links between devices and the engine: ordered pipes with delays that break in every
// way a pipe can.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "simulation/engine.hpp"
#include "simulation/faults.hpp"
#include "simulation/report.hpp"
#include "simulation/scheduler.hpp"
#include "wire/codec.hpp"
#include "wire/messages.hpp"

namespace parley::simulation {

using LinkId = std::uint64_t;

/// The client end of links. Exactly one of connected() and disconnected() follows a connect(), and
/// disconnected() ends what connected() began, unless the client hung up itself.
class LinkUser {
 public:
  virtual void connected(LinkId link) = 0;
  virtual void received(LinkId link, const wire::Reply& reply) = 0;
  virtual void disconnected(LinkId link) = 0;

 protected:
  ~LinkUser() = default;
};

class Network {
 public:
  Network(Scheduler& scheduler, Report& report, Random random)
      : scheduler_(scheduler),
        report_(report),
        random_(random),
        binary_(wire::binary_codec()),
        json_(wire::json_codec()) {}

  void set_faults(const Faults& faults);
  /// Null: nobody listens. The old engine's links break.
  void set_engine(Engine* engine);

  /// `trusted` not empty: host code in the engine's process signs in by that name, with no codec.
  LinkId connect(LinkUser& user, const std::string& trusted);
  void send(LinkId link, wire::Request request);
  /// The client closes. Without a Bye the engine may notice late.
  void hang_up(LinkId link);
  [[nodiscard]] bool open(LinkId link) const { return links_.contains(link); }

 private:
  struct Link;
  Time delay() { return random_.between(faults_.link_least, faults_.link_most); }
  void at_client(const std::shared_ptr<Link>& link, Time when, std::function<void(Link&)> task);
  void at_engine(const std::shared_ptr<Link>& link, Time when, std::function<void(Link&)> task);
  void arrive(const std::shared_ptr<Link>& link);
  void plan_faults(const std::shared_ptr<Link>& link);
  void reset(const std::shared_ptr<Link>& link);
  void cut_client(Link& link, bool tell);
  void cut_engine(const std::shared_ptr<Link>& link, Time when);
  wire::Request through(const Link& link, const wire::Request& request);
  wire::Reply through(const Link& link, const wire::Reply& reply);

  Scheduler& scheduler_;
  Report& report_;
  Random random_;
  Faults faults_;
  std::unique_ptr<wire::Codec> binary_, json_;
  Engine* engine_ = nullptr;
  LinkId last_ = 0;
  std::map<LinkId, std::shared_ptr<Link>> links_;      // as the clients see them
  std::map<LinkId, std::shared_ptr<Link>> at_engine_;  // as the engine sees them
};

}  // namespace parley::simulation
