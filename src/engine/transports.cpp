// transports.cpp: the registry of transports of one engine: built-in ones, and the host's in their
// place.
#include <utility>

#include "engine/engine_impl.hpp"
#include "transport/inproc.hpp"

#if defined(PARLEY_WITH_NET)
#include "parley/net.hpp"
#endif

namespace parley::engine {
namespace {

#if defined(PARLEY_WITH_NET)
std::chrono::milliseconds dead_after(const EngineOptions& options) {
  // The usual proportion of silence to death, whatever the heartbeat.
  return options.heartbeat * limits::dead_after.count() /
         std::chrono::duration_cast<std::chrono::seconds>(limits::heartbeat).count();
}

void add_net(Transports& transports, const EngineOptions& options) {
  TcpOptions tcp;
  tcp.heartbeat = options.heartbeat;
  tcp.dead_after = dead_after(options);
  transports["tcp"] = tcp_transport(tcp);
  WebsocketOptions ws;
  ws.heartbeat = options.heartbeat;
  ws.dead_after = dead_after(options);
  ws.static_files = options.web_root;
  transports["ws"] = websocket_transport(ws);
}
#endif

}  // namespace

Result<Transports> make_transports(const EngineOptions& options) {
  Transports transports;
  transports["inproc"] = transport::inproc_transport();
#if defined(PARLEY_WITH_NET)
  add_net(transports, options);
#else
  if (!options.web_root.empty()) {
    return Error{Errc::unsupported, "web_root: this Parley was built without PARLEY_NET"};
  }
#endif
  for (const TransportChoice& choice : options.transports) {
    auto opened = choice.open();
    if (!opened) return std::move(opened).error();
    if (!*opened) {
      return Error{Errc::invalid_argument, "transports: " + choice.scheme + " opened none"};
    }
    const TransportCapabilities can = (*opened)->capabilities();
    if (!can.listens && !can.dials) {
      return Error{Errc::invalid_argument,
                   "transports: " + choice.scheme + " neither listens nor dials"};
    }
    transports[choice.scheme] = std::move(*opened);
  }
  return transports;
}

}  // namespace parley::engine
