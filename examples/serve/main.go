// Serve answers over HTTP which pictures of an index are most like the one that is posted.
// Run it in the folder examples: go run ./serve photos.idx localhost:8080
//
//	curl --data-binary @holiday.jpg 'http://localhost:8080/?k=3'
package main

import (
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"strconv"

	"lookalike"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go run ./serve INDEX ADDRESS")
	}
	ix, err := lookalike.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer ix.Close()
	log.Fatal(http.ListenAndServe(os.Args[2], handler(ix)))
}

// handler answers a posted picture by the k that are most like it, as JSON.
func handler(ix *lookalike.Index) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k, err := strconv.Atoi(r.FormValue("k"))
		if err != nil || k < 1 || k > 100 {
			k = 5
		}
		body := http.MaxBytesReader(w, r.Body, 32<<20)
		hits, err := ix.Search(r.Context(), lookalike.Reader(body), k)
		var bad *lookalike.SkipError
		switch {
		case errors.As(err, &bad):
			http.Error(w, bad.Err.Error(), http.StatusUnprocessableEntity)
		case err != nil:
			log.Print(err)
			http.Error(w, "the search failed", http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(hits)
		}
	})
}
