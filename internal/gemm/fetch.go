package gemm

import (
	"lookalike/internal/tile"
)

// fetch asks memory for a block of B that is still in rows, a strip with each tile
// that is computed meanwhile: the tile that packs it would wait, as it reads faster
// than memory delivers. Strips are FetchWidth values wide and depth rows high, as
// much as a tile asks for; they go down the rows first, as panels do.
type fetch struct {
	b            []float32
	ldb, depth   int
	down, strips int // strips one below the other, and in all
	tiles        int // that are computed meanwhile
	tile, strip  int // those that are done
}

// fetchDuring returns the fetch of next's B during a number of tiles of depth k. If
// those are too few for all strips, the first are fetched.
func fetchDuring(tiles, k int, next *product) fetch {
	f := fetch{b: next.b, ldb: next.ldb, depth: k / tile.FetchSteps, tiles: tiles}
	if next.layout == inRows && next.n > 0 && f.depth > 0 {
		f.down = ceil(next.k, f.depth)
		f.strips = f.down * ceil(next.n, tile.FetchWidth)
	}
	return f
}

// next returns what the next tile, of the given panel, is to ask for: the address of
// a strip and the jump from row to row, or nothing new. Strips come evenly.
func (f *fetch) next(panel []float32) (ahead uintptr, jump int) {
	f.tile++
	if f.strip == f.strips || f.strip*f.tiles >= f.tile*f.strips {
		return tile.Address(panel, 0), 0
	}
	row, column := f.strip%f.down*f.depth, f.strip/f.down*tile.FetchWidth
	f.strip++
	return tile.Address(f.b, row*f.ldb+column), f.ldb
}
