#include "websocket_load.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace parley::bench {

WebsocketLoad::WebsocketLoad(int port, std::string path, std::string subprotocol)
    : port_(port),
      path_(std::move(path)),
      subprotocol_(std::move(subprotocol)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(256 * 1024) {}

WebsocketLoad::~WebsocketLoad() {
  for (const Client& client : clients_) close(client.socket);
  close(epoll_);
}

int WebsocketLoad::connect() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::string request =
      "GET " + path_ + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) +
      "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  if (!subprotocol_.empty()) request += "Sec-WebSocket-Protocol: " + subprotocol_ + "\r\n";
  request += "\r\n";
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    throw std::runtime_error("upgrade was not sent");
  }
  std::string head;
  char c = 0;
  while (head.size() < 8192 && head.find("\r\n\r\n") == std::string::npos) {
    if (recv(socket, &c, 1, 0) != 1) throw std::runtime_error("upgrade refused: " + head);
    head += c;
  }
  if (head.find(" 101 ") == std::string::npos) throw std::runtime_error("no upgrade: " + head);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
  const int number = size();
  clients_.push_back({socket, {}});
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = static_cast<std::uint32_t>(number);
  epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  return number;
}

void WebsocketLoad::send(int client, std::string_view payload, bool text) {
  std::string frame(1, static_cast<char>(text ? 0x81 : 0x82));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65'536) {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size());
  } else {
    frame += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8)
      frame += static_cast<char>(payload.size() >> shift);
  }
  frame.append(4, '\0');  // a mask of zeroes changes nothing
  frame += payload;
  const char* at = frame.data();
  std::size_t left = frame.size();
  while (left > 0) {
    const ssize_t sent = ::send(clients_[client].socket, at, left, MSG_NOSIGNAL);
    if (sent > 0) {
      at += sent;
      left -= static_cast<std::size_t>(sent);
    } else if (errno != EAGAIN) {
      throw std::runtime_error(std::string("send: ") + std::strerror(errno));
    }
  }
}

void WebsocketLoad::poll(int timeout_ms) {
  epoll_event events[512];
  const int count = epoll_wait(epoll_, events, 512, timeout_ms);
  for (int i = 0; i < count; ++i) receive(static_cast<int>(events[i].data.u32));
}

void WebsocketLoad::receive(int number) {
  Client& client = clients_[number];
  const ssize_t got = recv(client.socket, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) throw std::runtime_error("a connection was closed by the server");
  std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  if (!client.partial.empty()) {
    client.partial += bytes;
    bytes = client.partial;
  }
  while (bytes.size() >= 2) {
    const auto at = [&](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]));
    };
    std::size_t head = 2;
    std::uint64_t length = at(1) & 127;
    if (length == 126) {
      if (bytes.size() < 4) break;
      length = at(2) << 8 | at(3);
      head = 4;
    } else if (length == 127) {
      if (bytes.size() < 10) break;
      length = 0;
      for (std::size_t i = 2; i < 10; ++i) length = length << 8 | at(i);
      head = 10;
    }
    if (bytes.size() < head + length) break;
    const int opcode = bytes[0] & 15;
    if (opcode == 1 || opcode == 2) handler_(number, bytes.substr(head, length));
    bytes.remove_prefix(head + length);
  }
  std::string rest(bytes);
  client.partial = std::move(rest);
  if (client.partial.empty()) client.partial.shrink_to_fit();
}

// ---- Parley's binary protocol ----

ParleyLoad::ParleyLoad(int port) : load_(port, "/chat", "parley.v1") {
  load_.on_message([this](int client, std::string_view bytes) { message(bytes, client); });
}

void ParleyLoad::message(std::string_view bytes, int client) {
  // Frames as docs/design/wire_format.md §3 lays them out; events are counted without decoding.
  bool others = false;
  for (std::string_view rest = bytes; rest.size() >= 16;) {
    std::uint32_t length = 0;
    std::memcpy(&length, rest.data(), 4);
    if (length < 16 || length > rest.size()) throw std::runtime_error("a bad frame");
    if (rest[4] == 72) {
      std::uint64_t first = 0;
      std::uint32_t count = 0;
      std::memcpy(&first, rest.data() + 48, 8);
      std::memcpy(&count, rest.data() + 56, 4);
      events += count;
      if (on_events) on_events(client, first, count);
    } else {
      std::uint32_t request = 0;
      std::memcpy(&request, rest.data() + 8, 4);
      if (request != 0 && request == asked_)
        others = true;
      else if (request != 0 && on_answer)
        on_answer(request);
    }
    rest.remove_prefix(length);
  }
  if (!others) return;
  std::vector<wire::Reply> replies;
  if (auto decoded = codec_->decode(bytes, replies); !decoded) {
    throw std::runtime_error("not decoded: " + decoded.error().message);
  }
  for (auto& reply : replies) {
    if (reply.request == asked_) answer_.push_back(std::move(reply.answer));
  }
}

void ParleyLoad::post(int client, std::uint32_t number, wire::Operation operation) {
  load_.send(client, codec_->encode(wire::Request{number, std::move(operation)}).bytes());
}

wire::Answer ParleyLoad::ask(int client, wire::Operation operation) {
  answer_.clear();
  asked_ = next_request_++;
  post(client, asked_, std::move(operation));
  while (answer_.empty()) load_.poll(1'000);
  asked_ = 0;
  if (const auto* failed = std::get_if<wire::Failed>(&answer_[0])) {
    throw std::runtime_error("refused: " + failed->error.message);
  }
  return std::move(answer_[0]);
}

int ParleyLoad::sign_in(const std::string& name) {
  const int client = load_.connect();
  wire::Hello hello;
  hello.token = name;
  hello.device = "bench";
  ask(client, std::move(hello));
  return client;
}

}  // namespace parley::bench
