// parley_pubsub.cpp: the load's clients of a Parley server: rooms are channels, made by whoever
// enters first, and everybody in one is a member of it.
#include <unordered_map>

#include "pubsub.hpp"
#include "websocket_load.hpp"

namespace parley::bench {
namespace {

class ParleyPubSub final : public PubSub {
 public:
  ParleyPubSub(int port, std::size_t body_size)
      : load_(port), body_(Payload::copy_of(std::string(body_size, 'x'))) {
    load_.on_events = [this](int client, std::uint64_t, std::uint32_t count) {
      on_delivery(client, count);
    };
  }
  int connect() override { return load_.sign_in("user" + std::to_string(load_.size())); }
  void subscribe(int client, int room) override {
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) {
      wire::Create create;
      create.kind = ConversationKind::channel;
      create.title = "room";
      rooms_[room] = std::get<wire::Opened>(load_.ask(client, create)).entry.conversation;
    } else {
      load_.ask(client, wire::Join{found->second});
    }
    wire::Subscribe subscribe;
    subscribe.items.push_back({rooms_[room], Level::full, std::nullopt});
    load_.ask(client, subscribe);
  }
  void publish(int client, int room) override {
    wire::Send send;
    send.conversation = rooms_[room];
    send.body = body_;
    load_.post(client, next_request_++, std::move(send));
  }
  void poll(int timeout_ms) override { load_.poll(timeout_ms); }

 private:
  ParleyLoad load_;
  Payload body_;
  std::unordered_map<int, ConversationId> rooms_;
  std::uint32_t next_request_ = 1;
};

}  // namespace

std::unique_ptr<PubSub> parley_pubsub(int port, std::size_t body_size) {
  return std::make_unique<ParleyPubSub>(port, body_size);
}

}  // namespace parley::bench
