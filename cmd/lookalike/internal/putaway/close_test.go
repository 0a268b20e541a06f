package putaway

import (
	"os"
	"path/filepath"
	"testing"
)

// Close may be called again: it is no error, and a file that another program has made
// meanwhile under the name of a journal without steps stays.
func TestCloseTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := Create(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("another's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the second Close has removed what another program has made: %v", err)
	}
}
