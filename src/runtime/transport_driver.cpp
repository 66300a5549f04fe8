// transport_driver.cpp: the loops that the transport suite runs on.
#include <utility>
#include <vector>

#include "parley/testing/transport_conformance.hpp"
#include "runtime/loop.hpp"

namespace parley::inline v0::testing {
namespace {

class LoopDriver final : public TransportDriver {
 public:
  explicit LoopDriver(std::size_t hosts) {
    for (std::size_t i = 0; i < hosts; ++i) {
      loops_.push_back(runtime::Loop::create().value());
    }
  }
  [[nodiscard]] std::size_t hosts() const noexcept override { return loops_.size(); }
  [[nodiscard]] LinkHost& host(std::size_t index) override { return *loops_[index]; }
  void on_opened(std::size_t index, Opened sink) override {
    loops_[index]->on_opened(std::move(sink));
  }
  void turn() override {
    bool more = false;
    for (const auto& loop : loops_) more = loop->poll(std::chrono::milliseconds{2}) || more;
    if (!more) loops_.front()->wait(std::chrono::milliseconds{1});
  }

 private:
  std::vector<std::unique_ptr<runtime::Loop>> loops_;
};

}  // namespace

std::unique_ptr<TransportDriver> transport_driver(std::size_t hosts) {
  return std::make_unique<LoopDriver>(hosts);
}

}  // namespace parley::inline v0::testing
