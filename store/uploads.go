package store

import (
	"context"
	"time"
)

// Upload is a file on the upload service (XEP-0363), or the slot for one.
type Upload struct {
	Host, ID    string // ID is random: whoever knows it may read the file
	Owner       string // localpart
	Name        string
	ContentType string
	Size        int64
	Created     time.Time
	Expires     time.Time // zero: never
	Done        bool      // the file has been uploaded
}

// RetractedUpload is a file of a retracted message.
type RetractedUpload struct {
	Upload
	Times int64 // how often it was retracted since it was last checked
}

// Uploads keeps the files of the upload service, without their contents.
type Uploads interface {
	// CreateUpload keeps a slot; ErrLimit if its owner would have more than files, or more than quota bytes (0: no
	// limit).
	CreateUpload(ctx context.Context, u Upload, files int, quota int64) error
	// Upload gives a file by its id; ErrNotFound if there is none.
	Upload(ctx context.Context, host, id string) (Upload, error)
	// FinishUpload notes that the file has been uploaded; ErrConflict if it was before.
	FinishUpload(ctx context.Context, host, id string) error
	// ExpiredUploads gives files that expired before now, and slots made before unused that were never used.
	ExpiredUploads(ctx context.Context, host string, now, unused time.Time, limit int) ([]Upload, error)
	// DeleteUpload removes a file.
	DeleteUpload(ctx context.Context, host, id string) error
	// RetractUpload notes that a message with a file was retracted. due says that the file has to be checked: it
	// belongs to this owner, or its owner retracted it before. Files that are kept for good, such as avatars, do not
	// belong to messages.
	RetractUpload(ctx context.Context, host, id, owner string) (due bool, err error)
	// RetractedUploads gives the files that have to be checked.
	RetractedUploads(ctx context.Context, host string, limit int) ([]RetractedUpload, error)
	// UploadReferred says whether anything that is kept mentions the file's id: a message that was not retracted, an
	// item of a node, a report. It may take a while.
	UploadReferred(ctx context.Context, u Upload) (bool, error)
	// KeepUpload notes that a file was checked and stays; it does nothing if the file was retracted once more
	// meanwhile.
	KeepUpload(ctx context.Context, u RetractedUpload) error
	// UploadsOf gives all files of an account.
	UploadsOf(ctx context.Context, host, owner string) ([]Upload, error)
}
