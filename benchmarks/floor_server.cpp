#include "floor_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace parley::bench {
namespace {

struct Peer {
  bool open = false;
  std::string in;
};

/// Takes whole masked frames off `in` and appends them, unmasked and framed anew, to `out`.
std::size_t take_frames(std::string& in, std::vector<std::string>& out) {
  std::size_t taken = 0;
  while (in.size() >= 6) {
    std::size_t length = static_cast<unsigned char>(in[1]) & 127;
    std::size_t head = 6;
    if (length == 126) {
      if (in.size() < 8) break;
      length = static_cast<std::size_t>(static_cast<unsigned char>(in[2])) << 8 |
               static_cast<unsigned char>(in[3]);
      head = 8;
    }
    if (in.size() < head + length) break;
    std::string frame(1, static_cast<char>(0x82));
    if (length < 126) {
      frame += static_cast<char>(length);
    } else {
      frame += static_cast<char>(126);
      frame += static_cast<char>(length >> 8);
      frame += static_cast<char>(length);
    }
    frame.append(in, head, length);
    out.push_back(std::move(frame));
    in.erase(0, head + length);
    ++taken;
  }
  return taken;
}

}  // namespace

void serve_floor(bool join, const std::function<void(int port)>& ready) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0) return;
  listen(listener, 4096);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int epoll = epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  ready(ntohs(address.sin_port));
  std::unordered_map<int, Peer> peers;
  std::vector<std::string> frames;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    epoll_event events[512];
    const int count = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < count; ++i) {
      const int socket = events[i].data.fd;
      if (socket == listener) {
        const int accepted = accept(listener, nullptr, nullptr);
        const int on = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.fd = accepted;
        epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &event);
        peers[accepted];
        continue;
      }
      Peer& peer = peers[socket];
      const ssize_t got = recv(socket, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        close(socket);
        peers.erase(socket);
        continue;
      }
      peer.in.append(buffer.data(), static_cast<std::size_t>(got));
      if (!peer.open) {
        const std::size_t end = peer.in.find("\r\n\r\n");
        if (end == std::string::npos) continue;
        peer.in.erase(0, end + 4);
        peer.open = true;
        const std::string answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      take_frames(peer.in, frames);
    }
    if (frames.empty()) continue;
    std::string joined;
    if (join) {
      for (const std::string& frame : frames) joined += frame;
    }
    for (const auto& [socket, peer] : peers) {
      if (!peer.open) continue;
      if (join) {
        send(socket, joined.data(), joined.size(), MSG_NOSIGNAL);
      } else {
        for (const std::string& frame : frames)
          send(socket, frame.data(), frame.size(), MSG_NOSIGNAL);
      }
    }
    frames.clear();
  }
}

}  // namespace parley::bench
