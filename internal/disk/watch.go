package disk

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Watch watches a server's disks. Its methods are safe from any goroutine, but Run runs once.
type Watch struct {
	Disks []*Disk // the first disk is that of the data
	Log   *slog.Logger
	// Allow is called at every check of a disk with archives: with how many bytes one person may have written lately
	// while there is hardly any room, and with 0 when there is no limit.
	Allow func(bytes int64)
	// Count is called once, before the first limit, to count what people wrote before the start.
	Count func(ctx context.Context)
}

// Register adds the metrics of the disks.
func (w *Watch) Register(r prometheus.Registerer) {
	for _, d := range w.Disks {
		labels := prometheus.Labels{"disk": d.name}
		r.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name:        "parley_disk_free_bytes",
				Help:        "Room that is left on the disk.",
				ConstLabels: labels,
			}, func() float64 {
				free, _ := d.Look(0)
				return float64(free)
			}),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "parley_disk_low",
				Help: "1 below disk.low: no uploads; 2 below disk.lowest: messages of the " +
					"heaviest writers are refused.",
				ConstLabels: labels,
			}, func() float64 {
				_, f := d.Look(0)
				return float64(f)
			}))
	}
}

// Low returns an error that names the disks that are nearly full.
func (w *Watch) Low() error {
	var errs []error
	for _, d := range w.Disks {
		errs = append(errs, d.Says(d.Look(0)))
	}
	return errors.Join(errs...)
}

// Fits says whether there is room for a file of so many bytes.
func (w *Watch) Fits(bytes int64) bool {
	for _, d := range w.Disks {
		if d.uploads {
			if _, f := d.Look(bytes); f != Roomy {
				return false
			}
		}
	}
	return true
}

// Free gives the free bytes of the disk of the data; -1 if unknown.
func (w *Watch) Free() int64 {
	free, _ := w.Disks[0].Look(0)
	return free
}

// Run checks the disks until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for counted := false; ; {
		for _, d := range w.Disks {
			if w.check(d) == Lowest && d.archives && !counted {
				counted = true
				w.count(ctx)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// check logs once that a disk is nearly full, and once that it is not any more, which is when a tenth more than the
// mark is free.
func (w *Watch) check(d *Disk) Fullness {
	free, f := d.Look(0)
	was := Fullness(d.state.Load())
	if f < was {
		if _, all, ok := space(d.Dir); ok {
			mark := d.low
			if was == Lowest {
				mark = d.lowest
			}
			if free < mark.Of(all)+mark.Of(all)/10 {
				f = was
			}
		}
	}
	if d.archives {
		w.allow(free, f)
	}
	if f == was {
		return f
	}
	d.state.Store(int32(f))
	switch err := d.Says(free, f); {
	case err == nil:
		w.Log.Info("there is room on the disk again", "dir", d.Dir, "free", free)
	case f == Lowest:
		w.Log.Error(err.Error(), "free", free)
	default:
		w.Log.Warn(err.Error(), "free", free)
	}
	return f
}

// The bytes that one person may have written lately while the disk is nearly full: a part of the free space, so that
// the heaviest writers are refused first and others go on as long as possible, but never less than people write.
const (
	partOfRest = 16
	leastPart  = 256 << 10
)

func (w *Watch) allow(free int64, f Fullness) {
	allowed := int64(0)
	if f == Lowest {
		allowed = max(free/partOfRest, leastPart)
	}
	w.Allow(allowed)
}

func (w *Watch) count(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, countLately)
	defer cancel()
	w.Count(ctx)
}
