// places.cpp: counting connections where they are accepted and where they end.
#include "net/places.hpp"

#include "base/os_socket.hpp"

namespace parley::net {

Seat::~Seat() {
  if (of_ != nullptr) of_->places->give_back(*of_);
}

Seat Places::take(int socket) {
  if (taken_.fetch_add(1, std::memory_order_relaxed) >= most_) {
    taken_.fetch_sub(1, std::memory_order_relaxed);
    return {};
  }
  if (most_of_one_ == 0) return Seat(everybody_);
  const std::uint64_t network = base::network_of(base::peer_address(socket));
  const std::lock_guard lock(mutex_);
  Occupied& of = networks_.try_emplace(network, Occupied{this, network, 0}).first->second;
  if (of.connections < most_of_one_) {
    ++of.connections;
    return Seat(of);
  }
  taken_.fetch_sub(1, std::memory_order_relaxed);
  return {};
}

void Places::give_back(Occupied& of) noexcept {
  taken_.fetch_sub(1, std::memory_order_relaxed);
  if (&of == &everybody_) return;
  const std::lock_guard lock(mutex_);
  if (--of.connections == 0) networks_.erase(of.network);
}

}  // namespace parley::net
