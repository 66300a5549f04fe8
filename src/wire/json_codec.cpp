// json_codec.cpp: messages as one JSON object a line; see docs/design/wire_format.md, section 2.
#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include "wire/codec.hpp"
#include "wire/frame_types.hpp"
#include "wire/json_fields.hpp"
#include "wire/messages.hpp"

namespace parley::wire {
namespace {

constexpr int first_host_code = 1000;
constexpr int last_library_code = 99;
constexpr std::int64_t longest_wait_ms = UINT32_MAX;  // as in the binary encoding
constexpr std::size_t longest_name = 64;              // of an unknown type, repeated in an answer

void write_error(JsonWriter& writer, const Error& error) {
  const int value = error.code.value();
  if (value >= first_host_code) {
    writer.must("code", static_cast<std::uint32_t>(value));
  } else {
    writer.must("code", to_string(error.errc()));
  }
  writer.must("message", error.message);
  writer.must("retryable", error.retryable());
  const auto wait = std::clamp<std::int64_t>(error.retry_after.count(), 0, longest_wait_ms);
  writer.may("retry_after_ms", static_cast<std::uint64_t>(wait), 0U);
  const std::uint64_t& next = error.next;
  writer.may("next", Text64{next}, 0U);
}

int library_code(std::string_view name) noexcept {
  for (int code = 1; code <= last_library_code; ++code) {
    if (to_string(static_cast<Errc>(code)) == name) return code;
  }
  return static_cast<int>(Errc::internal);  // newer than this build
}

}  // namespace

// A code is a name, or a host's number.
template <class A>
void fields(A& a, In<A, Failed> v) {
  static_assert(A::reads);
  std::string name;
  std::uint32_t number = 0;
  if (a.is_number("code")) {
    a.must("code", number);
    a.require(number >= first_host_code && number <= INT32_MAX, "code", "a name or 1000 and above");
  } else {
    a.must("code", name);
    number = static_cast<std::uint32_t>(library_code(name));
  }
  v.error.code = std::error_code(static_cast<int>(number), error_category());
  std::uint64_t wait = 0;
  a.must("message", v.error.message);
  a.may("retry_after_ms", wait, 0U);
  a.may("next", Text64{v.error.next}, 0U);
  v.error.retry_after = std::chrono::milliseconds(std::min<std::uint64_t>(wait, longest_wait_ms));
}

namespace {

template <std::size_t n>
std::size_t index_of(const FrameTypeName (&types)[n], std::string_view name) noexcept {
  std::size_t index = 0;
  while (index < n && types[index].name != name) ++index;
  return index;
}

template <std::size_t... i, class Variant>
bool emplace(Variant& variant, std::size_t index, std::index_sequence<i...>) {
  return ((index == i && (variant.template emplace<i>(), true)) || ...);
}

template <class T>
void check(JsonReader&, const T&) {}
void check_records(JsonReader& reader, Seq first, const std::vector<Payload>& records) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    reader.require(read_record(records[i].bytes()).seq == first + i, "events",
                   "consecutive seqs that begin with first");
  }
}
void check(JsonReader& reader, const Events& events) {
  reader.require(!events.records.empty(), "events", "at least one event");
  check_records(reader, events.first, events.records);
}
void check(JsonReader& reader, const HistoryPage& page) {
  check_records(reader, page.first, page.records);
}

class JsonCodec final : public Codec {
 public:
  [[nodiscard]] Encoding encoding() const noexcept override { return Encoding::json; }

  Payload encode(const Reply& reply) override {
    const std::size_t index = reply.answer.index();
    if (index >= std::size(answer_types)) return {};  // not on the wire
    return write(answer_types[index].name, reply.request, reply.answer);
  }
  Payload encode(const Request& request) override {
    const std::size_t index = request.operation.index();
    if (index >= std::size(request_types)) return {};  // not on the wire
    return write(request_types[index].name, request.number, request.operation);
  }

  Result<void> decode(Bytes message, std::vector<Request>& out) override {
    return lines(message, out, [this](std::vector<Request>& into) { return read_request(into); });
  }
  Result<void> decode(Bytes message, std::vector<Reply>& out) override {
    return lines(message, out, [this](std::vector<Reply>& into) { return read_reply(into); });
  }

 private:
  template <class Variant>
  Payload write(std::string_view type, std::uint32_t request, const Variant& variant) {
    text_.clear();
    JsonWriter writer(text_);
    writer.begin();
    writer.type(type, request);
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, Failed>) {
            write_error(writer, value.error);
          } else if constexpr (on_the_wire<T>) {
            fields(writer, value);
          }
        },
        variant);
    writer.end();
    text_.push_back('\n');
    return Payload::copy_of(text_);
  }

  template <class T, class F>
  Result<void> lines(Bytes message, std::vector<T>& out, const F& read) {
    const std::size_t before = out.size();
    bool any = false;
    while (!message.empty()) {
      const std::size_t length = std::min(message.find('\n'), message.size());
      const std::string_view line = message.substr(0, length);
      message.remove_prefix(std::min(length + 1, message.size()));
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      any = true;
      auto result = document_.parse(line);
      if (result) result = read(out);
      if (result) result = check_count<T>(out.size() - before);
      if (!result) {
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
        return result;
      }
    }
    if (!any) return Error{Errc::protocol_error, "message: expected at least one JSON object"};
    return {};
  }

  // The two fields every frame has.
  Result<void> head(std::string& type, std::uint32_t& request) {
    JsonReader reader(document_, 0);
    reader.require(document_.at(0).type == JsonNode::Type::object, "frame", "a JSON object");
    reader.must("type", type);
    reader.may("request", request, 0U);
    if (!reader.ok()) return reader.error();
    return {};
  }
  template <class Variant>
  Result<void> body(std::string_view type, Variant& variant) {
    JsonReader reader(document_, 0);
    reader.within(type);
    std::visit(
        [&](auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (on_the_wire<T>) {
            fields(reader, value);
            if (reader.ok()) check(reader, value);
          }
        },
        variant);
    if (!reader.ok()) return reader.error();
    return {};
  }

  Result<void> read_request(std::vector<Request>& out) {
    std::string type;
    Request request;
    if (auto result = head(type, request.number); !result) return result;
    if (request.number == 0) {
      return Error{Errc::protocol_error, "request: expected 1 to 4294967295"};
    }
    const std::size_t index = index_of(request_types, type);
    if (index == std::size(request_types)) {
      request.operation = Unknown{type.substr(0, longest_name)};
    } else {
      emplace(request.operation, index, std::make_index_sequence<std::size(request_types)>());
      if (auto result = body(type, request.operation); !result) return result;
    }
    out.push_back(std::move(request));
    return {};
  }

  Result<void> read_reply(std::vector<Reply>& out) {
    std::string type;
    Reply reply;
    if (auto result = head(type, reply.request); !result) return result;
    const std::size_t index = index_of(answer_types, type);
    if (index == std::size(answer_types)) {
      if (reply.request == 0) return {};  // a push of a later version
      reply.answer = Failed{
          Error{Errc::unsupported, "unknown type of answer: " + type.substr(0, longest_name)}};
    } else {
      emplace(reply.answer, index, std::make_index_sequence<std::size(answer_types)>());
      if (auto result = body(type, reply.answer); !result) return result;
    }
    out.push_back(std::move(reply));
    return {};
  }

  JsonDocument document_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Codec> json_codec() { return std::make_unique<JsonCodec>(); }

}  // namespace parley::wire
