// client/client_calls.hpp: what every operation of the public client is made of.
#pragma once
#include <memory>
#include <utility>
#include <variant>

#include "client/client_impl.hpp"

namespace parley::client {

using detail::ClientImpl;

inline Error unexpected() { return {Errc::protocol_error, "the answer is of an unexpected type"}; }

// An answer of type A as the application's T.
template <class A, class T, class F>
ClientImpl::Answered as(Completion<T> done, F convert) {
  return [done = std::move(done), convert](Result<wire::Answer> answer) {
    if (!done) return;
    if (!answer) return done(answer.error());
    if (auto* value = std::get_if<A>(&*answer)) return done(convert(std::move(*value)));
    done(unexpected());
  };
}
inline ClientImpl::Answered as_done(Completion<void> done) {
  return [done = std::move(done)](const Result<wire::Answer>& answer) {
    if (!done) return;
    if (!answer) return done(answer.error());
    if (std::holds_alternative<wire::Done>(*answer)) return done({});
    done(unexpected());
  };
}
// The Pending form of an operation: `start` takes the completion.
template <class T, class F>
Pending<T> pending(ClientImpl& impl, F start) {
  auto operation = std::make_shared<detail::ResultOf<T>>(impl.waiting(), std::uint16_t{0});
  start(Completion<T>([operation](Result<T> result) { operation->finish(std::move(result)); }));
  return Pending<T>(std::move(operation));
}

// A request whose answer `convert` understands, from any thread.
inline void ask(ClientImpl& impl, wire::Operation operation, ClientImpl::Answered done) {
  impl.post([&impl, operation = std::move(operation), done = std::move(done)]() mutable {
    impl.request(std::move(operation), std::move(done));
  });
}

}  // namespace parley::client
