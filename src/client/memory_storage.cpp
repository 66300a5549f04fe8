// memory_storage.cpp: the default ClientStorage.
#include <algorithm>
#include <map>
#include <utility>

#include "parley/client.hpp"

namespace parley::inline v0 {
namespace {

class MemoryStorage final : public ClientStorage {
 public:
  Result<StoredClient> load() override {
    StoredClient out;
    out.device = device_;
    for (const auto& [id, stream] : streams_) out.streams.push_back(stream);
    for (const auto& [key, item] : outbox_) out.outbox.push_back(item);
    return out;
  }

  Result<void> apply(const ClientBatch& batch) override {
    if (!batch.device.empty()) device_ = batch.device;
    for (const auto& moved : batch.moved) stream(moved.conversation).cursor = moved.cursor;
    for (const auto& entry : batch.numbered) {
      stream(entry.conversation).next_number = entry.next_number;
    }
    for (const auto& entry : batch.settled) outbox_.erase({entry.conversation, entry.number});
    for (const auto& item : batch.added) outbox_[{item.conversation, item.number}] = item;
    for (const auto& id : batch.forgotten) {
      const auto found = streams_.find(id);
      if (found != streams_.end()) found->second.cursor = {};  // numbers are never used again
    }
    return {};
  }

 private:
  StoredClient::Stream& stream(const ConversationId& id) {
    auto& stream = streams_[id];
    stream.conversation = id;
    return stream;
  }

  std::string device_;
  std::map<ConversationId, StoredClient::Stream> streams_;
  std::map<std::pair<ConversationId, std::uint64_t>, OutboxItem> outbox_;
};

}  // namespace

std::shared_ptr<ClientStorage> memory_storage() { return std::make_shared<MemoryStorage>(); }

}  // namespace parley::inline v0
