// parley/testing/transport_conformance.hpp: the suite that defines what a transport is; run it on
// yours.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "parley/transport.hpp"

namespace parley::inline v0::testing {

/// Shards for a suite to run on, all on one thread. The library's own (made by default) runs real
/// loops; write one to bring a loop of your own.
/// Thread: one.
class TransportDriver {
 public:
  using Opened = std::function<LinkEvents*(std::unique_ptr<Link>, LinkInfo)>;
  virtual ~TransportDriver() = default;
  /// At least two.
  [[nodiscard]] virtual std::size_t hosts() const noexcept = 0;
  [[nodiscard]] virtual LinkHost& host(std::size_t index) = 0;
  /// What LinkHost::opened of that host calls.
  virtual void on_opened(std::size_t index, Opened sink) = 0;
  /// Runs whatever is ready on every host; sleeps a millisecond at most when nothing is.
  virtual void turn() = 0;
};

/// The library's: `hosts` real loops. Thread: any.
std::unique_ptr<TransportDriver> transport_driver(std::size_t hosts = 2);

/// What the suite runs on. A transport's own test fills this in.
struct TransportUnderTest {
  /// A fresh transport each time, that listens and dials.
  std::function<std::unique_ptr<Transport>()> make = {};
  std::string url{};      // to listen on; with port 0 where there are ports
  std::string nowhere{};  // to dial where nobody listens
  std::string bad_url{};  // of the right scheme, and malformed
  Encoding encoding = Encoding::binary;
  /// The largest message that make()'s transports take; zero: they have no limit of their own, and
  /// Link::limit_messages is tried alone.
  std::size_t max_message = 0;
  /// Its links answer Link::tell_drained.
  bool tells_drained = false;
  /// Connects to a bound address, sends half of a message and vanishes, at once or in later turns.
  /// Empty: the transport has nothing like it.
  std::function<void(std::string_view bound)> vanish = {};
  /// Empty: transport_driver().
  std::function<std::unique_ptr<TransportDriver>()> driver = {};
  /// Multiplies the counts of the long cases, 0 < scale <= 1.
  double scale = 1.0;
};

/// Called once per case that held, and once per failed expectation of one that did not. It may
/// throw to end the run.
using TransportCheck = std::function<void(bool ok, std::string_view what)>;

class TransportProbe;

struct TransportCase {
  std::string_view name{};   // unique, [a-z_]
  std::string_view about{};  // one sentence: what must hold
  void (*run)(TransportProbe&) = nullptr;
};

/// Every case. Thread: any.
[[nodiscard]] std::span<const TransportCase> transport_cases() noexcept;
/// Runs one. What does not come within 20 s fails it. Thread: any, one case at a time.
void run_transport_case(const TransportCase& wanted, const TransportUnderTest& transport,
                        const TransportCheck& check);
/// All of them. Thread: any.
void run_transport_conformance(const TransportUnderTest& transport, const TransportCheck& check);

}  // namespace parley::inline v0::testing
