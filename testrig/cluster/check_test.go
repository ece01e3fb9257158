package cluster

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"parley/testrig"
)

// check ends the talk and compares what the server said with what it has kept. Each message that was acknowledged and
// did not come back is in both archives, once and in the order in which it was sent. Nothing is kept twice, or in one
// of both only. Nothing was shown that is not kept. Streams show in the order of the archive. Who has read the archive
// from the last id that they were told of knows all of it; a message of which its sender was told nothing may be
// unknown to them: its node has died between keeping it and passing it on.
func (ts *talking) check(at *process) {
	ts.Helper()
	ts.end()
	archives := make(map[string][]kept)
	for _, t := range ts.all {
		c, err := at.connect(t.name, testrig.Password, "check")
		if err != nil {
			ts.Fatal(err)
		}
		t.streams = append(t.streams, nil)
		if !t.write(c, nil, "<presence/>") || !t.catchUp(c) {
			ts.Fatalf("%s cannot read the archive", t.name)
		}
		archives[t.name] = c.archive("")
		c.Close()
	}
	acked, refused, unsure := 0, 0, make(map[string]bool)
	for _, t := range ts.all {
		own, theirs := count(archives[t.name]), count(archives[t.to])
		for _, m := range t.all {
			switch n := own[m.key]; {
			case n != theirs[m.key]:
				ts.Errorf("%s is %d times in the archive of %s and %d times in that of %s",
					m.key, n, t.name, theirs[m.key], t.to)
			case n > 1:
				ts.Errorf("%s was sent once and is kept %d times", m.key, n)
			case m.refused != "" && !m.waits() && n != 0:
				ts.Errorf("%s came back (%s) and is kept", m.key, m.refused)
			case m.acked && m.refused == "" && n != 1:
				ts.Errorf("%s was acknowledged and is not kept", m.key)
			}
			switch {
			case m.waits():
				unsure[m.key] = true
			case m.refused != "":
				refused++
			case m.acked:
				acked++
			default:
				unsure[m.key] = true
			}
		}
		inOrder(ts.T, t.name, t, archives[t.name])
		inOrder(ts.T, t.to, t, archives[t.to])
	}
	for _, t := range ts.all {
		t.knows(archives[t.name], unsure)
	}
	ts.Logf("%d messages acknowledged, %d refused, %d of which nobody was told", acked, refused, len(unsure))
}

// waits says whether a message came back to be sent again. It may be kept all the same: what follows from keeping
// it, as that it waits for its recipient, could not be written.
func (m *sent) waits() bool { return strings.HasPrefix(m.refused, "wait ") }

func count(all []kept) map[string]int {
	n := make(map[string]int)
	for _, k := range all {
		n[k.key]++
	}
	return n
}

// inOrder checks that somebody's messages are in an archive in the order in which they were sent.
func inOrder(t testing.TB, owner string, by *talker, all []kept) {
	t.Helper()
	at := make(map[string]int)
	for i, k := range all {
		at[k.key] = i
	}
	last, before := -1, ""
	for _, m := range by.all {
		i, ok := at[m.key]
		if !ok {
			continue
		}
		if i < last {
			t.Errorf("in the archive of %s %s is before %s", owner, m.key, before)
		}
		last, before = i, m.key
	}
}

// knows compares what a talker was told with their archive.
func (t *talker) knows(all []kept, unsure map[string]bool) {
	t.t.Helper()
	ids := make(map[string]string)
	for i, k := range all {
		ids[k.id] = k.key
		if i > 0 && k.id <= all[i-1].id {
			t.t.Errorf("the archive of %s has %s, %s after %s, %s", t.name, k.key, k.id, all[i-1].key, all[i-1].id)
		}
		own := strings.HasPrefix(k.from, t.name+"@") // nobody is told what they write themselves
		if !t.known[k.id] && !unsure[k.key] && !own {
			t.t.Errorf("%s has read the archive to its end and does not know of %s, %s", t.name, k.key, k.id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.known)) {
		if _, ok := ids[id]; !ok {
			t.t.Errorf("%s was told of %s, which is not kept", t.name, id)
		}
	}
	for _, s := range t.streams {
		var last shown
		for _, m := range s {
			if ids[m.id.String()] != m.key {
				t.t.Errorf("%s was shown %s as %v, which is %q", t.name, m.key, m.id, ids[m.id.String()])
			}
			if m.late {
				continue
			}
			if m.id <= last.id {
				t.t.Errorf("%s was shown %s after %s", t.name, m.key, last.key)
			}
			last = m
		}
	}
}
