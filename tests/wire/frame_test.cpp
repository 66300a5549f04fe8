// frame_test.cpp: the binary header and hostile FlatBuffers that a codec of its own would never
// write.
#include "wire/frame.hpp"

#include <string>

#include "catch.hpp"
#include "wire/codec.hpp"

namespace {

using namespace parley;
using wire::FrameHeader;

std::string frame(wire::fb::FrameType type, std::uint32_t request, const std::string& body) {
  const std::size_t size = (FrameHeader::size + body.size() + 7) / 8 * 8;
  const FrameHeader header{.length = static_cast<std::uint32_t>(size),
                           .type = static_cast<std::uint8_t>(type),
                           .request = request};
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out += body;
  out.resize(size);
  return out;
}
std::string finished(flatbuffers::FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}
template <class Message>
std::string problem(const std::string& bytes) {
  std::vector<Message> out;
  const auto result = wire::binary_codec()->decode(bytes, out);
  REQUIRE_FALSE(result);
  CHECK(result.error().errc() == Errc::protocol_error);
  CHECK(out.empty());
  return result.error().message;
}
bool starts(const std::string& text, std::string_view with) { return text.starts_with(with); }

wire::Events some_events() {
  wire::RecordFields fields;
  fields.body = "hello";
  fields.seq = 7;
  wire::Events events{ConversationId{{1}}, Epoch{{2}}, 7, {wire::build_record(fields)}, 99};
  fields.seq = 8;
  events.records.push_back(wire::build_record(fields));
  return events;
}
std::string events_frame() {
  return std::string(wire::binary_codec()->encode(wire::Reply{0, some_events()}).bytes());
}

}  // namespace

TEST_CASE("a frame's length must be a multiple of 8 within the message") {
  const std::string good(wire::binary_codec()->encode(wire::Request{1, wire::Ping{}}).bytes());
  for (const std::uint32_t length :
       {0U, 8U, 15U, 17U, static_cast<std::uint32_t>(good.size() + 8), 0x80000000U, 0xffffffffU}) {
    std::string bad = good;
    std::memcpy(bad.data(), &length, sizeof length);
    CHECK(starts(problem<wire::Request>(bad), "frame.length: expected"));
  }
  CHECK(starts(problem<wire::Request>(""), "message: expected"));
  CHECK(starts(problem<wire::Request>(good + "1234567"), "frame.length: expected"));
  CHECK(starts(problem<wire::Request>(frame(wire::fb::FrameType::ping, 1, "")), "frame: expected"));
}

TEST_CASE("reserved header fields and padding are ignored") {
  std::string bytes(wire::binary_codec()->encode(wire::Request{1, wire::Ping{}}).bytes());
  bytes[5] = '\x7f';
  bytes[6] = bytes[7] = bytes[12] = '\x55';
  std::vector<wire::Request> out;
  CHECK(wire::binary_codec()->decode(bytes, out));
}

TEST_CASE("records are read in place, from one aligned copy") {
  std::vector<wire::Reply> out;
  const std::string bytes = "x" + events_frame();  // misaligned, as in a WebSocket message
  REQUIRE(wire::binary_codec()->decode(std::string_view(bytes).substr(1), out));
  const auto& events = std::get<wire::Events>(out.at(0).answer);
  REQUIRE(events.records.size() == 2);
  CHECK(reinterpret_cast<std::uintptr_t>(events.records[0].data()) % 8 == 0);
  CHECK(events.records[0].data() + events.records[0].size() == events.records[1].data());
  CHECK(events.records[0].owner() == events.records[1].owner());
  CHECK(events.mark == 99);
}

TEST_CASE("hand-laid frames check count, lengths and seqs") {
  constexpr std::size_t at_first = 48, at_count = 56, at_records = 64;
  const std::string good = events_frame();
  const auto with = [&](std::size_t at, std::uint32_t value) {
    std::string bad = good;
    std::memcpy(bad.data() + at, &value, sizeof value);
    return bad;
  };
  CHECK(starts(problem<wire::Reply>(with(at_count, 0)), "events.count: expected"));
  CHECK(starts(problem<wire::Reply>(with(at_count, 1)), "records: expected nothing after"));
  CHECK(starts(problem<wire::Reply>(with(at_count, 3)), "records: expected a length"));
  CHECK(starts(problem<wire::Reply>(with(at_count, 0xffffffff)), "count: expected"));
  CHECK(starts(problem<wire::Reply>(with(at_first, 6)), "records: expected consecutive"));
  for (const std::uint32_t length : {0U, 4U, 13U, 0x7fffffffU, 0xfffffffcU}) {
    CHECK(starts(problem<wire::Reply>(with(at_records, length)), "records: expected a length"));
  }
  CHECK(
      starts(problem<wire::Reply>(with(at_records + 4, 0x7fffff00)), "records: expected a valid"));
  CHECK(starts(problem<wire::Reply>(frame(wire::fb::FrameType::history_page, 1, "too short")),
               "frame: expected a complete"));
}

