package sqlstore

import "parley/store"

// name gives an id to each entry of a batch that has none, before the first attempt to commit it. Batches with an owner
// in common are committed one after the other (see writer). So in each archive the order of ids is the order of
// commits, and a client that was told of an id finds everything else after it. Every attempt has the same ids, by which
// it is known what an earlier one has kept.
//
// Entries with an id keep it: those of rooms, because the stanza has the id in it and a room's goroutine commits one
// batch after the other, and those that are imported, which come where they were before.
//
// It holds for one process. When several write to one database, the transaction that inserts a batch raises a head of
// each archive in it, and gives ids anew that are not above these: see heads.go and docs/decisions/131.
func (s *Store) name(b *batch) {
	for _, r := range b.requests {
		for _, w := range r.ws {
			switch e := w.(type) {
			case *store.ArchiveEntry:
				s.nameOne(r, w, &e.ID)
			case *store.OfflineEntry:
				s.nameOne(r, w, &e.ID)
			}
		}
	}
}

func (s *Store) nameOne(r *request, w store.Write, id *store.ID) {
	if *id != 0 {
		return
	}
	*id = s.opts.IDs.Next()
	if s.beside.Load() {
		r.named = append(r.named, named{ownerOf(w), id})
	}
}

// tell says which entries are kept, in order, before a later batch of the same owners begins.
func tell(b *batch) {
	for _, r := range b.requests {
		if r.err != nil {
			continue
		}
		for _, w := range r.ws {
			if e, ok := w.(*store.ArchiveEntry); ok && e.Keeper != nil {
				e.Keeper.Kept()
			}
		}
	}
}
