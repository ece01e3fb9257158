package sqlstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// A journal is two files beside the database, written in turns. The entries in a file are moved to the database before
// the file is written over; see docs/decisions/007.
//
// A file begins with a header: magic, the database's id, the segment's number, where the segment before it ended (0: it
// was moved to the database when this one began), and the checksum of these. From segmentStart on there are records:
// length, checksum, entries. The checksum begins with that of the header, so what an earlier segment left in the file
// is never taken for a record. Numbers are little-endian, checksums CRC-32C.
//
// The files are full of zeros before the first record comes: a write within them changes nothing but data, and syncing
// it costs one write to the disk.
type journal struct {
	path  string // of the database
	id    [16]byte
	size  int64 // of a file; a record that is larger than that extends it
	files [2]*os.File

	previous position // the end of the segment before the present one

	number int64  // of the segment that is written; 0: none yet
	off    int64  // where its next record goes
	sum    uint32 // its header's checksum
	broken bool   // a failed record may stand at off
}

const (
	journalMagic = "parley journal 1"
	segmentStart = 4096
	segmentSize  = 4 << 20
	headerLen    = len(journalMagic) + 16 + 8 + 8 + 4
	recordHead   = 8
	maxRecord    = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// position is a place in the journal: all before it.
type position struct{ number, off int64 }

func (p position) before(q position) bool {
	return p.number < q.number || p.number == q.number && p.off < q.off
}

func (j *journal) name(number int64) string {
	return j.path + ".journal" + strconv.FormatInt(number&1, 10)
}

func (j *journal) file() *os.File { return j.files[j.number&1] }

func (j *journal) at() position { return position{j.number, j.off} }

// fits says whether a record of n bytes fits into the current segment. An empty segment takes any.
func (j *journal) fits(n int) bool {
	return j.off > 0 && (j.off == segmentStart || j.off+recordHead+int64(n) <= j.size)
}

// begin starts a segment, in the file of the last segment but one, which is lost. end is the end of the last segment; 0
// if none of its entries is needed any more.
func (j *journal) begin(number, end int64) (err error) {
	f := j.files[number&1]
	if f == nil {
		if f, err = j.create(j.name(number)); err != nil {
			return err
		}
		j.files[number&1] = f
	}
	h := make([]byte, 0, headerLen)
	h = append(append(h, journalMagic...), j.id[:]...)
	h = binary.LittleEndian.AppendUint64(h, uint64(number))
	h = binary.LittleEndian.AppendUint64(h, uint64(end))
	sum := crc32.Checksum(h, castagnoli)
	h = binary.LittleEndian.AppendUint32(h, sum)
	if err := writeSynced(f, h, 0); err != nil {
		return fmt.Errorf("store: journal: %w", err)
	}
	j.previous = j.at()
	j.number, j.off, j.sum, j.broken = number, segmentStart, sum, false
	return nil
}

// create makes a file of zeros whose data and name are on the disk.
func (j *journal) create(name string) (*os.File, error) {
	f, err := openSynced(name)
	if err != nil {
		return nil, fmt.Errorf("store: journal: %w", err)
	}
	err = fill(f, j.size)
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: journal: %w", err), os.Remove(name), f.Close())
	}
	return f, nil
}

func fill(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for off := int64(0); off < size; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-off)], off); err != nil {
			return err
		}
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// spare makes the next segment's file under another name in advance, so that nobody waits for it later; adopt renames
// it if it is needed.
func (j *journal) spare() (*os.File, error) { return j.create(j.path + ".journal.new") }

