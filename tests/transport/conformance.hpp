// tests/transport/conformance.hpp: the transport suite as Catch2 sections.
#pragma once
#include <string>

#include "catch.hpp"
#include "parley/testing/transport_conformance.hpp"

inline void check_transport(const parley::testing::TransportUnderTest& transport) {
  for (const auto& one : parley::testing::transport_cases()) {
    DYNAMIC_SECTION(one.name) {
      parley::testing::run_transport_case(one, transport, [](bool ok, std::string_view what) {
        INFO(what);
        CHECK(ok);
      });
    }
  }
}
