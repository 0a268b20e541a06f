//go:build !purego

package tile

var amxParts = &Parts{
	splitRows: splitRowsAMX, splitColumns: splitColumnsAMX,
	mul: func(rows, panels, blocks int, a, b *uint16, start *float32, ss int, c *float32, cst int) {
		mul := mulParts2AMX
		if rows <= 16 {
			mul = mulParts1AMX
		}
		mul(&tileConfigs[rows-1], panels, blocks, a, b, start, ss, c, cst)
	},
}

// tileConfigs[rows-1] says how many rows the tiles have and how many bytes are in a
// row, for LDTILECFG: tiles 0 and 1, and 4, are of the first 16 rows of A, tiles 2 and
// 3, and 5, of the others; 6 and 7 are of B.
var tileConfigs = func() (configs [PartsGroup][64]byte) {
	for i := range configs {
		first, second := min(16, i+1), max(0, i+1-16)
		for tile, rows := range []int{first, first, second, second, first, second, 16, 16} {
			if rows > 0 {
				configs[i][16+2*tile] = 64
				configs[i][48+tile] = byte(rows)
			}
		}
		configs[i][0] = 1 // palette
	}
	return configs
}()
