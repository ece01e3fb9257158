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

// RetractedUpload is a file of a message that was taken back.
type RetractedUpload struct {
	Upload
	Times int64 // that it was since it was looked at
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
	// RetractUpload notes that a message with a file was taken back; the file has to be looked at if it is this owner's, or was
	// taken back by its owner before. Files that are kept for good, such as avatars, are no messages'.
	RetractUpload(ctx context.Context, host, id, owner string) (due bool, err error)
	// RetractedUploads gives those that have to be looked at.
	RetractedUploads(ctx context.Context, host string, limit int) ([]RetractedUpload, error)
	// UploadReferred says whether anything that is kept has the file's id in it: a message that was not taken back, an item
	// of a node, a report. It may take a while.
	UploadReferred(ctx context.Context, u Upload) (bool, error)
	// KeepUpload notes that a file was looked at, and stays; nothing if it was taken back once more since it was given.
	KeepUpload(ctx context.Context, u RetractedUpload) error
	// UploadsOf gives all of an account's.
	UploadsOf(ctx context.Context, host, owner string) ([]Upload, error)
}
