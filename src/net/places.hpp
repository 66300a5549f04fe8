// net/places.hpp: how many accepted connections there may be, in all and of one network.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace parley::net {

class Places;

/// Of one network, or of everybody when no network is counted for itself.
struct Occupied {
  Places* places = nullptr;
  std::uint64_t network = 0;
  std::size_t connections = 0;
};

/// A place among a transport's connections; gives it back when destroyed. Thread: any.
class Seat {
 public:
  Seat() = default;
  Seat(Seat&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  Seat& operator=(Seat&&) = delete;
  ~Seat();
  explicit operator bool() const noexcept { return of_ != nullptr; }

 private:
  friend class Places;
  explicit Seat(Occupied& of) noexcept : of_(&of) {}
  Occupied* of_ = nullptr;
};

/// Outlives its seats. Thread: any.
class Places {
 public:
  /// `most_of_one` bounds the connections of one network; 0: they are not counted.
  Places(std::size_t most, std::size_t most_of_one) noexcept
      : most_(most), most_of_one_(most_of_one), everybody_{this, 0, 0} {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;
  /// For an accepted socket. No seat when all are taken, or all of the network that its peer is in.
  Seat take(int socket);

 private:
  friend class Seat;
  void give_back(Occupied& of) noexcept;

  const std::size_t most_, most_of_one_;
  std::atomic<std::size_t> taken_{0};
  Occupied everybody_;
  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::uint64_t, Occupied> networks_;
};

}  // namespace parley::net
