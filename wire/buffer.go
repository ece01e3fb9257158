package wire

import "sync"

// Sizes of the buffers that are pooled. Most of what is read or written at once fits into the small one; a page of an
// archive, an encrypted message to many devices or a picture need more.
const (
	smallBuffer = 4 << 10
	largeBuffer = 32 << 10
)

var (
	small = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	large = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// giveBuffer returns a buffer to the pool it is from, if it is from one.
func giveBuffer(b []byte) {
	switch cap(b) {
	case smallBuffer:
		small.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case largeBuffer:
		large.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	}
}
