// Boxing: how arguments and results cross. A value that brine can encode goes by copy, everything
// else as a reference that names an object of one end. What crosses is a pair of a label and that.
#pragma once

#include "servers/rpyc/message.h"
#include "servers/rpyc/object_table.h"
#include "servers/rpyc/wire/message_writer.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

namespace label {
inline constexpr int kValue = 1;      // a plain value
inline constexpr int kTuple = 2;      // a tuple of boxed items, at least one of them not plain
inline constexpr int kLocalRef = 3;   // the id_pack of an object of the receiver, which had sent it
inline constexpr int kRemoteRef = 4;  // the id_pack of an object of the sender
}  // namespace label

// Appends the boxed value; objects are entered into `table`. Throws what ObjectTable::Export does.
void WriteBoxed(const Value& value, ObjectTable& table, MessageWriter& out);
// Appends the boxed tuple of `items`.
void WriteBoxedTuple(std::span<const Value> items, ObjectTable& table, MessageWriter& out);

// Turns a boxed value into the value itself, with tuples and references kept in `message`. Objects
// of this end are looked up in `table` and stay alive as long as the message.
// Throws PythonError: ValueError for a bad label, TypeError for a bad id_pack, KeyError for an
// unknown reference.
Value Unbox(const Value& boxed, ObjectTable& table, Message& message);

// Reads (name, class id, instance id). Throws PythonError (TypeError) if it isn't one.
IdPack ReadIdPack(const Value& value);

}  // namespace rpycbench::rpyc
