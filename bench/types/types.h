// The benchmark types, one function and one file each: every type registers its rows with the
// framework, as many as the preset asks for.
#pragma once

#include "fixtures/server_fixture.h"

namespace rpycbench {

void RegisterFloor(const Suite& suite);
void RegisterConnection(const Suite& suite);
void RegisterLatency(const Suite& suite);
void RegisterBandwidth(const Suite& suite);
void RegisterBinaryTransfer(const Suite& suite);
void RegisterConcurrent(const Suite& suite);
void RegisterGenerator(const Suite& suite);
void RegisterOpenLoop(const Suite& suite);
void RegisterMaxRate(const Suite& suite);
void RegisterCalibration(const Suite& suite);
void RegisterCompute(const Suite& suite);
void RegisterIsolation(const Suite& suite);
void RegisterSocketPolicy(const Suite& suite);
void RegisterAddressFamily(const Suite& suite);
void RegisterConnectionReuse(const Suite& suite);
void RegisterBodyStyle(const Suite& suite);
void RegisterCompression(const Suite& suite);
void RegisterChunkSize(const Suite& suite);

}  // namespace rpycbench
