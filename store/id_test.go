package store

import (
	"math"
	"slices"
	"sync"
	"testing"
	"testing/quick"
	"time"
)

func TestIDText(t *testing.T) {
	if err := quick.Check(func(v int64) bool {
		id := ID(v &^ (-1 << 63))
		got, err := ParseID(id.String())
		return err == nil && got == id
	}, nil); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "0", "zzzzzzzzzzzzz", "00000000000u0", "00000000000000", "0000000000A00"} {
		if _, err := ParseID(bad); err == nil {
			t.Errorf("%q is taken for an id", bad)
		}
	}
}

func TestIDsRise(t *testing.T) {
	var g IDs
	var mu sync.Mutex
	var wg sync.WaitGroup
	var all []ID
	for range 8 {
		wg.Go(func() {
			mine := make([]ID, 2000)
			for i := range mine {
				mine[i] = g.Next()
			}
			if !slices.IsSorted(mine) {
				t.Error("ids of one goroutine do not rise")
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(all)
	if len(slices.Compact(all)) != 16000 {
		t.Error("an id was given twice")
	}
	if d := time.Since(g.Next().Time()); d > time.Minute || d < -time.Minute {
		t.Errorf("an id's time is %v off", d)
	}
}

func TestFirstIDFarAway(t *testing.T) {
	for _, year := range []int{1, 2019, 2020, 2026, 2090, 2092, 2100, 2400, 9999} {
		id := FirstID(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
		if before, after := year <= 2020, year > 2091; id < 0 || before != (id == 0) || after != (id == math.MaxInt64) {
			t.Errorf("%d: %d", year, id)
		}
	}
}

// Ids rise whatever the clock does, and begin above what was kept.
func TestIDsOfAClockSetBack(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	g := IDs{Clock: func() time.Time { return now }}
	first := g.Next()
	if g.Behind() != 0 {
		t.Errorf("behind by %v", g.Behind())
	}
	now = now.Add(-time.Minute)
	if second := g.Next(); second <= first {
		t.Error("an id does not rise")
	}
	if d := g.Behind(); d.Round(time.Second) != time.Minute {
		t.Errorf("behind by %v", d)
	}
	next := IDs{Clock: g.Clock}
	next.Begin(first + 1<<50)
	next.Begin(first)
	if id := next.Next(); id <= first+1<<50 {
		t.Error("an id of the next start is not above the highest")
	}
	if at := next.Now(); !at.After(now) {
		t.Errorf("it is %v", at)
	}
}
