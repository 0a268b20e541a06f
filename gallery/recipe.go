package gallery

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lookalike/picture"
)

// Recipe says how a picture became a vector.
type Recipe struct {
	// These make the vector what it is; two recipes that agree in them give
	// comparable vectors.
	Model              string `json:"model"`             // kind of network, such as "autoencoder"
	WeightsFingerprint string `json:"weights_sha256"`    // of what the model computes with: weights.Fingerprint of a network's file, or that of a learned model's parameters
	Layer              string `json:"layer"`             // whose output is the vector
	Pooling            string `json:"pooling,omitempty"` // "avg" or "max" over the layer's pixels, "" for none
	PCA                string `json:"pca,omitempty"`     // SHA-256 of the components that the vector was brought to, "" for none
	Preprocessing      string `json:"preprocessing"`     // everything from decoding to the network's input, in words
	EXIF               string `json:"exif"`              // what is done with the orientation, "applied" or "ignored"; see Reading

	// These are for the reader.
	WeightsFile string `json:"weights_file"` // where the weights were
	Program     string `json:"program"`      // name and version of the maker

	// With the file as it was when WeightsFingerprint was taken, that need not be
	// taken again: a file of the same path, size and time counts as the same, as
	// for make and git.
	WeightsSize int64     `json:"weights_size,omitempty"`
	WeightsTime time.Time `json:"weights_time,omitzero"`
}

// Imported is the model of a recipe whose vectors another program has made:
// no picture can be described as these were.
const Imported = "imported"

// What a recipe has as EXIF.
const (
	exifApplied = "applied"
	exifIgnored = "ignored"
)

// Reading returns the recipe for pictures that are read with the options.
func (r Recipe) Reading(o picture.Options) Recipe {
	r.EXIF = exifApplied
	if o.IgnoreOrientation {
		r.EXIF = exifIgnored
	}
	return r
}

// Options returns the options that pictures must be read with to be described as the
// recipe says.
func (r Recipe) Options() picture.Options {
	return picture.Options{IgnoreOrientation: r.EXIF == exifIgnored}
}

