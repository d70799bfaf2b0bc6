#include "bench/types/types.h"

namespace rpycbench {

extern const BenchmarkType kFloorType;
extern const BenchmarkType kConnectionType;
extern const BenchmarkType kLatencyType;
extern const BenchmarkType kObjectsType;
extern const BenchmarkType kCallbackType;
extern const BenchmarkType kPipelinedType;
extern const BenchmarkType kBandwidthType;
extern const BenchmarkType kBinaryTransferType;
extern const BenchmarkType kConcurrentType;
extern const BenchmarkType kGeneratorType;
extern const BenchmarkType kComputeType;
extern const BenchmarkType kSleepType;
extern const BenchmarkType kIsolationType;
extern const BenchmarkType kSocketPolicyType;
extern const BenchmarkType kAddressFamilyType;
extern const BenchmarkType kTransportType;
extern const BenchmarkType kConnectionReuseType;
extern const BenchmarkType kBodyStyleType;
extern const BenchmarkType kCompressionType;
extern const BenchmarkType kChunkSizeType;
extern const BenchmarkType kOpenLoopType;
extern const BenchmarkType kMaxRateType;
extern const BenchmarkType kPyLatencyType;
extern const BenchmarkType kPyObjectsType;
extern const BenchmarkType kPyConcurrentType;
extern const BenchmarkType kSharedConnectionType;
extern const BenchmarkType kLinkType;
extern const BenchmarkType kPyLinkType;
extern const BenchmarkType kCalibrationType;

std::span<const BenchmarkType* const> AllTypes() {
  static const BenchmarkType* const kTypes[] = {
      &kFloorType,           &kConnectionType,       &kLatencyType,       &kObjectsType,
      &kCallbackType,        &kPipelinedType,        &kBandwidthType,     &kBinaryTransferType,
      &kConcurrentType,      &kGeneratorType,        &kComputeType,       &kSleepType,
      &kIsolationType,       &kSocketPolicyType,     &kAddressFamilyType, &kTransportType,
      &kConnectionReuseType, &kBodyStyleType,        &kCompressionType,   &kChunkSizeType,
      &kOpenLoopType,        &kMaxRateType,          &kPyLatencyType,     &kPyObjectsType,
      &kPyConcurrentType,    &kSharedConnectionType, &kLinkType,          &kPyLinkType,
      &kCalibrationType,
  };
  return kTypes;
}

}  // namespace rpycbench
