//go:build !purego

package tile

// tierOf returns the tier of a name.
func tierOf(name string) *tier {
	switch name {
	case "amx":
		return &tier{name, kernelAVX512, amxParts}
	case "avx512":
		return &tier{name, kernelAVX512, nil}
	case "avx2":
		return &tier{name, kernelAVX2, nil}
	}
	return generic
}
