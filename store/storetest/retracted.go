package storetest

import (
	"time"

	"parley/store"
)

// retractedUploads: the files of retracted messages, and who else has them.
func retractedUploads(s *suite) {
	s.user("romeo", "juliet")
	const file = "id_of-a-file" // of one letter more or less in a pattern it is not
	put := func(id string, expires time.Time) {
		s.ok(s.st.CreateUpload(s.ctx, store.Upload{
			Host:    host,
			ID:      id,
			Owner:   "romeo",
			Name:    "a.jpg",
			Size:    1,
			Created: at(100),
			Expires: expires,
		}, 0, 0))
		s.ok(s.st.FinishUpload(s.ctx, host, id))
	}
	put(file, at(1000))
	put("avatar", time.Time{})
	due := func(id, owner string, want bool) {
		s.Helper()
		s.same(must[bool](s)(s.st.RetractUpload(s.ctx, host, id, owner)), want)
	}
	due(file, "juliet", false)
	due("avatar", "romeo", false)
	due("nothing", "romeo", false)
	s.same(len(must[[]store.RetractedUpload](s)(s.st.RetractedUploads(s.ctx, host, 9))), 0)
	due(file, "romeo", true)
	us := must[[]store.RetractedUpload](s)(s.st.RetractedUploads(s.ctx, host, 9))
	if len(us) != 1 || us[0].ID != file || us[0].Owner != "romeo" || !us[0].Created.Equal(at(100)) {
		s.Fatalf("%+v", us)
	}
	due(file, "juliet", true) // somebody else's copy of the message
	s.ok(s.st.KeepUpload(s.ctx, us[0]))
	us = must[[]store.RetractedUpload](s)(s.st.RetractedUploads(s.ctx, host, 9))
	s.same(len(us), 1)
	s.ok(s.st.KeepUpload(s.ctx, us[0]))
	s.same(len(must[[]store.RetractedUpload](s)(s.st.RetractedUploads(s.ctx, host, 9))), 0)

	referred := func(want bool) {
		s.Helper()
		s.same(must[bool](s)(s.st.UploadReferred(s.ctx, us[0].Upload)), want)
	}
	in := []byte("<m>https://x/" + file + "/a.jpg</m>\x00\xff")
	entry := func(id store.ID, stanza []byte) *store.ArchiveEntry {
		return &store.ArchiveEntry{Host: host, Owner: "juliet", ID: id, With: "x@y", Stanza: stanza}
	}
	s.ok(s.st.Commit(s.ctx, entry(store.FirstID(at(200)), []byte("<m>https://x/idXof-a-file/a.jpg</m>"))))
	referred(false)
	s.ok(s.st.Commit(s.ctx, entry(store.FirstID(at(201)), in)))
	referred(true)
	s.ok(s.st.ReplaceArchived(s.ctx, host, "juliet", store.FirstID(at(201)), []byte("<m/>")))
	referred(false)
	s.ok(s.st.CreateRoom(s.ctx, store.Room{Host: rooms, Name: "r", Created: at(1)}))
	r := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "r"))
	s.ok(s.st.Commit(s.ctx, &store.RoomEntry{
		Host:   rooms,
		Room:   "r",
		Epoch:  r.Epoch,
		Seq:    1,
		ID:     store.FirstID(at(202)),
		Stanza: in,
	}))
	referred(true)
	s.ok(s.st.ReplaceInRoom(s.ctx, rooms, "r", store.FirstID(at(202)), []byte("<m/>")))
	referred(false)
	s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: "juliet", Name: "n", Created: at(1)}, 9))
	s.ok(s.st.Publish(s.ctx, host, "juliet", "n", store.Keep{Items: 9},
		store.NodeItem{ID: "1", Seq: store.FirstID(at(203)), Payload: in}))
	referred(true)
	s.ok(s.st.Purge(s.ctx, host, "juliet", "n"))
	referred(false)
	s.ok(s.st.Put(s.ctx, host, "k", in))
	referred(true)
	s.ok(s.st.Delete(s.ctx, host, "k"))
	referred(false)
	due(file, "romeo", true)
	s.ok(s.st.DeleteUpload(s.ctx, host, file))
	s.same(len(must[[]store.RetractedUpload](s)(s.st.RetractedUploads(s.ctx, host, 9))), 0)
	due(file, "romeo", false)
}
