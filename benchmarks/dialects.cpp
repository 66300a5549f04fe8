// dialects.cpp: the protocols of the peers, no more of each than the load needs.
#include <charconv>
#include <stdexcept>

#include "pubsub.hpp"

namespace parley::bench {
namespace {

using std::to_string;

std::string room_name(int room) { return "r" + to_string(room); }

Taken whole(std::string_view bytes, Kind kind) { return {bytes.size(), kind}; }

/// The floors and ws: "S" and four digits enter a room, "P", four digits and a body go to it.
Dialect plain(const std::string& body) {
  const auto digits = [](int room) { return to_string(10'000 + room).substr(1); };
  Dialect out;
  out.websocket_path = "/";
  out.subscribe = [=](int room) { return "S" + digits(room); };
  out.publish = [=](int room) { return "P" + digits(room) + body; };
  out.take = [](std::string_view bytes) {
    return whole(bytes, bytes[0] == 'P' ? Kind::delivery : Kind::answer);
  };
  return out;
}

/// Engine.IO 4 over WebSocket; events "s" (subscribe) and "m" (message) of our own.
Dialect socketio(const std::string& body) {
  Dialect out;
  out.websocket_path = "/socket.io/?EIO=4&transport=websocket";
  out.text = out.greets = true;
  out.hello = [](int) { return std::string("40"); };
  out.subscribe = [](int room) { return "42[\"s\",\"" + room_name(room) + "\"]"; };
  out.publish = [body](int room) {
    return "42[\"m\",\"" + room_name(room) + "\",\"" + body + "\"]";
  };
  out.pong = "3";
  out.take = [](std::string_view bytes) {
    if (bytes.starts_with("42[\"m\"")) return whole(bytes, Kind::delivery);
    if (bytes.starts_with("42[\"s\"") || bytes.starts_with("40{"))
      return whole(bytes, Kind::answer);
    return whole(bytes, bytes[0] == '2' ? Kind::ping : Kind::other);
  };
  return out;
}

/// Centrifuge's JSON protocol: one object a line, several a message.
Dialect centrifuge(const std::string& body) {
  Dialect out;
  out.websocket_path = "/connection/websocket";
  out.text = out.greets = true;
  out.hello = [](int) { return std::string(R"({"id":1,"connect":{}})"); };
  out.subscribe = [](int room) {
    return R"({"id":2,"subscribe":{"channel":")" + room_name(room) + "\"}}";
  };
  out.publish = [body](int room) {
    return R"({"id":3,"publish":{"channel":")" + room_name(room) + R"(","data":")" + body + "\"}}";
  };
  out.pong = "{}";
  out.take = [](std::string_view bytes) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    const std::size_t size = std::min(bytes.size(), line.size() + 1);
    if (line.starts_with(R"({"push")")) return Taken{size, Kind::delivery};
    if (line.starts_with(R"({"id":1)") || line.starts_with(R"({"id":2)")) {
      if (line.find("\"error\"") != line.npos) throw std::runtime_error(std::string(line));
      return Taken{size, Kind::answer};
    }
    return Taken{size, line == "{}" ? Kind::ping : Kind::other};
  };
  return out;
}

Taken take_nats(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n");
  if (end == bytes.npos) return {};
  const std::string_view line = bytes.substr(0, end);
  if (line.starts_with("MSG ")) {
    std::size_t length = 0;
    std::from_chars(line.data() + line.rfind(' ') + 1, line.data() + line.size(), length);
    const std::size_t size = end + 2 + length + 2;
    return bytes.size() < size ? Taken{} : Taken{size, Kind::delivery};
  }
  if (line.starts_with("-ERR")) throw std::runtime_error(std::string(line));
  if (line == "PONG") return {end + 2, Kind::answer};
  return {end + 2, line == "PING" ? Kind::ping : Kind::other};
}

Dialect nats(const std::string& body) {
  Dialect out;
  out.greets = true;
  out.hello = [](int) {
    return std::string(
        R"(CONNECT {"verbose":false,"pedantic":false,"lang":"c","version":"1","protocol":1})"
        "\r\nPING\r\n");
  };
  out.subscribe = [](int room) {
    return "SUB " + room_name(room) + " " + to_string(room + 1) + "\r\nPING\r\n";
  };
  out.publish = [body](int room) {
    return "PUB " + room_name(room) + " " + to_string(body.size()) + "\r\n" + body + "\r\n";
  };
  out.pong = "PONG\r\n";
  out.take = take_nats;
  return out;
}

/// Bytes of the RESP3 value in front; 0: not whole yet.
std::size_t resp_size(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n");
  if (end == bytes.npos) return 0;
  const char type = bytes[0];
  if (type == '-') throw std::runtime_error(std::string(bytes.substr(0, end)));
  std::size_t size = end + 2;
  if (type != '$' && type != '*' && type != '%' && type != '>') return size;
  std::size_t count = 0;
  std::from_chars(bytes.data() + 1, bytes.data() + end, count);
  if (type == '$') return bytes.size() < size + count + 2 ? 0 : size + count + 2;
  for (std::size_t left = type == '%' ? 2 * count : count; left > 0; --left) {
    const std::size_t part = resp_size(bytes.substr(size));
    if (part == 0) return 0;
    size += part;
  }
  return size;
}

Dialect redis(const std::string& body) {
  Dialect out;
  out.greets = true;
  out.hello = [](int) { return std::string("HELLO 3\r\n"); };
  out.subscribe = [](int room) { return "SUBSCRIBE " + room_name(room) + "\r\n"; };
  out.publish = [body](int room) { return "PUBLISH " + room_name(room) + " " + body + "\r\n"; };
  out.take = [](std::string_view bytes) {
    const std::size_t size = resp_size(bytes);
    if (size == 0) return Taken{};
    if (bytes.starts_with(">3\r\n$7\r\nmessage")) return Taken{size, Kind::delivery};
    return Taken{size, bytes[0] == ':' ? Kind::other : Kind::answer};  // a number: of PUBLISH
  };
  return out;
}

std::string mqtt_packet(char type, const std::string& content) {
  std::string out(1, type);
  for (std::size_t left = content.size();;) {
    const auto low = static_cast<char>(left & 127);
    left >>= 7;
    out += static_cast<char>(left > 0 ? low | 0x80 : low);
    if (left == 0) return out + content;
  }
}

std::string mqtt_text(const std::string& text) {
  return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size())} + text;
}

