// Boxing: how arguments and results cross. A value that brine can encode goes by copy, everything
// else as a reference that names an object of one end.
//   (1, value)    a plain value
//   (2, items)    a tuple of boxed items, at least one of them not plain
//   (3, id_pack)  an object of the receiver, which it had sent before
//   (4, id_pack)  an object of the sender
#pragma once

#include "servers/rpyc/message.h"
#include "servers/rpyc/message_writer.h"
#include "servers/rpyc/object_table.h"
#include "servers/rpyc/value.h"

namespace rpycbench::rpyc {

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
