package door

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"time"
)

// The limits for request bodies from unknown senders.
const (
	bodySize   = 64 << 10
	bodyTime   = 10 * time.Second
	bodies     = 512 // read at once
	bodiesFrom = 32  // read at once from one address
)

// ErrTooManyBodies is the error of reading a body while too many others are being read.
var ErrTooManyBodies = errors.New("door: too many requests are being read at once")

// Requests limits the bodies that h reads: 64 KiB in 10 s, and only so many at once, until Allow lifts that. A body
// that h does not read is not read at all. Put it inside Proxies.Handler, which determines the client's address.
func (o *House) Requests(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
			h.ServeHTTP(w, r)
			return
		}
		b := &body{
			ReadCloser: r.Body,
			gate:       o.bodies,
			rc:         http.NewResponseController(w),
			header:     w.Header(),
			left:       bodySize,
		}
		// RFC 9112, section 6.1: if a request has both chunks and a length, which net/http does not report, a proxy
		// before us may have seen another end of it. Whatever follows on the connection cannot be trusted.
		b.last = len(r.TransferEncoding) > 0
		// until the body is read, since otherwise the server reads it before it answers
		b.header.Set("Connection", "close")
		if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			b.from = ap.Addr()
		}
		_ = b.rc.SetReadDeadline(time.Now().Add(bodyTime))
		r = r.WithContext(context.WithValue(r.Context(), bodyKey{}, b))
		r.Body = b
		defer b.end()
		h.ServeHTTP(w, r)
	})
}

// Allow says that the sender of a request is known. The body may then be as large as its reader accepts, if some of it
// comes within each idle and all of it within all.
func Allow(ctx context.Context, idle, all time.Duration) {
	b, ok := ctx.Value(bodyKey{}).(*body)
	if !ok || b.over {
		return
	}
	b.idle, b.until = idle, time.Now().Add(all)
	b.pass.Leave()
}

type bodyKey struct{}

// body is the body of one request. It belongs to the request's handler.
type body struct {
	io.ReadCloser
	rc     *http.ResponseController
	header http.Header // of the answer
	last   bool        // nothing may follow on the connection
	gate   *Gate
	from   netip.Addr
	pass   *Pass
	begun  bool
	over   bool          // the body has been read to its end
	left   int64         // bytes that an unknown sender may still send
	idle   time.Duration // for a known sender; 0: the sender is unknown
	until  time.Time     // for a known sender
}

// Read reads the body within the limits. It returns ErrTooManyBodies while too many others are being read.
func (b *body) Read(p []byte) (int, error) {
	if b.over {
		return 0, io.EOF
	}
	if b.idle > 0 {
		due := time.Now().Add(b.idle)
		if due.After(b.until) {
			due = b.until
		}
		_ = b.rc.SetReadDeadline(due)
		n, err := b.ReadCloser.Read(p)
		b.ended(err)
		return n, err
	}
	if !b.begun {
		why := ""
		if b.pass, why = b.gate.Enter(b.from, false); why != "" {
			return 0, ErrTooManyBodies
		}
		b.begun = true
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		return int(b.left), &http.MaxBytesError{Limit: bodySize}
	}
	b.left -= int64(n)
	b.ended(err)
	return n, err
}

// ended notes the end of the body: from now on only writing the answer takes time.
func (b *body) ended(err error) {
	if !errors.Is(err, io.EOF) {
		return
	}
	b.over = true
	b.pass.Leave()
	if !b.last {
		b.header.Del("Connection")
	}
	_ = b.rc.SetReadDeadline(time.Time{})
}

// end gives back what the body holds. It does not wait for the rest of the body.
func (b *body) end() {
	b.pass.Leave()
	if !b.over {
		_ = b.rc.SetReadDeadline(time.Now())
	}
}
