package sqlstore

import (
	"encoding/binary"
	"errors"

	"parley/store"
)

// Kinds of entries in the journal. They are on disks: a number is never used again for something else.
const (
	kindArchive = 1
	kindOffline = 2
	kindRoom    = 3
)

// Flags in the byte after the kind.
const (
	flagSet    = 1 // Incoming, or Subject or Quiet
	flagSame   = 2 // the stanza is that of the entry before
	flagRefers = 4 // Refers follows the other fields; without it there is none
)

// appendWrite encodes one entry: its kind, flags, its fields, its stanza. last is the stanza of the entry before, if it
// is in the same record: of a local message both sides have the same.
func appendWrite(b []byte, w store.Write, last []byte) (out, stanza []byte) {
	switch e := w.(type) {
	case *store.ArchiveEntry:
		same := byte(0)
		if len(last) > 0 && len(e.Stanza) == len(last) && &e.Stanza[0] == &last[0] {
			same = flagSame
		}
		b = append(b, kindArchive, flag(e.Incoming)|same|refers(e.Refers))
		b = appendKey(b, e.Host, e.Owner, e.ID)
		b = appendText(b, e.With)
		b = appendText(b, e.WithRes)
		b = appendText(b, e.OriginID)
		if same == 0 {
			b = appendText(b, e.Stanza)
		}
		return appendRefers(b, e.Refers), e.Stanza
	case *store.OfflineEntry:
		b = append(b, kindOffline, 0)
		b = appendKey(b, e.Host, e.Owner, e.ID)
		b = binary.AppendVarint(b, micros(e.Expires))
		b = appendText(b, e.Stanza)
	case *store.RoomEntry:
		b = append(b, kindRoom, flag(e.Subject || e.Quiet)|refers(e.Refers))
		b = appendKey(b, e.Host, e.Room, e.ID)
		b = binary.AppendVarint(b, e.Seq)
		b = appendText(b, e.Nick)
		b = appendText(b, e.OccupantID)
		b = appendText(b, e.Sender)
		b = appendText(b, e.OriginID)
		b = appendText(b, e.Stanza)
		b = appendRefers(b, e.Refers)
	}
	return b, nil
}

func flag(b bool) byte { return byte(bit(b)) }

func refers(id string) byte { return flag(id != "") * flagRefers }

// appendRefers appends the id that few entries have, where flagRefers says so.
func appendRefers(b []byte, id string) []byte {
	if id == "" {
		return b
	}
	return appendText(b, id)
}

func appendKey(b []byte, host, owner string, id store.ID) []byte {
	b = appendText(b, host)
	b = appendText(b, owner)
	return binary.LittleEndian.AppendUint64(b, uint64(id))
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errEntry = errors.New("store: an entry of the journal cannot be read")

// decoder reads entries back as rows. The bytes of stanzas stay where they are; names that come again and again are one
// value.
type decoder struct {
	b     []byte
	bad   bool
	names map[string]any
	last  any // stanza
}

func (d *decoder) kind() (int, error) {
	if len(d.b) < 2 || d.b[0] < kindArchive || d.b[0] > kindRoom {
		return 0, errEntry
	}
	return int(d.b[0]), nil
}

// row decodes one entry, of which kind has been seen.
func (d *decoder) row(kind int, r *row) error {
	set, same := any(int64(d.b[1]&flagSet)), d.b[1]&flagSame != 0
	refers := d.b[1]&flagRefers != 0
	d.b = d.b[2:]
	host, owner, id := d.name(), d.name(), d.id()
	r.host, _ = host.(string)
	r.owner, _ = owner.(string)
	r.id = id
	c := &r.columns
	c[0], c[1], c[2] = host, owner, id
	switch kind {
	case kindArchive:
		c[3], c[4] = d.name(), d.name()
		c[5], c[6] = set, d.text()
		if !same {
			d.last = d.bytes()
		}
		c[7], c[8] = d.last, d.refers(refers)
		d.bad = d.bad || d.last == nil
	case kindOffline:
		c[3], c[4] = d.int(), d.bytes()
	case kindRoom:
		c[2], c[3] = d.int(), id
		c[4], c[5], c[6] = d.name(), d.name(), d.name()
		c[7], c[8], c[9], c[10] = d.text(), set, d.bytes(), d.refers(refers)
	}
	if d.bad {
		return errEntry
	}
	return nil
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

func (d *decoder) refers(there bool) any {
	if !there {
		return ""
	}
	return d.text()
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) name() any {
	b := d.bytes()
	s, ok := d.names[string(b)]
	if !ok {
		s = string(b)
		d.names[string(b)] = s
	}
	return s
}

func (d *decoder) id() int64 {
	if len(d.b) < 8 {
		d.bad, d.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return int64(v)
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
