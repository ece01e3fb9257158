package sqlstore

import (
	"encoding/binary"
	"errors"
	"time"

	"parley/store"
)

// Kinds of entries in the journal. They are on disks: a number is never used again for something else.
const (
	kindArchive = 1
	kindOffline = 2
	kindRoom    = 3
)

// appendWrite encodes one entry: its kind, then its fields in the order of the table's columns.
func appendWrite(b []byte, w store.Write) []byte {
	switch e := w.(type) {
	case *store.ArchiveEntry:
		b = append(b, kindArchive, flag(e.Incoming))
		b = appendKey(b, e.Host, e.Owner, e.ID)
		b = appendText(b, e.With)
		b = appendText(b, e.WithRes)
		b = appendText(b, e.OriginID)
		b = appendText(b, e.Stanza)
	case *store.OfflineEntry:
		b = append(b, kindOffline, 0)
		b = appendKey(b, e.Host, e.Owner, e.ID)
		b = binary.AppendVarint(b, micros(e.Expires))
		b = appendText(b, e.Stanza)
	case *store.RoomEntry:
		b = append(b, kindRoom, flag(e.Subject))
		b = appendKey(b, e.Host, e.Room, e.ID)
		b = binary.AppendVarint(b, e.Epoch)
		b = binary.AppendVarint(b, e.Seq)
		b = appendText(b, e.Nick)
		b = appendText(b, e.OccupantID)
		b = appendText(b, e.Sender)
		b = appendText(b, e.OriginID)
		b = appendText(b, e.Stanza)
	}
	return b
}

func flag(b bool) byte { return byte(bit(b)) }

func appendKey(b []byte, host, owner string, id store.ID) []byte {
	b = appendText(b, host)
	b = appendText(b, owner)
	return binary.LittleEndian.AppendUint64(b, uint64(id))
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errEntry = errors.New("store: an entry of the journal cannot be read")

// decoder reads entries back. The bytes of stanzas stay where they are; names that come again and again are one string.
type decoder struct {
	b     []byte
	bad   bool
	names map[string]string
}

// next decodes one entry; nil at the end.
func (d *decoder) next() (store.Write, error) {
	if len(d.b) == 0 {
		return nil, nil
	}
	if len(d.b) < 2 {
		return nil, errEntry
	}
	kind, set := d.b[0], d.b[1] != 0
	d.b = d.b[2:]
	host, owner, id := d.name(), d.name(), d.id()
	var w store.Write
	switch kind {
	case kindArchive:
		w = &store.ArchiveEntry{Host: host, Owner: owner, ID: id, Incoming: set, With: d.name(), WithRes: d.name(), OriginID: string(d.bytes()), Stanza: d.bytes()}
	case kindOffline:
		w = &store.OfflineEntry{Host: host, Owner: owner, ID: id, Expires: d.when(), Stanza: d.bytes()}
	case kindRoom:
		w = &store.RoomEntry{Host: host, Room: owner, ID: id, Subject: set, Epoch: d.int(), Seq: d.int(), Nick: d.name(), OccupantID: d.name(),
			Sender: d.name(), OriginID: string(d.bytes()), Stanza: d.bytes()}
	default:
		return nil, errEntry
	}
	if d.bad {
		return nil, errEntry
	}
	return w, nil
}

func (d *decoder) bytes() []byte {
	n, used := binary.Uvarint(d.b)
	if used <= 0 || n > uint64(len(d.b)-used) {
		d.bad, d.b = true, nil
		return nil
	}
	v := d.b[used : used+int(n) : used+int(n)]
	d.b = d.b[used+int(n):]
	return v
}

func (d *decoder) name() string {
	b := d.bytes()
	if s, ok := d.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if d.names == nil {
		d.names = make(map[string]string)
	}
	d.names[s] = s
	return s
}

func (d *decoder) id() store.ID {
	if len(d.b) < 8 {
		d.bad, d.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return store.ID(v)
}

func (d *decoder) int() int64 {
	v, used := binary.Varint(d.b)
	if used <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[used:]
	return v
}

func (d *decoder) when() time.Time { return when(d.int()) }
