"""The messages of remote write 1.0 as Google's protobuf knows them, from Prometheus' published .proto files."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "prometheus"
Field = descriptor_pb2.FieldDescriptorProto

# name, number, type, message; all that repeat are messages
MESSAGES: dict[str, list[tuple[str, int, int, str]]] = {
    "WriteRequest": [("timeseries", 1, Field.TYPE_MESSAGE, "TimeSeries")],
    "TimeSeries": [("labels", 1, Field.TYPE_MESSAGE, "Label"), ("samples", 2, Field.TYPE_MESSAGE, "Sample")],
    "Label": [("name", 1, Field.TYPE_STRING, ""), ("value", 2, Field.TYPE_STRING, "")],
    "Sample": [("value", 1, Field.TYPE_DOUBLE, ""), ("timestamp", 2, Field.TYPE_INT64, "")],
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            label = Field.LABEL_REPEATED if of else Field.LABEL_OPTIONAL
            made = message.field.add(name=field, number=number, type=kind, label=label)
            if of:
                made.type_name = f".{PACKAGE}.{of}"
    return file


def write_request(body: bytes) -> Any:
    """The WriteRequest that `body` is."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.WriteRequest"))
    return made.FromString(body)
