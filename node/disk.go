package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/config"
	"parley/store"
)

// fullness is how near its end a disk is.
type fullness int32

const (
	roomy  fullness = iota
	low             // no files are uploaded
	lowest          // where archives are on it: who has written most lately is refused what they write
)

const (
	diskEvery   = 2 * time.Second // a disk is looked at
	countLately = time.Minute     // counting what was written before the node began takes at most
)

// disk is one that data or uploads are on.
type disk struct {
	name     string // "data", "uploads": of the metric
	dir      string
	archives bool // the embedded store is on it
	uploads  bool
	low      config.Mark
	lowest   config.Mark
	state    atomic.Int32 // fullness, as it was seen last
}

// disksOf gives the disks that a configuration has something kept on.
func disksOf(c *config.Config) []*disk {
	lowMark, lowestMark := c.Disk.Marks()
	data := &disk{name: "data", dir: c.DataDir, low: lowMark, lowest: lowestMark}
	if p := sqlitePath(c); p != "" {
		data.dir, data.archives = filepath.Dir(p), true
	}
	if !c.Upload.Enabled || c.Upload.S3.Endpoint != "" {
		return []*disk{data}
	}
	dir := uploadsDir(c)
	if sameDisk(dir, data.dir) || isMissing(dir) && strings.HasPrefix(dir, data.dir+string(filepath.Separator)) {
		data.uploads = true
		return []*disk{data}
	}
	return []*disk{data, {name: "uploads", dir: dir, uploads: true, low: lowMark, lowest: lowestMark}}
}

func isMissing(dir string) bool {
	_, err := os.Stat(dir)
	return errors.Is(err, fs.ErrNotExist)
}

// look gives how much is left, and how near the end that is when so many bytes more are kept.
func (d *disk) look(more int64) (free int64, f fullness) {
	free, all, ok := diskSpace(d.dir)
	switch {
	case !ok:
		return -1, roomy
	case free-more < d.lowest.Of(all):
		return free, lowest
	case free-more < d.low.Of(all):
		return free, low
	}
	return free, roomy
}

// says tells what a state means to those who keep something here; nil if all is well.
func (d *disk) says(free int64, f fullness) error {
	if f == roomy {
		return nil
	}
	var what []string
	if d.uploads {
		what = append(what, "no files are uploaded")
	}
	if d.archives && f == lowest {
		what = append(what, "who has written most lately is refused what they write")
	}
	if len(what) == 0 {
		what = append(what, "soon nothing can be kept")
	}
	return fmt.Errorf("the disk is nearly full, %d MiB are left in %s: %s", free>>20, d.dir, strings.Join(what, ", and "))
}

// buildDisks is called when the directories are there.
func (n *Node) buildDisks() {
	n.disks = disksOf(n.Config)
	for _, d := range n.disks {
		labels := prometheus.Labels{"disk": d.name}
		n.Registry.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "parley_disk_free_bytes", Help: "Room that is left on the disk.", ConstLabels: labels}, func() float64 {
				free, _ := d.look(0)
				return float64(free)
			}),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "parley_disk_low", Help: "1 below disk.low: no uploads; 2 below disk.lowest: who writes most is refused.", ConstLabels: labels}, func() float64 {
				_, f := d.look(0)
				return float64(f)
			}))
	}
}

// disksLow says which disks are nearly full.
func (n *Node) disksLow() error {
	var errs []error
	for _, d := range n.disks {
		errs = append(errs, d.says(d.look(0)))
	}
	return errors.Join(errs...)
}

// uploadFits says whether a file of so many bytes may be uploaded.
func (n *Node) uploadFits(bytes int64) bool {
	for _, d := range n.disks {
		if d.uploads {
			if _, f := d.look(bytes); f != roomy {
				return false
			}
		}
	}
	return true
}

// watchDisks looks at the disks until ctx ends.
func (n *Node) watchDisks(ctx context.Context) error {
	t := time.NewTicker(diskEvery)
	defer t.Stop()
	for counted := false; ; {
		for _, d := range n.disks {
			if n.watchDisk(d) == lowest && d.archives && !counted {
				counted = true
				n.countWritten(ctx)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// watchDisk says once that a disk has come to be nearly full, or is no more. It is no more when a tenth is left above the mark.
func (n *Node) watchDisk(d *disk) fullness {
	free, f := d.look(0)
	was := fullness(d.state.Load())
	if f < was {
		if _, all, ok := diskSpace(d.dir); ok {
			mark := d.low
			if was == lowest {
				mark = d.lowest
			}
			if free < mark.Of(all)+mark.Of(all)/10 {
				f = was
			}
		}
	}
	if d.archives {
		n.allow(free, f)
	}
	if f == was {
		return f
	}
	d.state.Store(int32(f))
	switch err := d.says(free, f); {
	case err == nil:
		n.Log.Info("there is room on the disk again", "dir", d.dir, "free", free)
	case f == lowest:
		n.Log.Error(err.Error(), "free", free)
	default:
		n.Log.Warn(err.Error(), "free", free)
	}
	return f
}

// What one person may have written lately while there is hardly any room: a part of what is left, so that the heaviest are
// refused first and others go on for as long as anything can be written; but never less than people write.
const (
	partOfRest = 16
	leastPart  = 256 << 10
)

func (n *Node) allow(free int64, f fullness) {
	allowed := int64(0)
	if f == lowest {
		allowed = max(free/partOfRest, leastPart)
	}
	for _, h := range n.hosts {
		h.Allow(allowed)
	}
}

// countWritten adds what people wrote in the day before the node began, which it does not remember.
func (n *Node) countWritten(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, countLately)
	defer cancel()
	for _, h := range n.hosts {
		since, until := store.FirstID(n.began.Add(-24*time.Hour)), store.FirstID(n.began)
		err := n.Store.Written(ctx, h.Domain, n.Config.Rooms.Label+"."+h.Domain, since, until, h.Wrote)
		if err != nil && ctx.Err() == nil {
			n.Log.Error("what people have written lately cannot be counted", "host", h.Domain, "err", err)
		}
	}
}
