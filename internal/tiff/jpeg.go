package tiff

// joinJPEG makes a JPEG file of a strip or tile, which needs the tables that the directory
// has for all of them. What its colours are, the directory says, too: the markers that say
// so in a JPEG file are left out, and one that is right is put in.
func joinJPEG(stream, tables []byte, photometric int) []byte {
	const soi, app0, app14 = "\xff\xd8", 0xe0, 0xee
	file := append(make([]byte, 0, len(stream)+len(tables)+16), soi...)
	transform := byte(0)
	if photometric == lumaChroma {
		transform = 1
	}
	file = append(file, 0xff, app14, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, transform)
	if len(tables) >= 4 && string(tables[:2]) == soi {
		tables = tables[2:]
		if end := len(tables) - 2; string(tables[end:]) == "\xff\xd9" {
			tables = tables[:end]
		}
		file = append(file, tables...)
	}
	if len(stream) < 2 || string(stream[:2]) != soi {
		return append(file, stream...)
	}
	stream = stream[2:]
	for len(stream) >= 4 && stream[0] == 0xff && stream[1] != 0xda {
		size := 2 + int(stream[2])<<8 + int(stream[3])
		if stream[1] < 0xc0 || size > len(stream) {
			break
		}
		if stream[1] != app0 && stream[1] != app14 {
			file = append(file, stream[:size]...)
		}
		stream = stream[size:]
	}
	return append(file, stream...)
}
