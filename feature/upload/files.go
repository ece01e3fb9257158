package upload

import (
	"context"
	"errors"
	"io"
)

// files is where files are kept, under their ids.
type files interface {
	prepare(ctx context.Context) error
	// put keeps exactly size bytes of r: errSize if r has fewer or more. The file is durable when put returns; after an
	// error nothing is left. An existing file is an error (fs.ErrExist) or is replaced.
	put(ctx context.Context, id string, size int64, r io.Reader) error
	// open gives a file; fs.ErrNotExist if there is none.
	open(ctx context.Context, id string) (io.ReadSeekCloser, error)
	// remove removes a file if it exists.
	remove(ctx context.Context, id string) error
}

var errSize = errors.New("upload: not of the size that was asked for")

// body is what a client sends. It counts the bytes, and knows whether the client failed.
type body struct {
	r   io.Reader
	n   int64
	err error // io.EOF: it was read to its end
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if err != nil {
		b.err = err
	}
	return n, err
}

// broken says whether the client failed.
func (b *body) broken() bool { return b.err != nil && b.err != io.EOF }
