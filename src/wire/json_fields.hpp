// wire/json_fields.hpp: the fields of every message, once, for the JSON writer and the JSON reader.
#pragma once
#include "wire/json_answers.hpp"
#include "wire/json_joins.hpp"
#include "wire/json_parts.hpp"
#include "wire/json_requests.hpp"
