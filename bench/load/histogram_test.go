package load

import (
	"math"
	"testing"
	"time"
)

func TestBucketsAreMonotonicAndTight(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 31, 32, 33, 63, 64, 65, 1000, 1 << 20, 1<<20 + 1, 1 << 40, math.MaxInt64} {
		i := bucket(v)
		if i < last || i >= buckets {
			t.Fatalf("bucket(%d) = %d after %d of %d", v, i, last, buckets)
		}
		last = i
		up := upper(i)
		if up < v || float64(up) > float64(v)*1.04+1 {
			t.Errorf("value %d falls into a bucket that ends at %d", v, up)
		}
		if bucket(up) != i || (up < math.MaxInt64 && bucket(up+1) != i+1) {
			t.Errorf("bucket %d does not end at %d", i, up)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var h Histogram
	if h.Quantile(0.99) != 0 || h.Count() != 0 {
		t.Fatal("an empty histogram has values")
	}
	for i := 1; i <= 1000; i++ {
		h.Add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 500, 0.99: 990, 1: 1000} {
		want *= time.Millisecond
		got := h.Quantile(q)
		if got < want || float64(got) > float64(want)*1.04 {
			t.Errorf("quantile %v is %v, want %v to 4 %% above", q, got, want)
		}
	}
	if h.Count() != 1000 || h.Max() != time.Second {
		t.Errorf("count %d, max %v", h.Count(), h.Max())
	}
	h.Add(-time.Second)
	if h.Quantile(0) != 0 {
		t.Error("a negative duration does not count as zero")
	}
}
