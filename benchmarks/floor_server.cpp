#include "floor_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#if defined(PARLEY_BENCH_IO_URING)
#include <liburing.h>
#endif

namespace parley::bench {
namespace {

constexpr std::size_t rooms_most = 10'000;

std::string framed(std::string_view payload) {
  std::string out(1, static_cast<char>(0x82));
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else {
    out += static_cast<char>(126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size());
  }
  return out.append(payload);
}

void write_all(int socket, std::string_view bytes) {
  if (send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) std::perror("floor: send");
}

/// Sends that are given to the kernel together, 256 at most.
class Ring {
 public:
#if defined(PARLEY_BENCH_IO_URING)
  bool open() { return io_uring_queue_init(most, &ring_, 0) == 0; }
  void add(int socket, std::string_view bytes) {
    io_uring_prep_send(io_uring_get_sqe(&ring_), socket, bytes.data(), bytes.size(),
                       MSG_NOSIGNAL | MSG_DONTWAIT);
    if (++waiting_ == most) flush();
  }
  void flush() {
    if (waiting_ == 0) return;
    io_uring_submit_and_wait(&ring_, waiting_);
    io_uring_cq_advance(&ring_, waiting_);
    waiting_ = 0;
  }

 private:
  static constexpr unsigned most = 256;
  io_uring ring_{};
  unsigned waiting_ = 0;
#else
  static bool open() { return false; }
  static void add(int, std::string_view) {}
  static void flush() {}
#endif
};

class Floor {
 public:
  explicit Floor(FloorSends sends)
      : join_(sends == FloorSends::joined),
        uring_(sends == FloorSends::by_io_uring),
        rooms_(rooms_most),
        buffer_(64 * 1024) {
    if (uring_ && !ring_.open()) throw std::runtime_error("floor: no io_uring here");
    listen();
  }

  void serve() {
    for (;;) {
      epoll_event events[512];
      const int count = epoll_wait(epoll_, events, 512, -1);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.fd == listener_) {
          accept();
        } else {
          receive(events[i].data.fd);
        }
      }
      publish();
    }
  }

 private:
  struct Peer {
    bool open = false;
    std::string in, out;
  };
  struct Published {
    std::size_t room;
    std::string frame;
  };

  void listen() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 4096) != 0)
      throw std::runtime_error("floor: no listener");
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    epoll_ = epoll_create1(0);
    watch(listener_);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }
  void watch(int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }
  void accept() {
    const int socket = ::accept(listener_, nullptr, nullptr);
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(socket);
    peers_[socket];
  }
  void receive(int socket) {
    Peer& peer = peers_[socket];
    const ssize_t got = recv(socket, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) std::exit(0);  // the load is over
    peer.in.append(buffer_.data(), static_cast<std::size_t>(got));
    if (!peer.open) {
      const std::size_t end = peer.in.find("\r\n\r\n");
      if (end == std::string::npos) return;
      peer.in.erase(0, end + 4);
      peer.open = true;
      write_all(socket,
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    }
    std::size_t taken = 0;
    while (const std::size_t size = take_frame(socket, std::string_view(peer.in).substr(taken)))
      taken += size;
    peer.in.erase(0, taken);
  }
  /// Bytes of the masked frame in front, done with; 0: not whole yet. The load masks with zeroes.
  std::size_t take_frame(int socket, std::string_view in) {
    if (in.size() < 6) return 0;
    std::size_t length = static_cast<unsigned char>(in[1]) & 127;
    std::size_t head = 6;
    if (length == 126) {
      if (in.size() < 8) return 0;
      length = static_cast<std::size_t>(static_cast<unsigned char>(in[2])) << 8 |
               static_cast<unsigned char>(in[3]);
      head = 8;
    }
    if (in.size() < head + length) return 0;
    const std::string_view payload = in.substr(head, length);
    const auto room =
        static_cast<std::size_t>(std::atoi(std::string(payload.substr(1, 4)).c_str()));
    if (payload[0] == 'S') {
      rooms_[room].push_back(socket);
      write_all(socket, framed("A"));
    } else {
      published_.push_back({room, framed(payload)});
    }
    return head + length;
  }
  void publish() {
    if (published_.empty()) return;
    if (!join_) {
      for (const Published& each : published_) {
        for (const int socket : rooms_[each.room]) deliver(socket, each.frame);
      }
      ring_.flush();
    } else if (one_room()) {
      std::string joined;
      for (const Published& each : published_) joined += each.frame;
      for (const int socket : rooms_[published_[0].room]) write_all(socket, joined);
    } else {
      join_by_subscriber();
    }
    published_.clear();
  }
  void deliver(int socket, std::string_view bytes) {
    uring_ ? ring_.add(socket, bytes) : write_all(socket, bytes);
  }
  [[nodiscard]] bool one_room() const {
    for (const Published& each : published_) {
      if (each.room != published_[0].room) return false;
    }
    return true;
  }
  void join_by_subscriber() {
    std::vector<int> due;
    for (const Published& each : published_) {
      for (const int socket : rooms_[each.room]) {
        std::string& out = peers_[socket].out;
        if (out.empty()) due.push_back(socket);
        out += each.frame;
      }
    }
    for (const int socket : due) {
      std::string& out = peers_[socket].out;
      write_all(socket, out);
      out.clear();
    }
  }

  bool join_;
  bool uring_;
  Ring ring_;
  int listener_ = -1, epoll_ = -1;
  std::unordered_map<int, Peer> peers_;
  std::vector<std::vector<int>> rooms_;
  std::vector<Published> published_;
  std::vector<char> buffer_;
};

}  // namespace

void serve_floor(FloorSends sends) { Floor(sends).serve(); }

}  // namespace parley::bench
