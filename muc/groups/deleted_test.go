package groups_test

import (
	"context"
	"testing"

	"parley/acts"
	"parley/muc"
	"parley/org"
)

// The occupants of a deleted group's room are told that the group was deleted. An earlier change of the group, which
// the room cannot read any more, does not keep that from them.
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
