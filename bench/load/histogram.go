package load

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Each power of two is cut into 1<<subBits steps, so that a quantile is at most
// about 3 % above the true value.
const (
	subBits = 5
	buckets = (64 - subBits + 1) << subBits
)

// Histogram counts durations in logarithmic buckets. All methods are safe from
// any goroutine; the zero value is empty and ready.
type Histogram struct {
	n   [buckets]atomic.Uint64
	max atomic.Int64
}

func bucket(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)<<subBits + int(v>>shift) - 1<<subBits
}

// upper returns the largest value that falls into bucket i.
func upper(i int) uint64 {
	if i < 1<<subBits {
		return uint64(i)
	}
	shift := i>>subBits - 1
	return (uint64(i&(1<<subBits-1))+1<<subBits+1)<<shift - 1
}

// Add counts one duration; a negative one counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.n[bucket(uint64(d))].Add(1)
	for {
		old := h.max.Load()
		if int64(d) <= old || h.max.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

// Count returns how many durations were added.
func (h *Histogram) Count() uint64 {
	var sum uint64
	for i := range h.n {
		sum += h.n[i].Load()
	}
	return sum
}

// Quantile returns the duration that the share q of all added ones does not
// exceed, 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	total := h.Count()
	if total == 0 {
		return 0
	}
	rank := uint64(q * float64(total))
	if float64(rank) < q*float64(total) || rank == 0 {
		rank++
	}
	var seen uint64
	for i := range h.n {
		if seen += h.n[i].Load(); seen >= rank {
			return min(time.Duration(upper(i)), h.Max())
		}
	}
	return h.Max()
}

// Max returns the longest duration added, exactly.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max.Load()) }
