package wire

import "sync"

// The sizes of pooled buffers. The small one holds most of what is read or written at once; the others are for pages of
// an archive, messages encrypted for many devices, and pictures.
const (
	smallBuffer = 4 << 10
	largeBuffer = 32 << 10
)

var (
	small = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	large = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// giveBuffer returns a buffer to its pool; it ignores a buffer that is from no pool.
func giveBuffer(b []byte) {
	switch cap(b) {
	case smallBuffer:
		small.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case largeBuffer:
		large.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	}
}
