package org

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"sync"

	"parley/internal/picture"
	"parley/store"
)

// What a group shows: its photo, else its emoji on a coloured tile, which is drawn when it is asked for and kept nowhere.

// maxTiles is how many are remembered, of some 2 KB each.
const maxTiles = 1024

type tile struct {
	emoji string
	hue   int
}

// tiles remembers what was drawn; a photo of no bytes is one that cannot be.
type tiles struct {
	mu sync.Mutex
	m  map[tile]store.Photo
}

func (ts *tiles) of(g store.Group) (store.Photo, error) {
	if g.Emoji == "" {
		return store.Photo{}, nil
	}
	k := tile{g.Emoji, picture.Hue(g.Slug)}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if p, ok := ts.m[k]; ok {
		return p, nil
	}
	b, ok, err := picture.Emoji(k.emoji, k.hue)
	if err != nil {
		return store.Photo{}, fmt.Errorf("draw %q: %w", k.emoji, err)
	}
	var p store.Photo
	if ok {
		sum := sha1.Sum(b)
		p = store.Photo{Type: "image/png", Hash: hex.EncodeToString(sum[:]), Data: b}
	}
	if ts.m == nil {
		ts.m = make(map[tile]store.Photo)
	}
	for old := range ts.m { // any one
		if len(ts.m) < maxTiles {
			break
		}
		delete(ts.m, old)
	}
	ts.m[k] = p
	return p, nil
}

// PictureHash gives the hash of what Picture gives for the group; "" if it shows nothing.
func (o *Org) PictureHash(g store.Group) (string, error) {
	if g.PhotoHash != "" {
		return g.PhotoHash, nil
	}
	p, err := o.tiles.of(g)
	return p.Hash, err
}

// Picture gives what a group shows; NotFound if it has neither a photo nor an emoji that can be drawn.
func (o *Org) Picture(ctx context.Context, host, id string) (store.Photo, error) {
	g, err := o.GroupByID(ctx, host, id)
	if err != nil {
		return store.Photo{}, err
	}
	if g.PhotoHash != "" {
		return o.Photo(ctx, host, id)
	}
	p, err := o.tiles.of(g)
	if err == nil && p.Hash == "" {
		err = &Error{NotFound, "", "the group has no photo"}
	}
	return p, err
}
