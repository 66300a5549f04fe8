// engine/system_call.hpp: how the host acts as the system.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "engine/engine_impl.hpp"
#include "engine/start_call.hpp"

namespace parley::engine {

using Impl = std::shared_ptr<parley::detail::EngineImpl>;

inline constexpr auto no_handle = "this Engine was moved from";

/// The system's session, while there is one.
inline Local system_of(const Impl& impl) {
  if (!impl) return nullptr;
  const Gate::Pass pass(impl->gate());
  return pass ? impl->system() : nullptr;
}

inline Error why_none(const Impl& impl) {
  if (!impl) return {Errc::engine_closed, no_handle};
  return impl->forked() ? parley::detail::forked_error() : parley::detail::closed_error();
}

template <class T, class Start>
Pending<T> as_system(const Impl& impl, Completion<T> done, Start start) {
  const Local system = system_of(impl);
  if (!system) return refuse<T>(why_none(impl), std::move(done));
  return start(system, std::move(done));
}

/// An operation about one user, named by its subject.
template <class T, class Expected, class Convert>
Pending<T> about_user(const Impl& impl, std::string subject, Completion<T> done,
                      wire::Operation operation, Convert convert,
                      std::function<void(parley::detail::LocalSession&, CallRef, UserId)> with) {
  if (!impl) return refuse<T>(why_none(impl), std::move(done));
  auto started = make_call<T, Expected>(impl, 0, std::move(operation), std::move(convert));
  if (done) started.pending.then(std::move(done));
  impl->resolve(std::move(subject), std::move(started.call), std::move(with));
  return std::move(started.pending);
}

/// Puts the resolved user into the operation, and goes on.
template <class Operation>
void name_user(parley::detail::LocalSession& system, CallRef call, UserId user) {
  std::get<Operation>(call.operation()).user = user;
  system.request(std::move(call));
}

inline Pending<UserId> find_user(const Impl& impl, std::string subject, Completion<UserId> done) {
  return about_user<UserId, wire::Names>(
      impl, std::move(subject), std::move(done), wire::Ping{},
      [](wire::Names& names) -> Result<UserId> { return names.users.front().id; },
      [](parley::detail::LocalSession&, CallRef call, UserId user) {
        call.answer(wire::Names{{{user, {}}}});
      });
}

}  // namespace parley::engine
