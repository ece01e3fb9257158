package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Bucket says which S3 object store keeps the files, instead of the node's disk.
type Bucket struct {
	Endpoint  string // host or host:port
	Name      string
	Region    string
	Prefix    string // of all names, such as "parley/"
	AccessKey string
	SecretKey string
	Plain     bool // without TLS
}

// bucket keeps files in an object store. Each file is stored by one request of known length, so that the store has all
// of it or nothing. One request can store 5 GiB; config limits upload.max_size to that.
type bucket struct {
	c            *minio.Client
	name, prefix string
}

func newBucket(b Bucket, host string) (*bucket, error) {
	c, err := minio.New(b.Endpoint, &minio.Options{
		Creds:      credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""),
		Secure:     !b.Plain,
		Region:     b.Region,
		MaxRetries: 3,
	})
	if err != nil {
		return nil, fmt.Errorf("object store: %w", err)
	}
	return &bucket{c, b.Name, b.Prefix + host + "/"}, nil
}

// prepareTime is how long a node waits for the store when it starts.
const prepareTime = 20 * time.Second

func (b *bucket) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	ok, err := b.c.BucketExists(ctx, b.name)
	if err != nil {
		return fmt.Errorf("object store: %w", err)
	}
	if !ok {
		return fmt.Errorf("object store: there is no bucket %s, or these keys do not open it", b.name)
	}
	return nil
}

func (b *bucket) put(ctx context.Context, id string, size int64, r io.Reader) error {
	in := &body{r: r}
	_, err := b.c.PutObject(ctx, b.name, b.prefix+id, in, size,
		minio.PutObjectOptions{DisableMultipart: true, ContentType: "application/octet-stream"})
	switch {
	case in.broken():
		return in.err
	case err != nil && in.err == io.EOF && in.n < size:
		return errSize // the store refused a file shorter than announced
	case err != nil:
		return fmt.Errorf("object store: %w", err)
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return errors.Join(errSize, b.remove(context.WithoutCancel(ctx), id))
	}
	return nil
}

func (b *bucket) open(ctx context.Context, id string) (io.ReadSeekCloser, error) {
	o, err := b.c.GetObject(ctx, b.name, b.prefix+id, minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("object store: %w", err)
	}
	if _, err := o.Stat(); err != nil { // the first request for the object
		_ = o.Close()
		if minio.ToErrorResponse(err).Code == "NoSuchKey" {
			return nil, fs.ErrNotExist
		}
		return nil, fmt.Errorf("object store: %w", err)
	}
	return o, nil
}

func (b *bucket) remove(ctx context.Context, id string) error {
	if err := b.c.RemoveObject(ctx, b.name, b.prefix+id, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("object store: %w", err)
	}
	return nil
}
