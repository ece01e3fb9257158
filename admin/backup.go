package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Backup says what is in one.
type Backup struct {
	Version  string    `json:"version"`
	Created  time.Time `json:"created"`
	Engine   string    `json:"engine"`
	Database bool      `json:"database"` // it is in the backup
	Hosts    []string  `json:"hosts"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`             // of the files
	Missing  []string  `json:"missing,omitempty"` // what has to be backed up another way, and how
}

// Restored says what was put back.
type Restored struct {
	Backup
	Placed []string `json:"placed,omitempty"` // files and directories
}

// Backups make copies of what the server keeps.
type Backups interface {
	// Backup writes one, while the server runs. An error after the first byte leaves w without an end.
	Backup(ctx context.Context, w io.Writer) error
}

func (c *control) backups(op Backups) {
	c.mux.HandleFunc("GET /v1/backup", func(w http.ResponseWriter, r *http.Request) {
		unhurried(w)
		out := &started{w: w, kind: "application/x-tar"}
		err := op.Backup(r.Context(), out)
		c.log.Info("control", "do", "GET /v1/backup", "ok", err == nil)
		switch {
		case err != nil && !out.yes:
			reply(w, r, c.log, nil, err)
		case err != nil:
			c.log.Error("control: backup", "err", err)
			panic(http.ErrAbortHandler) // so that the other side sees that it is not whole
		}
	})
}

func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	res, err := c.send(ctx, "GET", []string{"backup"}, nil, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("the backup is not whole: %w", err)
	}
	return nil
}
