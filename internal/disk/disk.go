// Package disk watches how full disks are, and says what is not done any more when there is hardly any room.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Fullness says how full a disk is.
type Fullness int32

// How full a disk is.
const (
	Roomy  Fullness = iota
	Low             // uploads are refused
	Lowest          // on a disk with archives, the heaviest writers are refused
)

const (
	every       = 2 * time.Second // how often a disk is checked
	countLately = time.Minute     // time limit for counting what people wrote before the start
)

// Mark is an amount of free space.
type Mark interface {
	// Of returns the mark in bytes for a disk of this size in bytes.
	Of(disk int64) int64
}

// Disk is a disk that holds data or uploads.
type Disk struct {
	Dir      string
	name     string // "data" or "uploads", as in the metric
	archives bool   // it holds the embedded store
	uploads  bool
	low      Mark
	lowest   Mark
	state    atomic.Int32 // Fullness as of the last check
}

// Places says where a server keeps what.
type Places struct {
	Data     string // the data directory
	Database string // the file of the embedded store; "" if there is none
	Uploads  string // the directory of uploads; "" if there are none, or they are elsewhere

	Low    Mark // with less free space than this no files are uploaded
	Lowest Mark // with less free space than this the heaviest writers are refused
}

// Of gives the disks that a server uses; the first is that of its data.
func Of(p Places) []*Disk {
	data := &Disk{name: "data", Dir: p.Data, low: p.Low, lowest: p.Lowest}
	if p.Database != "" {
		data.Dir, data.archives = filepath.Dir(p.Database), true
	}
	if p.Uploads == "" {
		return []*Disk{data}
	}
	dir := p.Uploads
	if same(dir, data.Dir) || isMissing(dir) && strings.HasPrefix(dir, data.Dir+string(filepath.Separator)) {
		data.uploads = true
		return []*Disk{data}
	}
	return []*Disk{data, {name: "uploads", Dir: dir, uploads: true, low: p.Low, lowest: p.Lowest}}
}

func isMissing(dir string) bool {
	_, err := os.Stat(dir)
	return errors.Is(err, fs.ErrNotExist)
}

// Look gives the free space in bytes, -1 if it is unknown, and how full the disk is once more bytes are added.
func (d *Disk) Look(more int64) (free int64, f Fullness) {
	free, all, ok := space(d.Dir)
	switch {
	case !ok:
		return -1, Roomy
	case free-more < d.lowest.Of(all):
		return free, Lowest
	case free-more < d.low.Of(all):
		return free, Low
	}
	return free, Roomy
}

// Says gives an error that explains what Look has found to people who store something; nil if all is well.
func (d *Disk) Says(free int64, f Fullness) error {
	if f == Roomy {
		return nil
	}
	var what []string
	if d.uploads {
		what = append(what, "no files are uploaded")
	}
	if d.archives && f == Lowest {
		what = append(what, "messages from the people who wrote most lately are refused")
	}
	if len(what) == 0 {
		what = append(what, "soon nothing can be kept")
	}
	return fmt.Errorf("the disk is nearly full, %d MiB are left in %s: %s",
		free>>20, d.Dir, strings.Join(what, ", and "))
}
