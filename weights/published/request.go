package published

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"lookalike/internal/web"
)

// passingError is a failure that may be over when the server is asked again.
type passingError struct {
	error
	after time.Duration // as the server wishes
}

func (e passingError) Unwrap() error { return e.error }

func passing(format string, args ...any) error {
	return passingError{error: fmt.Errorf(format, args...)}
}

// redirectError is a redirection that is not followed.
type redirectError string

func (e redirectError) Error() string { return string(e) }

var errSilent = errors.New("the server has fallen silent")

// follow says which redirections are followed.
func follow(r *http.Request, via []*http.Request) error {
	switch before := via[len(via)-1].URL; {
	case len(via) > 5:
		return redirectError("more than 5 redirections, one after the other")
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return redirectError("a redirection to " + web.Shown(r.URL.String()) + ", which is no web address")
	case before.Scheme == "https" && r.URL.Scheme == "http":
		return redirectError("a redirection from https to http, to " + web.Shown(r.URL.String()))
	}
	return nil
}

// request asks once for what is missing and takes what comes. Where another
// request may bring more, the error is a passingError.
func (d *download) request(ctx context.Context) error {
	if d.total > 0 && d.have == d.total {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(d.silence, func() { cancel(errSilent) })
	defer silence.Stop()

	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept-Encoding", "identity")
	if d.have > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.have))
		if d.state != "" {
			r.Header.Set("If-Range", d.state)
		}
	}
	response, err := d.client.Do(r)
	if err != nil {
		return d.network(ctx, err)
	}
	defer response.Body.Close()
	if whole, err := d.begin(response); whole || err != nil {
		return err
	}
	return d.take(ctx, response.Body, silence)
}

// begin reads the head of a response and makes the part ready for its body.
// whole says that nothing is missing.
func (d *download) begin(response *http.Response) (whole bool, err error) {
	code := response.StatusCode
	asked := response.Request.Header.Get("Range") != ""
	coding := response.Header.Get("Content-Encoding")
	switch {
	case code/100 == 2 && coding != "" && coding != "identity":
		return false, fmt.Errorf("%s sends the file in a coding that was not asked for, %.40q", d.address, coding)

	case code == http.StatusOK:
		total := max(response.ContentLength, 0)
		if err := d.check(total); err != nil {
			return false, err
		}
		if d.have > 0 {
			d.watch.Note("the server cannot go on in the middle, or has another file now; starting anew")
		}
		if err := d.anew(); err != nil {
			return false, err
		}
		d.total = max(d.size, total)
		return false, d.keep(stateOf(response))

	case code == http.StatusPartialContent && asked:
		from, total, ok := contentRange(response.Header.Get("Content-Range"))
		if !ok || from != d.have || d.state != "" && stateOf(response) != "" && stateOf(response) != d.state {
			if err := d.anew(); err != nil {
				return false, err
			}
			return false, passing("%s sent another part than it was asked for", d.address)
		}
		if err := d.check(total); err != nil {
			return false, err
		}
		d.total, d.pieces = max(d.size, total), true
		return false, nil

	case code == http.StatusRequestedRangeNotSatisfiable && asked:
		_, total, _ := contentRange(response.Header.Get("Content-Range"))
		if d.have == total && d.size == 0 {
			d.total = total
			return true, nil
		}
		if err := d.anew(); err != nil {
			return false, err
		}
		return false, passing("%s does not have the rest of this part", d.address)
	}

	err = fmt.Errorf("%s answers %d %s", d.address, code, http.StatusText(code))
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		err = passingError{err, time.Duration(min(max(seconds, 0), 60)) * time.Second}
	}
	return false, err
}

// check refuses a file of that many bytes, if it cannot be the right one; 0 is
// not known.
func (d *download) check(total int64) error {
	switch {
	case total > 0 && d.size > 0 && total != d.size:
		return fmt.Errorf("%s offers a file of %d bytes; the right one has %d", d.address, total, d.size)
	case total > longest:
		return fmt.Errorf("%s offers a file of %d bytes; at most %d are taken", d.address, total, int64(longest))
	}
	return nil
}

// take writes a body to the part, up to the size of the file: what a server
// sends beyond is not read.
func (d *download) take(ctx context.Context, body io.Reader, silence *time.Timer) error {
	buffer := make([]byte, 256<<10)
	for d.total == 0 || d.have < d.total {
		silence.Reset(d.silence)
		n, err := body.Read(buffer)
		silence.Stop() // a slow disk is not the server's fault
		if d.total > 0 {
			n = int(min(int64(n), d.total-d.have))
		} else if d.have+int64(n) > longest {
			if err := d.anew(); err != nil {
				return err
			}
			return fmt.Errorf("%s sends more than %d bytes; they are deleted", d.address, int64(longest))
		}
		written, failed := d.part.WriteAt(buffer[:n], d.have)
		d.have += int64(written)
		if failed != nil {
			return failed
		}
		d.watch.Bytes(d.have, d.total)
		switch {
		case err == io.EOF && d.total == 0:
			d.total = d.have
			return nil
		case err == io.EOF && d.have < d.total:
			return passing("%s stopped after %d of %d bytes", d.address, d.have, d.total)
		case err != nil && (d.have < d.total || d.total == 0):
			return d.network(ctx, err)
		}
	}
	return nil
}

// network tells what went wrong on the way.
func (d *download) network(ctx context.Context, err error) error {
	if context.Cause(ctx) == errSilent {
		return passing("%s: not a byte for %v", d.address, d.silence)
	}
	err = web.Plain(err)
	err = fmt.Errorf("%s: %w", d.address, err)
	_, redirect := errors.AsType[redirectError](err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, private := errors.AsType[*web.PrivateError](err)
	if redirect || certificate || private {
		return err
	}
	return passingError{error: err}
}

// stateOf is what a response calls the state of the file: a strong ETag, which
// changes with every byte, or else the time of the last change.
func stateOf(response *http.Response) string {
	if tag := state(response.Header.Get("ETag")); strings.HasPrefix(tag, `"`) {
		return tag
	}
	return state(response.Header.Get("Last-Modified"))
}

// contentRange reads "bytes FROM-TO/TOTAL", where TOTAL may be *, and
// "bytes */TOTAL", for which ok is false. What is not known is 0.
func contentRange(header string) (from, total int64, ok bool) {
	span, whole, _ := strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	first, last, _ := strings.Cut(span, "-")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil && n > 0 {
		total = n
	}
	from, err := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	ok = strings.HasPrefix(header, "bytes ") && err == nil && err2 == nil && 0 <= from && from <= to &&
		(whole == "*" || total > to)
	return from, total, ok
}
