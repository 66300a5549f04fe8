// wire/frame_types.hpp: the number and the name of every operation and answer, in the order of the
// variants.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "wire/frame_generated.h"
#include "wire/messages.hpp"

namespace parley::wire {

struct FrameTypeName {
  fb::FrameType type;     // in binary frames
  std::string_view name;  // in JSON
};

// clang-format off
inline constexpr FrameTypeName request_types[] = {
    {fb::FrameType::hello, "hello"},
    {fb::FrameType::send, "send"},
    {fb::FrameType::create, "create"},
    {fb::FrameType::direct, "direct"},
    {fb::FrameType::join, "join"},
    {fb::FrameType::leave, "leave"},
    {fb::FrameType::add, "add"},
    {fb::FrameType::remove, "remove"},
    {fb::FrameType::set_role, "set_role"},
    {fb::FrameType::set_title, "set_title"},
    {fb::FrameType::subscribe, "subscribe"},
    {fb::FrameType::history, "history"},
    {fb::FrameType::mark_read, "mark_read"},
    {fb::FrameType::signal, "signal"},
    {fb::FrameType::watch, "watch"},
    {fb::FrameType::members, "members"},
    {fb::FrameType::lookup, "lookup"},
    {fb::FrameType::sync, "sync"},
    {fb::FrameType::ping, "ping"},
    {fb::FrameType::bye, "bye"},
    {fb::FrameType::edit, "edit"},
    {fb::FrameType::delete_message, "delete"},
    {fb::FrameType::react, "react"},
    {fb::FrameType::pin, "pin"},
    {fb::FrameType::pins, "pins"},
    {fb::FrameType::reactors, "reactors"},
    {fb::FrameType::set_list, "set_list"},
    {fb::FrameType::transfer, "transfer"},
    {fb::FrameType::schedule, "schedule"},
    {fb::FrameType::unschedule, "unschedule"},
    {fb::FrameType::list_scheduled, "list_scheduled"},
    {fb::FrameType::set_settings, "set_settings"},
    {fb::FrameType::info, "info"},
    {fb::FrameType::restrict_user, "restrict"},
    {fb::FrameType::restrictions, "restrictions"},
    {fb::FrameType::thread, "thread"},
    {fb::FrameType::threads, "threads"},
    {fb::FrameType::follow_thread, "follow_thread"},
    {fb::FrameType::read_thread, "read_thread"},
    {fb::FrameType::page_list, "page_list"},
    {fb::FrameType::devices, "devices"},
    {fb::FrameType::rename_device, "rename_device"},
    {fb::FrameType::revoke_device, "revoke_device"},
    {fb::FrameType::set_user, "set_user"},
    {fb::FrameType::set_presence, "set_presence"},
    {fb::FrameType::seen, "seen"},
    {fb::FrameType::create_invite, "create_invite"},
    {fb::FrameType::list_invites, "list_invites"},
    {fb::FrameType::revoke_invite, "revoke_invite"},
    {fb::FrameType::join_invite, "join_invite"},
    {fb::FrameType::request_join, "request_join"},
    {fb::FrameType::join_requests, "join_requests"},
    {fb::FrameType::answer_request, "answer_request"},
    {fb::FrameType::block, "block"},
    {fb::FrameType::list_blocked, "list_blocked"},
    {fb::FrameType::set_retention, "set_retention"},
    {fb::FrameType::get_retention, "get_retention"},
    {fb::FrameType::delete_conversation, "delete_conversation"},
    {fb::FrameType::vote, "vote"},
    {fb::FrameType::close_poll, "close_poll"},
    {fb::FrameType::get_ballot, "get_ballot"},
    {fb::FrameType::voters, "voters"},
    {fb::FrameType::start_stream, "start_stream"},
    {fb::FrameType::append_stream, "append_stream"},
    {fb::FrameType::cancel_stream, "cancel_stream"},
    {fb::FrameType::get_stream, "get_stream"},
    {fb::FrameType::delete_for_me, "delete_for_me"},
    {fb::FrameType::watch_conversation, "watch_conversation"},
};
inline constexpr FrameTypeName answer_types[] = {
    {fb::FrameType::welcome, "welcome"},
    {fb::FrameType::done, "done"},
    {fb::FrameType::error, "error"},
    {fb::FrameType::ack, "ack"},
    {fb::FrameType::opened, "opened"},
    {fb::FrameType::subscribed, "subscribed"},
    {fb::FrameType::events, "events"},
    {fb::FrameType::head_moved, "head_moved"},
    {fb::FrameType::history_page, "history_page"},
    {fb::FrameType::receipts, "receipts"},
    {fb::FrameType::signalled, "signalled"},
    {fb::FrameType::presence, "presence"},
    {fb::FrameType::list, "list"},
    {fb::FrameType::members_page, "members_page"},
    {fb::FrameType::names, "names"},
    {fb::FrameType::goodbye, "goodbye"},
    {fb::FrameType::messages, "messages"},
    {fb::FrameType::reactors_page, "reactors_page"},
    {fb::FrameType::scheduled, "scheduled"},
    {fb::FrameType::conversation_info, "conversation_info"},
    {fb::FrameType::restrictions_page, "restrictions_page"},
    {fb::FrameType::thread_page, "thread_page"},
    {fb::FrameType::threads_page, "threads_page"},
    {fb::FrameType::thread_state, "thread_state"},
    {fb::FrameType::list_page, "list_page"},
    {fb::FrameType::device_list, "device_list"},
    {fb::FrameType::seen_by, "seen_by"},
    {fb::FrameType::user_settings, "user_settings"},
    {fb::FrameType::invites, "invites"},
    {fb::FrameType::join_requests_page, "join_requests_page"},
    {fb::FrameType::blocked_users, "blocked_users"},
    {fb::FrameType::retention, "retention"},
    {fb::FrameType::ballot, "ballot"},
    {fb::FrameType::voters_page, "voters_page"},
    {fb::FrameType::stream_started, "stream_started"},
    {fb::FrameType::streamed, "streamed"},
    {fb::FrameType::deleted_for_me, "deleted_for_me"},
    {fb::FrameType::online, "online"},
};
// clang-format on
/// Not so at the end of both: what is for host calls, and Unknown.
template <class T, class... Hosts>
inline constexpr bool one_of = (std::is_same_v<T, Hosts> || ...);
template <class T>
inline constexpr bool on_the_wire =
    !one_of<T, SetVisibility, PlacesOf, OwnDeletionsOf, Import, Forget, Unknown, Places, Imported>;
static_assert(std::variant_size_v<Operation::variant> == std::size(request_types) + 6);
static_assert(std::variant_size_v<Answer::variant> == std::size(answer_types) + 2);

/// By the number of a type, `Read<T>::into` of its alternative T; null where there is no such type.
template <class Variant, class Function, template <class> class Read, std::size_t n>
constexpr std::array<Function, 256> read_table(const FrameTypeName (&types)[n]) {
  std::array<Function, 256> table{};
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    ((table[static_cast<std::uint8_t>(types[i].type)] =
          &Read<std::variant_alternative_t<i, typename Variant::variant>>::into),
     ...);
  }
  (std::make_index_sequence<n>());
  return table;
}

}  // namespace parley::wire
