package store

import (
	"context"
	"time"
)

// Upload is a file that somebody has put, or may put, on the upload service (XEP-0363).
type Upload struct {
	Host, ID    string // ID is random and cannot be guessed: who knows it may read the file
	Owner       string // localpart
	Name        string
	ContentType string
	Size        int64
	Created     time.Time
	Expires     time.Time // zero: never
	Done        bool      // the file is there
}

type Uploads interface {
	// CreateUpload keeps a slot, if its owner then has no more than files, of no more than quota bytes in all (0: no limit):
	// ErrLimit.
	CreateUpload(ctx context.Context, u Upload, files int, quota int64) error
	Upload(ctx context.Context, host, id string) (Upload, error)
	// FinishUpload says that the file is there; ErrConflict if it was before.
	FinishUpload(ctx context.Context, host, id string) error
	// ExpiredUploads gives those whose time was over before now, and slots made before unused that were never used.
	ExpiredUploads(ctx context.Context, host string, now, unused time.Time, limit int) ([]Upload, error)
	DeleteUpload(ctx context.Context, host, id string) error
	// UploadsOf gives all of an account's.
	UploadsOf(ctx context.Context, host, owner string) ([]Upload, error)
}
