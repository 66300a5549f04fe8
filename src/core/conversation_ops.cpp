// conversation_ops.cpp: how what is to be done is copied, moved and destroyed, in one place.
#include "core/conversation_ops.hpp"

namespace parley::core {

OpKind::OpKind(OpKind&& other) noexcept = default;
OpKind& OpKind::operator=(OpKind&& other) noexcept = default;
OpKind::~OpKind() = default;

}  // namespace parley::core
