package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"lookalike"
)

// The picture that is posted is found, and what is no picture is refused.
func TestHandler(t *testing.T) {
	dir := t.TempDir()
	var files [][]byte
	for i := range 4 {
		m := image.NewRGBA(image.Rect(0, 0, 40, 30))
		for y := range 30 {
			for x := range 40 {
				m.SetRGBA(x, y, color.RGBA{uint8(x * y * (i + 1)), uint8(60 * i), uint8(7 * x), 255})
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		files = append(files, b.Bytes())
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".png"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "photos.idx")
	if _, err := lookalike.Update(t.Context(), path, []string{dir}, lookalike.Perceptual()); err != nil {
		t.Fatal(err)
	}
	ix, err := lookalike.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	server := httptest.NewServer(handler(ix))
	defer server.Close()
	response, err := http.Post(server.URL+"?k=2", "image/png", bytes.NewReader(files[2]))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var hits []lookalike.Hit
	if err := json.NewDecoder(response.Body).Decode(&hits); err != nil || len(hits) != 2 || hits[0].Path != "c.png" || hits[0].Distance != 0 {
		t.Errorf("%+v, %v", hits, err)
	}
	response, err = http.Post(server.URL, "image/png", bytes.NewReader([]byte("no picture")))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("what is no picture gets %s", response.Status)
	}
}
