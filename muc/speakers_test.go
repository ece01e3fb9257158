package muc

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/wire/jid"
)

// TestSpeakersAreBounded: the room forgets who has been silent for long, and who spoke first if there are too many.
func TestSpeakersAreBounded(t *testing.T) {
	var left []string
	r := &Room{hooks: []Hooks{{Left: func(o *Occupant) { left = append(left, o.nick) }}}}
	ctx, now := context.Background(), time.Now()
	speak := func(name string, at time.Time) {
		who := jid.MustParse(name + "@example.org")
		sp := r.speakers.of[who]
		if sp == nil {
			sp = &speaker{Occupant: &Occupant{bare: who}}
		}
		sp.nick, sp.at = name, at
		r.keepSpeaker(ctx, sp)
	}
	speak("first", now)
	for i := range maxSpeakers - 1 {
		speak(fmt.Sprint("n", i), now)
	}
	speak("first", now)
	if len(left) > 0 {
		t.Fatalf("%v are forgotten", left)
	}
	speak("last", now)
	if fmt.Sprint(left) != "[n0]" || len(r.speakers.of) != maxSpeakers || len(r.speakers.keys) != maxSpeakers {
		t.Errorf("%v are forgotten, %d are kept under %d names", left, len(r.speakers.of), len(r.speakers.keys))
	}

	// A name is free for others once its speaker has been silent, before the room forgets that.
	nurse, later := jid.MustParse("nurse@example.org"), now.Add(speakerIdle)
	if !r.spokenFor("first", nurse, later.Add(-1)) || r.spokenFor("first", nurse, later) {
		t.Error("the name of a speaker is free too early, or too late")
	}
	if r.spokenFor("first", jid.MustParse("first@example.org"), now) {
		t.Error("a speaker may not have the own name")
	}
	speak("last", later)
	if len(r.speakers.of) != 1 || r.speakers.last.Len() != 1 {
		t.Errorf("%d are kept", len(r.speakers.of))
	}
	r.silence(func(o *Occupant) bool { return o.nick == "last" })
	if len(r.speakers.of)+len(r.speakers.keys)+r.speakers.last.Len() != 0 || left[len(left)-1] != "last" {
		t.Error("who may not speak any more is kept")
	}
}
