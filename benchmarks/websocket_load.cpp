#include "websocket_load.hpp"

#include <cstring>
#include <stdexcept>

namespace parley::bench {

WebsocketLoad::WebsocketLoad(int port, std::string path, std::string subprotocol)
    : path_(std::move(path)), subprotocol_(std::move(subprotocol)), sockets_(port) {
  sockets_.on_bytes([this](int client, std::string_view bytes) { return received(client, bytes); });
  sockets_.on_open([this](int client) { ask_upgrade(client); });
}

void WebsocketLoad::ask_upgrade(int client) {
  std::string request =
      "GET " + path_ + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(sockets_.port()) +
      "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  if (!subprotocol_.empty()) request += "Sec-WebSocket-Protocol: " + subprotocol_ + "\r\n";
  sockets_.send(client, request + "\r\n");
}

int WebsocketLoad::connect() {
  const int client = sockets_.connect();
  upgraded_.push_back(false);
  ask_upgrade(client);
  while (!upgraded_.back()) sockets_.poll(1'000);
  return client;
}

int WebsocketLoad::connect_later() {
  const int client = sockets_.connect_later();
  upgraded_.push_back(false);
  return client;
}

void WebsocketLoad::send(int client, std::string_view payload, bool text) {
  send_frame(client, text ? 1 : 2, payload);
}

void WebsocketLoad::send_frame(int client, int opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
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
  sockets_.send(client, frame);
}

std::size_t WebsocketLoad::received(int client, std::string_view bytes) {
  const std::size_t whole = bytes.size();
  if (!upgraded_[static_cast<std::size_t>(client)]) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    if (bytes.substr(0, end).find(" 101 ") == std::string_view::npos)
      throw std::runtime_error("no upgrade: " + std::string(bytes.substr(0, end)));
    upgraded_[static_cast<std::size_t>(client)] = true;
    bytes.remove_prefix(end + 4);
    upgraded_handler_(client);
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
    if (opcode == 1 || opcode == 2) handler_(client, bytes.substr(head, length));
    if (opcode == 9) send_frame(client, 10, bytes.substr(head, length));  // ping, pong
    bytes.remove_prefix(head + length);
  }
  return whole - bytes.size();
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
      else if (request != 0 && on_reply)
        for (const wire::Reply& reply : decoded(rest.substr(0, length))) on_reply(client, reply);
      else if (request != 0 && on_answer)
        on_answer(request);
      else if (request == 0 && on_push)
        pushed(rest.substr(0, length));
    }
    rest.remove_prefix(length);
  }
  if (!others) return;
  for (wire::Reply& reply : decoded(bytes)) {
    if (reply.request == asked_) answer_.push_back(std::move(reply.answer));
  }
}

std::vector<wire::Reply> ParleyLoad::decoded(std::string_view frames) {
  std::vector<wire::Reply> replies;
  if (auto done = codec_->decode(frames, replies); !done)
    throw std::runtime_error("not decoded: " + done.error().message);
  return replies;
}

void ParleyLoad::pushed(std::string_view frame) {
  for (const wire::Reply& reply : decoded(frame)) on_push(reply.answer);
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
  welcomes_.push_back(std::get<wire::Welcome>(ask(client, std::move(hello))));
  return client;
}

}  // namespace parley::bench
