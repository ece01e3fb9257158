package org

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"sync"

	"parley/internal/fault"
	"parley/internal/picture"
	"parley/store"
)

// The picture of a group is its photo, else its emoji on a coloured tile. Tiles are drawn on demand and not stored.

// maxTiles is how many tiles are cached, of about 2 KB each.
const maxTiles = 1024

type tile struct {
	emoji string
	hue   int
}

// tiles caches tiles. A photo without bytes stands for an emoji that cannot be drawn.
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
	for old := range ts.m { // any of them
		if len(ts.m) < maxTiles {
			break
		}
		delete(ts.m, old)
	}
	ts.m[k] = p
	return p, nil
}

// PictureHash returns the hash of the group's picture; "" if it has none.
func (o *Org) PictureHash(g store.Group) (string, error) {
	if g.PhotoHash != "" {
		return g.PhotoHash, nil
	}
	p, err := o.tiles.of(g)
	return p.Hash, err
}

// Picture gives a group's picture; NotFound if it has neither a photo nor an emoji that can be drawn.
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
		err = fault.New(fault.NotFound, "", "the group has no photo")
	}
	return p, err
}
