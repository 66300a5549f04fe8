// inproc_test.cpp: the suite on `inproc:`, and what is its own.
#include "transport/inproc.hpp"

#include "transport/conformance.hpp"

using namespace parley;

TEST_CASE("inproc passes the transport suite") {
  const auto hub = std::make_shared<transport::InprocHub>();
  check_transport({.make = [&] { return transport::inproc_transport(hub); },
                   .url = "inproc:lobby",
                   .nowhere = "inproc:nowhere",
                   .bad_url = "inproc://host"});
}

namespace {

struct Ear final : LinkEvents {
  std::unique_ptr<Link> link;
  const char* got = nullptr;
  void received(Bytes message) override { got = message.data(); }
  void drained() override {}
  void holding() override {}
  void closed(Error) override { link.reset(); }
};

}  // namespace

TEST_CASE("a message crosses inproc without a copy, and hubs are worlds of their own") {
  const auto driver = testing::transport_driver();
  const auto here = transport::inproc_transport();
  const auto elsewhere = transport::inproc_transport();
  std::vector<std::unique_ptr<Ear>> ears;
  for (std::size_t i = 0; i < driver->hosts(); ++i) {
    driver->on_opened(i, [&](std::unique_ptr<Link> link, const LinkInfo&) {
      ears.push_back(std::make_unique<Ear>());
      ears.back()->link = std::move(link);
      return ears.back().get();
    });
  }
  LinkHost* host = &driver->host(1);
  REQUIRE(here->listen("inproc:a", std::span(&host, 1)).ok());
  Errc other = Errc::ok;
  elsewhere->dial("inproc:a", Encoding::binary, driver->host(0),
                  [&](Result<void> done) { other = done.error().errc(); });
  here->dial("inproc:a", Encoding::binary, driver->host(0), [](const Result<void>&) {});
  while (ears.size() < 2 || other == Errc::ok) driver->turn();
  REQUIRE(other == Errc::unreachable);
  const Payload payload = Payload::copy_of("shared");
  ears[0]->link->send(std::span(&payload, 1));
  while (ears[1]->got == nullptr) driver->turn();
  REQUIRE(ears[1]->got == payload.data());
  int stopped = 0;
  ears.clear();
  here->close([&] { ++stopped; });
  elsewhere->close([&] { ++stopped; });
  while (stopped < 2) driver->turn();
}
