package upload

import (
	"context"
	"errors"
	"io"
)

// files is where files are kept, under their ids.
type files interface {
	prepare(ctx context.Context) error
	// put keeps exactly size bytes of r: errSize if there are not so many. It is durable when put returns, and of what
	// fails nothing is left. What was there before may be an error (fs.ErrExist), or is replaced.
	put(ctx context.Context, id string, size int64, r io.Reader) error
	// open gives a file; fs.ErrNotExist.
	open(ctx context.Context, id string) (io.ReadSeekCloser, error)
	// remove takes a file away, if it is there.
	remove(ctx context.Context, id string) error
}

var errSize = errors.New("upload: not of the size that was asked for")

// body is what a client sends; it remembers how much came, and whether it was the client that failed.
type body struct {
	r   io.Reader
	n   int64
	err error // io.EOF: it came to its end
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if err != nil {
		b.err = err
	}
	return n, err
}

// broken says that the client failed.
func (b *body) broken() bool { return b.err != nil && b.err != io.EOF }
