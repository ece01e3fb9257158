package groups_test

import (
	"context"
	"testing"

	"parley/acts"
	"parley/muc"
	"parley/org"
)

// Who is in the room of a group that is deleted learns that, even if the room has still to take over an earlier change
// of the group, which it cannot read any more.
func TestDeletedAfterAChange(t *testing.T) {
	r := newRig(t)
	r.User("romeo", "juliet", "nurse")
	r.Login("juliet/balcony")
	g := r.group(org.Private)
	at := r.org.RoomJID(testHost, g.Room).String()
	r.Play("juliet sends: <presence to='" + at + "/Juliet'>" + x + "</presence>\njuliet forgets from " + at)
	begun, goOn := make(chan struct{}), make(chan struct{})
	r.svc.PostLoaded(g.Room, func(context.Context, *muc.Room) {
		close(begun)
		<-goOn
	})
	<-begun
	name := "Mantua"
	_, err := r.org.Update(t.Context(), acts.System, testHost, g.ID, org.GroupChange{Name: &name})
	if err == nil {
		err = r.org.DeleteGroup(t.Context(), acts.System, testHost, g.ID)
	}
	close(goOn)
	if err != nil {
		t.Fatal(err)
	}
	r.Play(`juliet gets: <presence type='unavailable' from='` + at + `/Juliet'><x xmlns='http://jabber.org/protocol/muc#user'>` +
		`<destroy><reason>the group was deleted</reason></destroy></x></presence>`)
}
