// device.hpp: a model client, written from the wire page: outbox, cursors, list; its own copy of
// the truth.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "simulation/checker.hpp"
#include "simulation/faults.hpp"
#include "simulation/network.hpp"
#include "simulation/random.hpp"

namespace parley::simulation {

/// The user that the host's own program signs in as, without a link.
inline constexpr std::string_view robot = "robot0";

/// What devices tell one another outside the engine: which conversations and subjects there are.
struct Rumours {
  std::vector<std::string> subjects;
  std::vector<ConversationId> all;       // every conversation that somebody opened
  std::vector<ConversationId> channels;  // those that anybody may join
  std::vector<ConversationId> spaces;
  std::vector<std::string> invites;     // links that somebody made
  std::vector<ConversationId> askable;  // those that one may ask to be let into
  std::set<std::string> gone;           // who may not sign in any more
  bool hidden = false;                  // somebody hid what it reads, at some time
  bool blocked = false;                 // somebody blocked somebody, at some time
};

/// One device's copy of one conversation.
struct View {
  // Survives a crash of the device.
  bool member = false;
  ListEntry entry;
  std::optional<Cursor> cursor;
  Seq first = 1;                   // seq of log[0]
  std::vector<std::uint32_t> log;  // identities of the records applied: first .. cursor.seq
  std::vector<Seq> mine, others;   // messages to change
  std::vector<Seq> polls;          // to vote in
  Level wanted = Level::full;
  // Of the present session.
  bool subscribed = false, subscribing = false, behind = false;
  std::map<UserId, Receipt> receipts;
};

class Device final : public LinkUser {
 public:
  struct Place {  // everything outlives the device
    Scheduler& scheduler;
    Network& network;
    Checker& checker;
    Report& report;
    Rumours& rumours;
    const Faults& faults;
    std::function<std::int64_t()> wall_ms;
  };
  struct Item {
    std::uint64_t number = 0, random = 0;
    std::string body;
    std::uint8_t audience = audience::everyone;
    Seq thread_root = 0;
    std::vector<UserId> mentions{};
    MentionScope scope = MentionScope::none;
    std::optional<ForwardOf> forward{};
    std::uint32_t request = 0;  // 0: not under way on this link
    Time not_before{0};
  };
  struct Outbox {
    std::uint64_t next = 1;
    std::deque<Item> items;  // by number; the first is the smallest that may be retried
  };

  Device(Place place, Random random, std::uint32_t index, std::string subject);

  void start();
  /// No more random actions; only what convergence needs.
  void calm();
  /// Everything this device owes is done, and so is everything owed to it.
  [[nodiscard]] std::size_t unsent() const;  // messages in the outboxes of a device in use
  [[nodiscard]] bool settled() const;
  [[nodiscard]] std::string unsettled() const;  // why not
  /// Closes the link and stays away.
  void leave();
  /// Does not come back once the link is closed.
  void retire() { retired_ = true; }
  [[nodiscard]] bool retired() const noexcept { return retired_; }

  /// A question of the world's; `then` gets the answer, or nothing when the link went away.
  using Then = std::function<void(const wire::Reply*)>;
  void ask(wire::Operation operation, Then then);

  void connected(LinkId link) override;
  void received(LinkId link, const wire::Reply& reply) override;
  void disconnected(LinkId link) override;

  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
  [[nodiscard]] bool online() const noexcept { return online_; }
  [[nodiscard]] UserId user() const noexcept { return kept_.user; }
  [[nodiscard]] const std::vector<UserId>& blocked() const noexcept { return kept_.blocked; }
  [[nodiscard]] const std::vector<OwnRequest>& requests() const noexcept { return kept_.requests; }
  [[nodiscard]] const std::map<ConversationId, View>& views() const noexcept { return kept_.views; }
  [[nodiscard]] DeviceId device_id() const noexcept { return device_id_; }
  [[nodiscard]] const std::string& token() const noexcept { return kept_.token; }
  [[nodiscard]] std::vector<ConversationId> unlisted() const {
    return {kept_.unlisted.begin(), kept_.unlisted.end()};
  }
  [[nodiscard]] const std::map<UserId, bool>& presence() const noexcept { return presence_; }
  void take_list(const wire::ListChanged& changed);
  void passed_over(const ConversationId& id, const Cursor& head);
  void keep_children(const ListEntry& space);
  void take_presence(const wire::PresenceChanged& changed);

 private:
  struct Kept {  // what the device stores; copied for backups
    UserId user;
    std::map<ConversationId, View> views;
    std::map<ConversationId, Outbox> outboxes;
    std::string token;
    std::set<ConversationId> unlisted;  // channels of spaces that are asked for by name
    std::vector<OwnRequest> requests;
    std::vector<UserId> blocked;
  };

  void connect();
  void tick();
  void upkeep();
  void act();
  void look_around(const ConversationId& id, std::uint64_t dice);
  void act_hostile();
  void crash(bool restore);
  void drop_link();

  [[nodiscard]] bool hosted() const { return subject_ == robot; }
  void write(const ConversationId& id);
  [[nodiscard]] std::optional<ForwardOf> something_said();
  [[nodiscard]] std::string words(std::uint64_t random);
  void correct(const ConversationId& id, Item& item);
  void transmit(const ConversationId& id, Item& item, bool again);
  void sent(const ConversationId& id, std::uint64_t random, const wire::Reply* reply);
  void renumber(const ConversationId& id, Item& item, std::uint64_t next);
  void subscribe(const std::vector<ConversationId>& ids);
  void subscribed(const wire::Subscribe& asked, const wire::Subscribed& answer);
  void apply(const wire::Events& events);
  void opened(const wire::Reply* reply);
  void probe_cursor(const ConversationId& id);
  void membership(const ConversationId& id);
  void keep(const ConversationId& id);
  void order(const ConversationId& id, std::optional<UserId> user);
  void invite(const ConversationId& id);
  void request(const ConversationId& id);
  [[nodiscard]] wire::Create creation();
  void sync();
  void answer_requests(const ConversationId& where);
  void address(const ConversationId& id, Item& item);
  void thread(const ConversationId& id);
  void grow(const ConversationId& id);
  void history(const ConversationId& id);
  void change_message(const ConversationId& id);
  void poll(const ConversationId& id, Seq seq);
  void schedule(const ConversationId& id);
  void change_self(const ConversationId& id);
  [[nodiscard]] Then told(Sometimes what);
  std::optional<ConversationId> some_conversation();
  std::uint32_t room() const { return open_.size() < 60; }

  Place place_;
  Random random_;
  std::uint32_t index_;
  std::string subject_, name_;
  std::uint32_t life_ = 0;  // restorations
  bool calm_ = false, away_ = false, retired_ = false;
  bool syncing_ = false;  // for what is not listed

  Kept kept_;
  std::optional<Kept> backup_;

  LinkId link_ = 0;
  bool online_ = false;
  std::uint32_t attempts_ = 0, last_request_ = 0;
  std::string ticket_;
  DeviceId device_id_;  // as the engine calls this one
  std::map<std::uint32_t, Then> open_;
  std::map<UserId, bool> presence_;
  Time pace_{0};
  std::vector<Snowflake> scheduled_;
};

}  // namespace parley::simulation
