// layout_events_test.cpp: events, alone and in chunks, byte for byte.
#include "store/layout.hpp"

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "layout_check.hpp"
#include "parley/limits.hpp"

using namespace parley;
using namespace parley::layout;

namespace {

StoredEvent event_at(Seq seq, std::size_t size) {
  StoredEvent event;
  event.seq = seq;
  event.mark = 0x01020304;
  event.device = DeviceId{5};
  event.number = 6;
  event.record = Payload::copy_of(std::string(size, static_cast<char>('a' + seq % 26)));
  return event;
}

}  // namespace

TEST_CASE("an event in its envelope, format 1") {
  const StoredEvent event = event_at(1, 8);
  const std::string value = encode_event(id, event);
  CHECK(value.size() == event_size(8));
  CHECK(hex(value.substr(0, 4)) == "01000000");
  CHECK(hex(value.substr(8)) ==
        "01020304"
        "00000008"
        "0000000000000005"
        "0000000000000006"
        "6262626262626262");
  CHECK(hex(value.substr(4, 4)) == "7ceaa021");
  const auto back = decode_event(id, 1, value, nullptr);
  REQUIRE(back.ok());
  CHECK(back->mark == event.mark);
  CHECK(back->device == event.device);
  CHECK(back->number == event.number);
  CHECK(back->record.bytes() == event.record.bytes());
  CHECK(reinterpret_cast<std::uintptr_t>(back->record.data()) % 8 == 0);

  CHECK(decode_event(id, 2, value, nullptr).error().errc() == Errc::store_corrupt);
  CHECK(decode_event(conversation_of(1), 1, value, nullptr).error().errc() == Errc::store_corrupt);
  CHECK(decode_event(id, 1, value.substr(0, 31), nullptr).error().errc() == Errc::store_corrupt);
  for (std::size_t at = 0; at < value.size(); ++at) {
    std::string damaged = value;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    CAPTURE(at);
    const auto refused = decode_event(id, 1, damaged, nullptr);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("seq 1") != std::string::npos);
  }
}

TEST_CASE("an aligned value is shared, another is copied") {
  const auto block = std::make_shared<std::vector<std::uint64_t>>(64);
  const std::string value = encode_event(id, event_at(1, 16));
  char* data = reinterpret_cast<char*>(block->data());
  value.copy(data, value.size());
  const auto shared = decode_event(id, 1, Bytes(data, value.size()), block);
  CHECK(shared->record.data() == data + 32);
  CHECK(shared->record.bytes() == event_at(1, 16).record.bytes());
  value.copy(data + 1, value.size());
  const auto copied = decode_event(id, 1, Bytes(data + 1, value.size()), block);
  CHECK(copied->record.data() != data + 33);
  CHECK(copied->record.bytes() == event_at(1, 16).record.bytes());
}

TEST_CASE("marks chain over the mark before, the conversation and the record") {
  const Mark one = next_mark(0, id, "record");
  CHECK(one == 0x8f26c72d);
  CHECK(next_mark(one, id, "record") != one);
  CHECK(next_mark(0, conversation_of(1), "record") != one);
  CHECK(next_mark(0, id, "recore") != one);
  CHECK(hex(stream_of(UserId{0x0102}).view()) == "75736572000000000000000000000102");
}

TEST_CASE("chunks come back and notice damage") {
  std::vector<StoredEvent> events;
  for (Seq seq = 10; seq < 20; ++seq) events.push_back(event_at(seq, 8 * (seq - 8)));
  std::size_t size = chunk_base();
  for (const auto& event : events) size += chunk_size(event.record.size());
  const std::string value = encode_chunk(id, events);
  CHECK(value.size() == size);
  const auto back = decode_chunk(id, value, nullptr);
  REQUIRE(back.ok());
  REQUIRE(back->size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK((*back)[i].seq == events[i].seq);
    CHECK((*back)[i].record.bytes() == events[i].record.bytes());
  }
  CHECK_FALSE(decode_chunk(conversation_of(1), value, nullptr).ok());
  for (std::size_t at = 0; at < value.size(); ++at) {
    std::string damaged = value;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    REQUIRE_FALSE(decode_chunk(id, damaged, nullptr).ok());
  }
  for (std::size_t cut = 0; cut < value.size(); ++cut)
    REQUIRE_FALSE(decode_chunk(id, value.substr(0, cut), nullptr).ok());
}

TEST_CASE("a chunk is full by bytes, by count, or at the end of its partition") {
  const auto full = [](const std::vector<StoredEvent>& events) {
    return full_chunk(events.data(), events.size());
  };
  std::vector<StoredEvent> small;
  for (Seq seq = 1; seq <= limits::chunk_events + 1; ++seq) small.push_back(event_at(seq, 8));
  CHECK(full(small) == limits::chunk_events);
  small.pop_back();
  CHECK(full(small) == limits::chunk_events);
  small.pop_back();
  CHECK(full(small) == 0);
  std::vector<StoredEvent> middle;
  for (Seq seq = 1; seq <= 30; ++seq) middle.push_back(event_at(seq, 184));
  CHECK(full(middle) == 19);  // 16 + 19 * 208 = 3,968; one more would be 4,176
  CHECK(full({event_at(1, 8000)}) == 1);
  CHECK(full({event_at(1, 8), event_at(2, 8000)}) == 1);
  CHECK(full({event_at(1, limits::chunk_bytes - 40)}) == 1);
  CHECK(full({event_at(1, limits::chunk_bytes - 48)}) == 0);
  CHECK(full({event_at(16382, 8), event_at(16383, 8), event_at(16384, 8)}) == 2);
  CHECK(full({}) == 0);
}
