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

// fullness says how full a disk is.
type fullness int32

const (
	roomy  fullness = iota
	low             // uploads are refused
	lowest          // on a disk with archives, the heaviest writers are refused
)

const (
	diskEvery   = 2 * time.Second // how often a disk is checked
	countLately = time.Minute     // limit for counting what was written before the start
)

// disk is a disk that holds data or uploads.
type disk struct {
	name     string // "data" or "uploads", as in the metric
	dir      string
	archives bool // it holds the embedded store
	uploads  bool
	low      config.Mark
	lowest   config.Mark
	state    atomic.Int32 // fullness as of the last check
}

// disksOf gives the disks that a configuration uses.
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

// look gives the free space, and how full the disk is once more bytes are added.
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

// says gives an error that explains a state to people who store something; nil if all is well.
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
	return fmt.Errorf("the disk is nearly full, %d MiB are left in %s: %s",
		free>>20, d.dir, strings.Join(what, ", and "))
}

// buildDisks finds the disks; the directories exist by then.
func (n *Node) buildDisks() {
	n.disks = disksOf(n.Config)
	for _, d := range n.disks {
		labels := prometheus.Labels{"disk": d.name}
		n.Registry.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name:        "parley_disk_free_bytes",
				Help:        "Room that is left on the disk.",
				ConstLabels: labels,
			}, func() float64 {
				free, _ := d.look(0)
				return float64(free)
			}),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name:        "parley_disk_low",
				Help:        "1 below disk.low: no uploads; 2 below disk.lowest: who writes most is refused.",
				ConstLabels: labels,
			}, func() float64 {
				_, f := d.look(0)
				return float64(f)
			}))
	}
}

// disksLow returns an error that names the disks that are nearly full.
func (n *Node) disksLow() error {
	var errs []error
	for _, d := range n.disks {
		errs = append(errs, d.says(d.look(0)))
	}
	return errors.Join(errs...)
}

// uploadFits says whether there is room for a file of so many bytes.
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

// watchDisks checks the disks until ctx ends.
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

// watchDisk logs once that a disk is nearly full, and once that it is not any more, which is when a tenth more than the
// mark is free.
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

// How much one person may have written lately while there is hardly any room: a part of what is left, so that the
// heaviest writers are refused first and others go on as long as possible, but never less than people write.
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

// countWritten adds what people wrote in the day before the start, which the node does not remember.
func (n *Node) countWritten(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, countLately)
	defer cancel()
	for _, h := range n.hosts {
		since, until := store.FirstID(n.began.Add(-24*time.Hour)), store.FirstID(n.began)
		err := n.Store.Written(ctx, h.Domain, n.Config.Rooms.Label+"."+h.Domain, since, until, h.Wrote)
		if err != nil && ctx.Err() == nil {
			n.Log.Error("cannot count what people wrote lately", "host", h.Domain, "err", err)
		}
	}
}
