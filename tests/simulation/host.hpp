// host.hpp: the program around the engine: what it keeps and holds, says and hides, history from
// elsewhere, exports, and the end of a user.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/transfer.hpp"
#include "simulation/checker.hpp"
#include "simulation/device.hpp"
#include "simulation/engine.hpp"
#include "simulation/random.hpp"

namespace parley::simulation {

/// Asks in the host's name.
core::AskSystem asking(Engine& engine);

/// The lines of an export, decoded as they come.
struct ExportLines {
  std::vector<wire::Answer> answers;
  /// Keeps it alive.
  static ExportSink sink(const std::shared_ptr<ExportLines>& lines);
};

/// One thing after the other, each over when it was answered or the engine died.
class Host {
 public:
  struct Place {  // everything outlives the host
    Scheduler& scheduler;
    Checker& checker;
    Report& report;
    Rumours& rumours;
    std::function<std::int64_t()> wall_ms;
    std::function<Engine*()> engine;                 // null: it is down
    std::function<void(const std::string&)> retire;  // who has this name signs in no more
  };

  Host(Place place, Random random);
  void start() { tick(); }
  void engine_died() { busy_ = false; }
  /// Nothing at random any more: every hold is lifted, and who was to be erased is.
  void calm() { calm_ = true; }
  [[nodiscard]] std::string unsettled() const;

 private:
  void tick();
  void act();
  void settle();
  void ask(wire::Operation operation, std::function<void(const wire::Answer&)> then);
  std::optional<ConversationId> somewhere();
  void keep(const ConversationId& id);
  void lift(const ConversationId& id);
  void import(const ConversationId& id);
  void send_import(const wire::Import& batch);
  void decide(const ConversationId& id);
  void say(const ConversationId& id);
  void send(const wire::Send& said);
  void export_conversation(const ConversationId& id);
  void export_user();
  void erase();
  void erase_now();

  Place place_;
  Random random_;
  bool busy_ = false, calm_ = false, erases_ = false, erased_ = false;
  std::uint64_t imported_ = 0;
  std::vector<wire::Import> imports_;
  std::vector<wire::Send> said_;              // with keys: they may be said again
  std::map<ConversationId, Retention> held_;  // perhaps
  std::optional<std::pair<std::string, UserId>> erasing_;
};

}  // namespace parley::simulation
