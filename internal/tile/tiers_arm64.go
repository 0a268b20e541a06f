//go:build !purego

package tile

// tierOf returns the tier of a name.
func tierOf(name string) *tier {
	if name == "neon" {
		return &tier{name, kernelNEON, nil} // without reading tiles: MulPack packs first
	}
	return generic
}