// Fingerprint is short and equal for recipes whose vectors can be compared. It
// depends neither on where the weights lie nor on the program's version: a
// program that makes other vectors than before must describe its preprocessing
// in other words.
func (r Recipe) Fingerprint() string {
	// JSON keeps the fields apart whatever is in them.
	parts := []string{r.Model, r.WeightsFingerprint, r.Layer, r.Preprocessing, r.EXIF}
	if r.Pooling != "" || r.PCA != "" {
		parts = append(parts, r.Pooling, r.PCA)
	}
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings always have JSON
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// brought is the recipe of a run whose vectors are brought to the principal components
// of an index.
func (r Recipe) brought(index Recipe) Recipe {
	r.PCA = index.PCA
	return r
}

// takes tells whether a run may add its vectors to an index.
func (r Recipe) takes(run Recipe) bool { return r.Fingerprint() == run.brought(r).Fingerprint() }

// RecipeError is that vectors of two recipes cannot be compared. It is ErrOther.
type RecipeError struct {
	Index, Other Recipe
	other        string // what has the other recipe
	hint         string
}

// Error says in words what differs. Details says it field by field.
func (e *RecipeError) Error() string {
	return strings.Join(e.Index.otherwise(e.Other, e.what()), "; ") + e.hint
}

// Details gives the fingerprints of both recipes and what differs, for whoever looks for
// the reason.
func (e *RecipeError) Details() string {
	return e.Index.against(e.Other, e.what()) + ":\n" + e.Index.differences(e.Other, e.what())
}

func (e *RecipeError) what() string { return cmp.Or(e.other, "the other") }

func (e *RecipeError) Is(target error) bool { return target == ErrOther }

// Check returns a *RecipeError unless vectors made by r can be compared with the
// gallery's.
func (g *Gallery) Check(r Recipe) error {
	if g == nil {
		return errors.New("gallery: the gallery is nil")
	}
	if g.Recipe.Fingerprint() == r.Fingerprint() {
		return nil
	}
	return fmt.Errorf("gallery: %w", &RecipeError{g.Recipe, r, "the query", "; describe the query as the index was"})
}

// against says how an index was made, and that something else was not so.
func (r Recipe) against(other Recipe, what string) string {
	by := ""
	if r.Program != "" {
		by = " by " + r.Program
	}
	if r.WeightsFile != "" {
		by += " with " + r.WeightsFile
	}
	return fmt.Sprintf("the index was made%s (fingerprint %s), %s another way (fingerprint %s)", by, r.Fingerprint(), what, other.Fingerprint())
}

// otherwise says in words what of an index's recipe is otherwise for something else.
func (r Recipe) otherwise(other Recipe, what string) []string {
	if r.Model != other.Model {
		return []string{fmt.Sprintf("the index was made with %s, %s with %s", r.named(), what, other.named())}
	}
	var differ []string
	if r.WeightsFingerprint != other.WeightsFingerprint {
		switch {
		case r.WeightsFile == "" || other.WeightsFile == "":
			differ = append(differ, "the models are different")
		case r.WeightsFile != other.WeightsFile:
			differ = append(differ, fmt.Sprintf("the index was made with the model %s, %s with %s", r.WeightsFile, what, other.WeightsFile))
		case r.Preprocessing != other.Preprocessing || r.Layer != other.Layer:
			differ = append(differ, fmt.Sprintf("the model %s is another one than when the index was made", r.WeightsFile))
		default:
			differ = append(differ, fmt.Sprintf("the model %s was trained anew after the index was made", r.WeightsFile))
		}
	}
	if r.Layer != other.Layer {
		differ = append(differ, fmt.Sprintf("the layer is %s in the index, %s in %s", cmp.Or(r.Layer, "none"), cmp.Or(other.Layer, "none"), what))
	}
	if r.Pooling != other.Pooling {
		differ = append(differ, fmt.Sprintf("the pooling is %s in the index, %s in %s", cmp.Or(r.Pooling, "none"), cmp.Or(other.Pooling, "none"), what))
	}
	if r.PCA != other.PCA {
		differ = append(differ, "the principal components are different")
	}
	if r.Preprocessing != other.Preprocessing && len(differ) == 0 {
		differ = append(differ, "pictures were prepared for the model in another way, as by another version of the program")
	}
	if r.EXIF != other.EXIF {
		differ = append(differ, fmt.Sprintf("the orientation that EXIF gives was %s for the index, and is %s for %s", cmp.Or(r.EXIF, "ignored"), cmp.Or(other.EXIF, "ignored"), what))
	}
	return differ
}

// named is the model as people know it.
func (r Recipe) named() string {
	switch {
	case r.Model == Imported:
		return "another program"
	case r.Model == "autoencoder" || r.Model == "embedding":
		return strings.TrimSpace("the model " + r.WeightsFile)
	}
	return r.Model
}

// differences lists what of an index's recipe is otherwise for something else, ""
// if their vectors can be compared.
func (r Recipe) differences(other Recipe, what string) string {
	if r.Fingerprint() == other.Fingerprint() {
		return ""
	}
	var differ []string
	for _, field := range []struct{ name, index, other string }{
		{"model", r.Model, other.Model},
		{"SHA-256 of the weights", r.WeightsFingerprint, other.WeightsFingerprint},
		{"layer", r.Layer, other.Layer},
		{"pooling", r.Pooling, other.Pooling},
		{"principal components", r.PCA, other.PCA},
		{"preprocessing", r.Preprocessing, other.Preprocessing},
		{"EXIF orientation", r.EXIF, other.EXIF},
	} {
		if field.index != field.other {
			differ = append(differ, fmt.Sprintf("  %s: %q in the index, %q in %s", field.name, field.index, field.other, what))
		}
	}
	return strings.Join(differ, "\n")
}
