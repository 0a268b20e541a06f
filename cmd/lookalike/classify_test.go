package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"

	"lookalike/vgg"
)

// writeBlind writes a whole VGG16 of zeros, but for what the last layer adds: of
// 1000 classes, number 281, the tabby, is as probable as all others together, and
// the tiger cat behind it has half of the rest. The zeros take no place on the
// disk.
func writeBlind(path string) error {
	net, err := vgg.New16(vgg.Config{}, nil)
	if err != nil {
		return err
	}
	type entry struct {
		Dtype   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	header, place := map[string]entry{}, int64(0)
	for _, p := range net.Params() {
		end := place + 4*int64(p.Value.Len())
		header[p.Name] = entry{"F32", p.Value.Shape(), [2]int64{place, end}}
		place = end
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	start := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	bias := make([]float32, vgg.Classes)
	bias[281], bias[282] = float32(math.Log(2*998)), float32(math.Log(998))
	last, err := binary.Append(nil, binary.LittleEndian, bias)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(start); err != nil {
		return err
	}
	_, err = f.WriteAt(last, int64(len(start))+header["predictions/bias"].Offsets[0])
	return err
}
