// error_test.cpp: names, meanings and the retryable flag of every code.
#include "parley/error.hpp"

#include <set>
#include <string>
#include <vector>

#include "catch.hpp"

using parley::Errc;
using parley::Error;

namespace {
const std::vector<Errc> all_codes = {Errc::ok,
                                     Errc::invalid_argument,
                                     Errc::too_large,
                                     Errc::denied,
                                     Errc::unauthenticated,
                                     Errc::key_reused,
                                     Errc::number_taken,
                                     Errc::too_old,
                                     Errc::last_owner,
                                     Errc::unsupported,
                                     Errc::already_exists,
                                     Errc::limit_reached,
                                     Errc::archived,
                                     Errc::muted,
                                     Errc::banned,
                                     Errc::slow_mode,
                                     Errc::device_revoked,
                                     Errc::busy,
                                     Errc::unavailable,
                                     Errc::timed_out,
                                     Errc::disconnected,
                                     Errc::engine_closed,
                                     Errc::session_closed,
                                     Errc::would_deadlock,
                                     Errc::forked,
                                     Errc::store_failed,
                                     Errc::disk_full,
                                     Errc::store_locked,
                                     Errc::store_format,
                                     Errc::store_corrupt,
                                     Errc::protocol_error,
                                     Errc::version_unsupported,
                                     Errc::slow_consumer,
                                     Errc::unreachable,
                                     Errc::address_in_use,
                                     Errc::internal};
}

TEST_CASE("every error code has a name and a meaning of its own") {
  std::set<std::string> names;
  std::set<std::string> meanings;
  for (const Errc code : all_codes) {
    CHECK(to_string(code) != "unknown");
    CHECK(names.insert(std::string(to_string(code))).second);
    const std::string meaning = make_error_code(code).message();
    CHECK(meaning != "unknown error");
    CHECK(meanings.insert(meaning).second);
  }
  CHECK(to_string(Errc::number_taken) == "number_taken");
  CHECK(to_string(static_cast<Errc>(777)) == "unknown");
  CHECK(std::string(parley::error_category().name()) == "parley");
}

TEST_CASE("exactly the codes that may succeed unchanged are retryable") {
  const std::set<Errc> retryable = {Errc::busy,         Errc::unavailable, Errc::timed_out,
                                    Errc::disconnected, Errc::disk_full,   Errc::slow_mode};
  for (const Errc code : all_codes) {
    CAPTURE(std::string(to_string(code)));
    CHECK(Error(code, "").retryable() == retryable.contains(code));
  }
}

TEST_CASE("a code of another category is an internal error that nobody retries") {
  const Error error(std::make_error_code(std::errc::resource_unavailable_try_again), "of a host");
  CHECK(error);
  CHECK(error.errc() == Errc::internal);
  CHECK_FALSE(error.retryable());
  CHECK_FALSE(Error());
  CHECK(Error().errc() == Errc::ok);
  const std::error_code from_enum = Errc::busy;
  CHECK(from_enum == make_error_code(Errc::busy));
}
