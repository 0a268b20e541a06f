// Package published has the weights of networks that are published: which there are, by
// name, and where they have been downloaded to. It brings them there. What a server sends is kept as NAME.part
// until it is whole and has the published checksum, so a file under its own
// name is a right one, and a download that was interrupted goes on where it
// stopped.
package published

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"lookalike/internal/atomicfile"
	"lookalike/internal/web"
	"lookalike/internal/words"
)

// Watch hears how a download gets on. Either function may be nil.
type Watch struct {
	// Bytes is told how many bytes are on the disk, first those of an earlier
	// run, and how many the file has, 0 if that is not known. A server that
	// cannot go on in the middle makes done start from 0 again.
	Bytes func(done, total int64)
	// Note is told, in a line for the user, of what delays the download.
	Note func(text string)
}

// ErrGivenUp is that a server could not be reached, or did not send the file, in some tries.
var ErrGivenUp = errors.New("given up")

// longest is the most that is taken of a file whose size is not known.
const longest = 4 << 30

// patience is how long a server is borne with.
type patience struct {
	silence time.Duration // without a byte, before the connection is given up
	tries   int           // without much coming of them
	wait    time.Duration // before the second try; doubled before each further one
	much    int64         // bytes after which tries are counted anew
}

// Download brings f to path, in place of what is there, and makes the folder if
// there is none. A size of 0 is taken as not known. The bytes go to path.part;
// one that is there already is gone on with. Servers that fail or fall silent
// are asked again, for the rest, a few times.
//
// When Download fails or ctx ends, path is as it was, and path.part is kept for
// the next call. Bytes that are whole but have another checksum are deleted: if
// they came in pieces, the file is fetched once more in one.
//
// allow says why a server's address must not be asked, also where a redirection leads.
// If it is nil, only addresses that are open to all are asked.
func Download(ctx context.Context, path string, f File, allow func(netip.Addr) error, watch Watch) error {
	if allow == nil {
		allow = web.Public
	}
	return patience{silence: 30 * time.Second, tries: 5, wait: time.Second, much: 1 << 20}.download(ctx, path, f, web.Transport(allow, http.ProxyFromEnvironment), watch)
}

func (p patience) download(ctx context.Context, path string, f File, transport http.RoundTripper, watch Watch) error {
	if _, err := web.Parse(f.URL); err != nil {
		return err
	}
	if f.Checksum.hash() == nil || f.Size < 0 {
		return fmt.Errorf("no file to download: checksum %q, %d bytes", f.Checksum, f.Size)
	}
	if watch.Bytes == nil {
		watch.Bytes = func(done, total int64) {}
	}
	if watch.Note == nil {
		watch.Note = func(string) {}
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("cannot write %s: it exists and is not a regular file", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	output, err := atomicfile.Reserve(path)
	if errors.Is(err, atomicfile.ErrBusy) {
		return fmt.Errorf("%s is being downloaded already, by another process", path)
	} else if err != nil {
		return err
	}
	defer output.Close()
	path = output.Path() // links followed
	d := &download{patience: p, watch: watch, path: path, url: f.URL, address: web.Shown(f.URL), checksum: f.Checksum, size: f.Size, total: f.Size}
	if err := d.open(); err != nil {
		return err
	}
	d.client = &http.Client{Transport: transport, CheckRedirect: follow}
	err = d.run(ctx)
	if closed := d.close(); err == nil {
		err = closed
	}
	return err
}

// download is a file on its way.
type download struct {
	patience
	watch    Watch
	path     string
	url      string
	address  string // url as messages show it
	checksum Checksum
	size     int64 // that the file must have, 0 if not known
	client   *http.Client

	part   *os.File
	have   int64  // bytes in part
	total  int64  // bytes of the whole, as size or the server says, 0 if not known
	state  string // the server's name for the state of the file that part is of
	pieces bool   // part did not come in one response
	right  bool   // part is whole, checked and on the disk
}

func (d *download) partName() string  { return d.path + ".part" }
func (d *download) stateName() string { return d.path + ".part.state" }

// open opens the part.
func (d *download) open() error {
	f, err := os.OpenFile(d.partName(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is in the way: it is not a regular file", f.Name())
	}
	if err != nil {
		f.Close()
		return err
	}
	d.part, d.have, d.pieces = f, info.Size(), info.Size() > 0
	if raw, err := os.ReadFile(d.stateName()); err == nil && d.pieces {
		d.state = state(string(raw))
	}
	return nil
}

// close ends the use of the part. It takes its name away if it is empty, and
// gives it its final one if it is complete.
func (d *download) close() error {
	d.part.Close() // what was written has been synced; Windows renames no open file
	switch {
	case d.right:
		os.Remove(d.stateName())
		return atomicfile.Rename(d.partName(), d.path)
	case d.have == 0:
		os.Remove(d.stateName())
		os.Remove(d.partName())
	}
	return nil
}

// anew forgets what there is.
func (d *download) anew() error {
	d.have, d.total, d.state, d.pieces = 0, d.size, "", false
	os.Remove(d.stateName())
	return d.part.Truncate(0)
}

// run receives the file and checks it.
func (d *download) run(ctx context.Context) error {
	if d.size > 0 && d.have > d.size { // of another file
		if err := d.anew(); err != nil {
			return err
		}
	}
	for again := false; ; again = true {
		d.watch.Bytes(d.have, d.total)
		if err := d.receive(ctx); err != nil {
			if d.have > 0 {
				return fmt.Errorf("%w; %s of it kept in %s, the next download goes on from there", err, words.Megabytes(d.have), d.partName())
			}
			return err
		}
		got, err := d.checksum.of(ctx, io.NewSectionReader(d.part, 0, d.have))
		if err != nil {
			return err
		}
		if got == d.checksum {
			break
		}
		pieces, bytes := d.pieces, d.have
		if err := d.anew(); err != nil {
			return err
		}
		if !pieces || again {
			return fmt.Errorf("%s sent a wrong file: %d bytes with the checksum %v, not %v; they are deleted", d.address, bytes, got, d.checksum)
		}
		d.watch.Note("the pieces do not make the right file; starting anew")
	}
	if err := d.part.Sync(); err != nil {
		return err
	}
	d.right = true
	return nil
}

// receive asks for what is missing until there is nothing missing.
func (d *download) receive(ctx context.Context) error {
	wait, most, told := d.wait, d.have, ""
	for try := 1; ; try++ {
		err := d.request(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		passing, ok := errors.AsType[passingError](err)
		if !ok {
			return err
		}
		if d.have-most >= d.much { // more than ever, so this ends
			try, wait, most = 1, d.wait, d.have
		}
		if try >= d.tries {
			return fmt.Errorf("%w; %w after %d tries", err, ErrGivenUp, try)
		}
		pause := max(wait, passing.after)
		wait *= 2
		note := fmt.Sprintf("trying again in %v", pause)
		if why := err.Error(); why != told { // the same need not be read twice
			note, told = why+"; "+note, why
		}
		d.watch.Note(note)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// keep notes what the server calls the state of the file, so that a later run
// can ask for the rest of just that.
func (d *download) keep(name string) error {
	d.state = name
	if name == "" {
		return nil
	}
	return os.WriteFile(d.stateName(), []byte(name), 0o644)
}

// state returns s if it can stand in a request, otherwise nothing.
func state(s string) string {
	if len(s) > 256 || strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
		return ""
	}
	return s
}
