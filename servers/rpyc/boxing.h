// Boxing: the form in which arguments and results cross. A value that brine can encode crosses by
// copy. Everything else crosses as a reference that names an object of one end. A boxed value is a
// pair of a label and the value or reference.
#pragma once

#include "servers/rpyc/message.h"
#include "servers/rpyc/object_table.h"
#include "servers/rpyc/wire/message_writer.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

namespace label {
inline constexpr int kValue = 1;      // a plain value
inline constexpr int kTuple = 2;      // a tuple of boxed items, at least one of which is not plain
inline constexpr int kLocalRef = 3;   // the id_pack of an object of the receiver, sent back
inline constexpr int kRemoteRef = 4;  // the id_pack of an object of the sender
}  // namespace label

// Appends the boxed value to `out` and enters objects into `table`. Throws like ObjectTable::Export
// and brine::Write.
void WriteBoxed(const Value& value, ObjectTable& table, MessageWriter& out);
// Appends the boxed tuple of `items`. Throws like WriteBoxed.
void WriteBoxedTuple(std::span<const Value> items, ObjectTable& table, MessageWriter& out);

// Returns the value in a boxed value. Its tuples and references are kept in `message`. Objects of
// this end are looked up in `table` and stay alive as long as the message. Throws PythonError:
// ValueError for a bad label, TypeError for a bad id_pack, KeyError for an unknown reference.
Value Unbox(const Value& boxed, ObjectTable& table, Message& message);

// Reads the tuple (name, class id, instance id). Throws PythonError (TypeError) if `value` is no
// such tuple.
IdPack ReadIdPack(const Value& value);

}  // namespace rpycbench::rpyc
