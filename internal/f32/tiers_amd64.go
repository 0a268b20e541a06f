//go:build !purego

package f32

// tierOf returns the tier of a name; AMX has nothing for vectors.
func tierOf(name string) *tier {
	switch name {
	case "amx", "avx512":
		return avx512
	case "avx2":
		return avx2
	}
	return generic
}

var avx512 = rowAssembly{dot4AVX512, squaredDistance4AVX512, notAboveAVX512, nearLeastAVX512}.addTo(newTier("avx512", assemblyAVX512)).picked()

var avx2 = rowAssembly{dot4AVX2, squaredDistance4AVX2, notAboveAVX2, nearLeastAVX2}.addTo(newTier("avx2", assemblyAVX2))
