// options_check.cpp: bounds of the options, and of what the host says about users.
#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/utf8.hpp"
#include "core/permissions.hpp"
#include "engine/engine_impl.hpp"
#include "parley/limits.hpp"

namespace parley::engine {
namespace {

Error bad(std::string text) { return {Errc::invalid_argument, std::move(text)}; }

constexpr std::size_t value_room = 16 * limits::kib;  // in a stored value, around the body
constexpr int most_node = 1'023;

template <class Number>
Error check(const std::optional<Number>& value, const char* name, std::size_t least,
            std::size_t most) {
  if (!value || (*value >= least && *value <= most)) return {};
  return bad(name + (": expected " + std::to_string(least)) + " to " + std::to_string(most));
}

Error check_transports(const EngineOptions& options) {
  for (std::size_t i = 0; i < options.transports.size(); ++i) {
    const TransportChoice& choice = options.transports[i];
    const bool named = !choice.scheme.empty() &&
                       choice.scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") ==
                           std::string::npos;
    if (!named) {
      return bad("transports: a scheme is lower-case letters, digits, '+', '-' and '.'");
    }
    if (!choice.open) return bad("transports: " + choice.scheme + " has no function to open it");
    for (std::size_t j = 0; j < i; ++j) {
      if (options.transports[j].scheme == choice.scheme) {
        return {Errc::already_exists, "transports: two for the scheme " + choice.scheme};
      }
    }
  }
  return {};
}

}  // namespace

int default_threads() noexcept {
  const unsigned cores = std::thread::hardware_concurrency();
  return static_cast<int>(std::clamp(cores, 1U, static_cast<unsigned>(Threads::most)));
}

Error check_limits(const LimitsUpdate& update, std::size_t max_value) {
  const std::size_t body =
      std::min(limits::body_most, max_value > value_room ? max_value - value_room : 0);
  if (Error error = check(update.max_body, "max_body", 1, body)) {
    error.message += ", and to what the store holds in one value less 16 KiB";
    return error;
  }
  if (update.edit_window && update.edit_window->count() < 0)
    return bad("edit_window: expected 0 ms and up");
  if (update.memory_limit && *update.memory_limit < limits::mib)
    return bad("memory_limit: expected at least 1 MiB");
  if (Error error = check(update.max_sessions, "max_sessions", 1, limits::sessions_most))
    return error;
  if (Error error = check(update.group_members, "group_members", 2, limits::group_members))
    return error;
  if (Error error = check(update.channel_members, "channel_members", 1, limits::channel_members))
    return error;
  return check(update.requests_per_second, "requests_per_second", 0, limits::requests_most);
}

Error check_options(const EngineOptions& options) {
  if (const auto count = options.threads.count(); count && !options.threads.host_driven()) {
    if (*count < 1 || *count > Threads::most) {
      return bad("threads: expected 1 to " + std::to_string(Threads::most) + ", or host_driven");
    }
  }
  if (Error error = core::check_permissions(options.permissions)) return error;
  const LimitsUpdate limits{.max_body = options.max_body,
                            .edit_window = options.edit_window,
                            .memory_limit = options.memory_limit,
                            .max_sessions = options.max_sessions,
                            .group_members = options.group_members,
                            .channel_members = options.channel_members,
                            .requests_per_second = options.requests_per_second};
  // What the store holds is known once it is open.
  if (Error error = check_limits(limits, limits::body_most + value_room)) return error;
  if (options.heartbeat < std::chrono::seconds(1) || options.heartbeat > std::chrono::minutes(10)) {
    return bad("heartbeat: expected 1 second to 10 minutes");
  }
  const int shards = options.threads.count().value_or(default_threads());
  if (options.node + std::max(shards, 1) - 1 > most_node) {
    return bad("node: expected 0 to 1023, for the last of the shards as well");
  }
  if (!options.web_root.empty()) {
    std::error_code ignored;  // whatever is wrong with it, it is no directory
    if (!std::filesystem::is_directory(options.web_root, ignored)) {
      return bad("web_root: " + options.web_root + " is no directory");
    }
  }
  return check_transports(options);
}

Error check_subject(std::string_view subject) {
  if (subject.empty()) return bad("user: expected a name of 1 to 256 bytes");
  if (subject.size() > limits::subject) {
    return {Errc::too_large, "user: expected a name of 1 to 256 bytes"};
  }
  if (!base::valid_utf8(subject)) return bad("user: expected UTF-8");
  return {};
}

Result<core::Identity> check_answer(Result<AuthAnswer> answer) {
  if (!answer) return Error{Errc::unauthenticated, "not authenticated"};
  if (check_subject(answer->subject)) {
    return Error{Errc::unauthenticated, "the authenticator gave a name that is none"};
  }
  return core::Identity{std::move(answer->subject)};
}

}  // namespace parley::engine
