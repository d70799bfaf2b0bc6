#include "servers/rpyc/boxing.h"

#include "servers/rpyc/wire/brine.h"
#include "servers/rpyc/wire/vinegar.h"

namespace rpycbench::rpyc {
namespace {

void WriteLabel(int label, MessageWriter& out) {
  brine::WriteTupleHead(2, out);
  out.Byte(brine::SmallInt(label));
}

void WriteReference(int label, const IdPack& id, MessageWriter& out) {
  WriteLabel(label, out);
  brine::WriteTupleHead(3, out);
  brine::WriteText(id.name, out);
  brine::WriteInt(id.class_id, out);
  brine::WriteInt(id.instance_id, out);
}

void WriteMixedTuple(std::span<const Value> items, ObjectTable& table, MessageWriter& out) {
  WriteLabel(label::kTuple, out);
  brine::WriteTupleHead(items.size(), out);
  for (const Value& item : items) WriteBoxed(item, table, out);
}

}  // namespace

void WriteBoxed(const Value& value, ObjectTable& table, MessageWriter& out) {
  if (value.is(Kind::kObject)) {
    return WriteReference(label::kRemoteRef, table.Export(value.object()), out);
  }
  if (value.is(Kind::kNetref)) return WriteReference(label::kLocalRef, value.reference().id, out);
  if (value.is(Kind::kTuple) && !value.plain()) {
    return WriteMixedTuple(value.items(), table, out);
  }
  WriteLabel(label::kValue, out);
  brine::Write(value, out);
}

void WriteBoxedTuple(std::span<const Value> items, ObjectTable& table, MessageWriter& out) {
  WriteBoxed(Value::Tuple(items), table, out);
}

Value Unbox(const Value& boxed, ObjectTable& table, Message& message) {
  if (!boxed.is(Kind::kTuple) || boxed.items().size() != 2 || !boxed.items()[0].is(Kind::kInt)) {
    throw PythonError("ValueError", "not a boxed value");
  }
  const Value& content = boxed.items()[1];
  switch (boxed.items()[0].integer()) {
    case label::kValue:
      return content;
    case label::kTuple: {
      if (!content.is(Kind::kTuple)) throw PythonError("ValueError", "not a boxed tuple");
      const std::span<Value> items = message.arena.Allocate(content.items().size());
      for (std::size_t i = 0; i < items.size(); ++i) {
        items[i] = Unbox(content.items()[i], table, message);
      }
      return Value::Tuple(items).Examined();
    }
    case label::kLocalRef:
      message.objects.push_back(table.Find(ReadIdPack(content)));
      return Value::Local(*message.objects.back());
    case label::kRemoteRef:
      return Value::Remote(message.references.Add(ReadIdPack(content)));
    default:
      throw PythonError("ValueError", "unknown label of a boxed value");
  }
}

IdPack ReadIdPack(const Value& value) {
  if (value.is(Kind::kTuple) && value.items().size() == 3) {
    const auto items = value.items();
    if (items[0].is(Kind::kText) && items[1].is(Kind::kInt) && items[2].is(Kind::kInt)) {
      return {items[0].bytes(), items[1].integer(), items[2].integer()};
    }
  }
  throw PythonError("TypeError", "not an id_pack");
}

}  // namespace rpycbench::rpyc