TEST_CASE("one long text shared by many offsets is not copied many times") {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(std::string(100'000, 'x'));
  const std::vector<flatbuffers::Offset<flatbuffers::String>> many(20'000, text);
  const wire::fb::Bytes16 id;
  builder.Finish(wire::fb::CreateAdd(builder, &id, builder.CreateVector(many)));
  CHECK(starts(problem<wire::Request>(frame(wire::fb::FrameType::add, 1, finished(builder))),
               "frame: expected parts that together are no larger"));
}

TEST_CASE("one table shared by many offsets stays within the table limit") {
  flatbuffers::FlatBufferBuilder builder;
  const wire::fb::Bytes16 id;
  const auto item = wire::fb::CreateSubscribeItem(builder, &id, 1);
  const std::vector<flatbuffers::Offset<wire::fb::SubscribeItem>> many(50'000, item);
  builder.Finish(wire::fb::CreateSubscribe(builder, builder.CreateVector(many)));
  CHECK(starts(problem<wire::Request>(frame(wire::fb::FrameType::subscribe, 1, finished(builder))),
               "frame: expected a valid FlatBuffers table"));
}

TEST_CASE("promised text is UTF-8 and enumerations are known") {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(wire::fb::CreateDirect(builder, builder.CreateString("\xff")));
  CHECK(problem<wire::Request>(frame(wire::fb::FrameType::direct, 1, finished(builder))) ==
        "direct.peer: expected UTF-8");
  builder.Clear();
  builder.Finish(wire::fb::CreateCreateConversation(builder, 5));
  CHECK(problem<wire::Request>(frame(wire::fb::FrameType::create, 1, finished(builder))) ==
        "create.kind: expected 1 to 4");
  builder.Clear();
  builder.Finish(wire::fb::CreateJoin(builder));
  CHECK(problem<wire::Request>(frame(wire::fb::FrameType::join, 1, finished(builder))) ==
        "join.conversation: expected 16 bytes");
  builder.Clear();
  const wire::fb::Bytes16 id;
  const auto item = wire::fb::CreateSubscribeItem(builder, &id, 3);
  builder.Finish(wire::fb::CreateSubscribe(builder, builder.CreateVector(&item, 1)));
  CHECK(problem<wire::Request>(frame(wire::fb::FrameType::subscribe, 1, finished(builder))) ==
        "subscribe.items.level: expected 0, 1 or 2");
}

TEST_CASE("an answer to a request to join says yes or no, in both encodings") {
  flatbuffers::FlatBufferBuilder builder;
  const wire::fb::Bytes16 id;
  builder.Finish(wire::fb::CreateAnswerRequest(builder, &id, 42));
  CHECK(problem<wire::Request>(frame(wire::fb::FrameType::answer_request, 1, finished(builder))) ==
        "answer_request.approve: expected the field to be there");
  std::vector<wire::Request> out;
  const auto text =
      wire::json_codec()->decode(R"({"type":"answer_request","request":1,"user":"42",)"
                                 R"("conversation":"0123456789abcdef0123456789abcdef"})",
                                 out);
  REQUIRE_FALSE(text);
  CHECK(text.error().message == "answer_request.approve: expected the field to be there");
}

TEST_CASE("elements that are not aligned are refused: the verifier does not look") {
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<std::uint64_t> users{1, 2};
  builder.Finish(wire::fb::CreateLookup(builder, builder.CreateVector(users)));
  const std::string good = finished(builder);
  std::vector<wire::Request> out;
  REQUIRE(wire::binary_codec()->decode(frame(wire::fb::FrameType::lookup, 1, good), out));
  // The same table with its vector moved by 4 bytes: the field's offset grows by as much.
  const auto* table = flatbuffers::GetRoot<wire::fb::Lookup>(good.data());
  const auto vector = reinterpret_cast<const char*>(table->users()) - good.data();
  std::string bad = good;
  bad.insert(static_cast<std::size_t>(vector), 4, '\0');
  bool moved = false;
  for (std::size_t at = 0; at + 4 <= static_cast<std::size_t>(vector) && !moved; at += 4) {
    std::uint32_t offset = 0;
    std::memcpy(&offset, bad.data() + at, sizeof offset);
    if (at + offset != static_cast<std::size_t>(vector)) continue;
    offset += 4;
    std::memcpy(bad.data() + at, &offset, sizeof offset);
    moved = true;
  }
  REQUIRE(moved);
  CHECK(starts(problem<wire::Request>(frame(wire::fb::FrameType::lookup, 1, bad)),
               "frame: expected 8-aligned elements"));
}

TEST_CASE("the frame of a fan-out is its records and 64 bytes") {
  const wire::Events events = some_events();
  CHECK(events_frame().size() == 64 + events.records[0].size() + events.records[1].size());
}
