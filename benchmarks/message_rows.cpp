// message_rows.cpp: asks the engine itself what it writes for a message, so that peers write the
// same.
#include <memory>
#include <mutex>
#include <stdexcept>

#include "parley/memory_store.hpp"
#include "parley/parley.hpp"
#include "row_store.hpp"

namespace parley::bench {
namespace {

/// Keeps the rows of the last commit that held an event of a conversation.
class Watched final : public Store {
 public:
  Watched(std::unique_ptr<Store> store, MessageRows& last)
      : store_(std::move(store)), last_(last) {}
  [[nodiscard]] const StoreFacts& facts() const noexcept override { return store_->facts(); }
  void commit(Batch batch, Done<Committed> done) override {
    if (batch.partition.space == 1 && batch.guard) look(batch);
    store_->commit(std::move(batch), std::move(done));
  }
  void get(Get get, Done<Result<Cells>> done) override {
    store_->get(std::move(get), std::move(done));
  }
  void scan(Scan scan, Done<Result<Rows>> done) override {
    store_->scan(std::move(scan), std::move(done));
  }
  void list(std::uint8_t space, Bytes after, std::uint32_t max,
            Done<Result<Listed>> done) override {
    store_->list(space, after, max, std::move(done));
  }
  void changes(Bytes after, std::uint32_t max, Done<Result<Changes>> done) override {
    store_->changes(after, max, std::move(done));
  }
  void forget_changes(Bytes through, Done<Result<void>> done) override {
    store_->forget_changes(through, std::move(done));
  }
  void close(Done<Result<void>> done) override { store_->close(std::move(done)); }

 private:
  void look(const Batch& batch) {
    MessageRows rows;
    rows.fixed.push_back({"", std::string(*batch.guard)});
    for (const Row& row : batch.puts) {
      if (!row.key.empty() && row.key[0] == 'e') {
        rows.event = row.value;
      } else {
        rows.fixed.push_back({std::string(row.key), std::string(row.value)});
      }
    }
    if (!rows.event.empty()) last_ = std::move(rows);
  }
  std::unique_ptr<Store> store_;
  MessageRows& last_;
};

}  // namespace

MessageRows rows_of_a_message(std::size_t body_size) {
  MessageRows rows;
  EngineOptions options;
  options.threads = host_driven;
  options.store = [&rows]() -> Result<std::unique_ptr<Store>> {
    return std::unique_ptr<Store>(std::make_unique<Watched>(memory_store()().value(), rows));
  };
  Engine engine = Engine::open(std::move(options)).value();
  const Conversation room =
      engine.create({.kind = ConversationKind::channel, .title = "room"}).get().value();
  const std::string body(body_size, 'x');
  for (int i = 0; i < 3; ++i) engine.send(room, body).get().value();
  if (rows.event.empty()) throw std::runtime_error("the engine stored no event");
  return rows;
}

}  // namespace parley::bench
