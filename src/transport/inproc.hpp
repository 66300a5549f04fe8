// transport/inproc.hpp: links inside one process; a message crosses as a reference, without a copy.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "parley/transport.hpp"
#include "transport/life.hpp"

namespace parley::transport {

/// The names that are listened on, `inproc:name`. Transports that share a hub reach each other,
/// also those of different engines; there is no hub for the whole process. Thread: any.
class InprocHub {
 public:
  struct Listener {
    std::vector<LinkHost*> hosts;
    std::size_t next = 0;
    LifeRef life;  // of the transport that listens
  };
  /// The next host of a name and what keeps it alive; null when nobody listens.
  struct Found {
    LinkHost* host = nullptr;
    LifeRef life;
  };

  bool add(const std::string& name, Listener listener);  // false: taken
  Found find(const std::string& name);
  void remove(const LifeRef& life);  // all names of a transport

 private:
  std::mutex mutex_;
  std::map<std::string, Listener, std::less<>> names_;
};

/// Ownership: shares the hub. Without one it reaches only itself. Thread: setup only.
std::unique_ptr<Transport> inproc_transport(std::shared_ptr<InprocHub> hub = nullptr);

}  // namespace parley::transport