Dialect mqtt(const std::string& body) {
  Dialect out;
  out.greets = true;
  out.hello = [](int client) {
    const std::string fixed{'\4', '\2', '\0', '\0'};  // 3.1.1, clean session, no keep-alive
    return mqtt_packet(0x10, mqtt_text("MQTT") + fixed + mqtt_text("c" + to_string(client)));
  };
  out.subscribe = [](int room) {
    return mqtt_packet(static_cast<char>(0x82),
                       std::string{'\0', '\1'} + mqtt_text(room_name(room)) + std::string(1, '\0'));
  };
  out.publish = [body](int room) { return mqtt_packet(0x30, mqtt_text(room_name(room)) + body); };
  out.take = [](std::string_view bytes) {
    std::size_t length = 0, at = 1;
    for (int shift = 0;; shift += 7) {
      if (at >= bytes.size()) return Taken{};
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      length |= static_cast<std::size_t>(byte & 127) << shift;
      if (byte < 128) break;
    }
    if (bytes.size() < at + length) return Taken{};
    const int type = static_cast<unsigned char>(bytes[0]) >> 4;
    return Taken{at + length, type == 3 ? Kind::delivery : Kind::answer};
  };
  return out;
}

}  // namespace

Dialect dialect(const std::string& protocol, const std::string& body) {
  if (protocol == "plain") return plain(body);
  if (protocol == "socketio") return socketio(body);
  if (protocol == "centrifuge") return centrifuge(body);
  if (protocol == "nats") return nats(body);
  if (protocol == "redis") return redis(body);
  if (protocol == "mqtt") return mqtt(body);
  throw std::runtime_error("no protocol " + protocol);
}

}  // namespace parley::bench