func (j *journal) adopt(f *os.File) error {
	next := j.number + 1
	if j.files[next&1] != nil {
		return errors.Join(f.Close(), os.Remove(j.path+".journal.new"))
	}
	err := os.Rename(j.path+".journal.new", j.name(next))
	if err == nil {
		err = syncDir(filepath.Dir(j.path))
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	j.files[next&1] = f
	return nil
}

// append writes a record and returns when it is on the disk. rec has recordHead free bytes at its front. After an error
// nothing is kept: the place is wiped, and nothing else is written before that has worked.
func (j *journal) append(rec []byte) error {
	if j.broken {
		if err := j.wipe(); err != nil {
			return err
		}
	}
	if len(rec) > maxRecord {
		return errors.New("store: too much for one commit")
	}
	binary.LittleEndian.PutUint32(rec, uint32(len(rec)-recordHead))
	binary.LittleEndian.PutUint32(rec[4:], j.checksum(rec[:4], rec[recordHead:]))
	if err := writeSynced(j.file(), rec, j.off); err != nil {
		j.broken = true
		return errors.Join(fmt.Errorf("store: journal: %w", err), j.wipe())
	}
	j.off += int64(len(rec))
	return nil
}

func (j *journal) checksum(length, entries []byte) uint32 {
	return crc32.Update(crc32.Update(j.sum, castagnoli, length), castagnoli, entries)
}

// wipe makes sure that a failed record is not found when the journal is read.
func (j *journal) wipe() error {
	if err := writeSynced(j.file(), make([]byte, recordHead), j.off); err != nil {
		return fmt.Errorf("store: journal: cannot take back a failed write: %w", err)
	}
	j.broken = false
	return nil
}

// close closes the files; with remove, because the database has everything, it deletes them.
func (j *journal) close(remove bool) (err error) {
	for i, f := range j.files {
		if f == nil {
			continue
		}
		err = errors.Join(err, f.Close())
		j.files[i] = nil
	}
	if remove {
		for n := range int64(2) {
			if rerr := os.Remove(j.name(n)); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
	}
	return err
}

// segment is a file of the journal as it is read back.
type segment struct {
	number, before int64 // before: the end of the segment before
	end            int64 // of its last good record
	sum            uint32
	b              []byte // all of the file
}

// read gives the segments on the disk in order: none, one or two.
func (j *journal) read() ([]segment, error) {
	var out []segment
	for n := range int64(2) {
		b, err := os.ReadFile(j.name(n))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("store: journal: %w", err)
		}
		s, ok := readHeader(b)
		if !ok {
			continue // it was never begun: a header is on the disk before the first record
		}
		if !bytes.Equal(b[len(journalMagic):len(journalMagic)+16], j.id[:]) {
			return nil, fmt.Errorf("store: %s belongs to another database: put that database back, or take "+
				"the file away", j.name(n))
		}
		out = append(out, s)
	}
	if len(out) == 2 && out[0].number > out[1].number {
		out[0], out[1] = out[1], out[0]
	}
	return out, nil
}

func readHeader(b []byte) (s segment, ok bool) {
	if len(b) < segmentStart || string(b[:len(journalMagic)]) != journalMagic {
		return s, false
	}
	at := len(journalMagic) + 16
	s.number = int64(binary.LittleEndian.Uint64(b[at:]))
	s.before = int64(binary.LittleEndian.Uint64(b[at+8:]))
	s.sum = crc32.Checksum(b[:at+16], castagnoli)
	s.b = b
	return s, s.number > 0 && s.sum == binary.LittleEndian.Uint32(b[at+16:])
}

// records gives the entries of all records from off on, and sets end. A last record that was cut off by a power failure
// is ignored; a damaged record before a good one is an error, because it had been acknowledged.
func (s *segment) records(off int64) (entries []byte, err error) {
	for {
		rec, ok := s.record(off)
		if !ok {
			break
		}
		entries = append(entries, rec...)
		off += recordHead + int64(len(rec))
	}
	s.end = off
	if n, ok := s.length(off); ok && n > 0 {
		if _, ok := s.record(off + recordHead + n); ok {
			return nil, fmt.Errorf("store: the journal's segment %d is damaged at byte %d", s.number, off)
		}
	}
	return entries, nil
}

func (s *segment) length(off int64) (int64, bool) {
	if off < segmentStart || off+recordHead > int64(len(s.b)) {
		return 0, false
	}
	n := int64(binary.LittleEndian.Uint32(s.b[off:]))
	return n, n > 0 && off+recordHead+n <= int64(len(s.b))
}

func (s *segment) record(off int64) ([]byte, bool) {
	n, ok := s.length(off)
	if !ok {
		return nil, false
	}
	head, rec := s.b[off:off+recordHead], s.b[off+recordHead:off+recordHead+n]
	sum := crc32.Update(crc32.Update(s.sum, castagnoli, head[:4]), castagnoli, rec)
	return rec, sum == binary.LittleEndian.Uint32(head[4:])
}
