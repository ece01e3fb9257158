package cluster

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Topic says what a frame is about, and so which handler takes it.
type Topic uint8

// frameType says what a frame wants of its receiver.
type frameType uint8

const (
	frameTell    frameType = iota + 1 // wants nothing
	frameAsk                          // wants an answer
	frameAnswer                       // answers the frame that has its number
	frameRefusal                      // refuses that frame; the payload is the error's text
	framePing                         // wants a pong
	framePong                         // answers a ping
	frameFlush                        // wants an answer once everything that was sent before was handled
	frameResume                       // says how many frames have come over earlier connections
)

// frame is one message on a link. On the wire it is its length (of all that follows, 4 bytes), its type (1), its topic
// (1), its number (8), its queue (4), and the payload. Numbers are big-endian.
type frame struct {
	kind    frameType
	topic   Topic
	number  uint64 // of an ask, which its answer repeats; 0: there is no answer
	queue   uint32 // frames of one queue are handled in their order
	payload []byte

	order uint64 // of its coming, where it is handled
}

const (
	frameHead = 4 + 1 + 1 + 8 + 4
	// MaxFrame is the largest payload of a frame: what a stanza may have at most, and some more.
	MaxFrame = 16 << 20
)

var errFrame = errors.New("cluster: a frame that is none")

// appendFrame appends a frame as it is on the wire.
func appendFrame(b []byte, f frame) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(frameHead-4+len(f.payload)))
	b = append(b, byte(f.kind), byte(f.topic))
	b = binary.BigEndian.AppendUint64(b, f.number)
	b = binary.BigEndian.AppendUint32(b, f.queue)
	return append(b, f.payload...)
}

// readFrame reads a frame, whose payload is its own.
func readFrame(r *bufio.Reader) (f frame, err error) {
	head, err := r.Peek(frameHead)
	if err != nil {
		if errors.Is(err, io.EOF) && len(head) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return f, err
	}
	n := int(binary.BigEndian.Uint32(head)) - (frameHead - 4)
	f = frame{
		kind:   frameType(head[4]),
		topic:  Topic(head[5]),
		number: binary.BigEndian.Uint64(head[6:]),
		queue:  binary.BigEndian.Uint32(head[14:]),
	}
	if n < 0 || n > MaxFrame || f.kind < frameTell || f.kind > frameResume {
		return f, fmt.Errorf("%w: type %d, %d bytes", errFrame, f.kind, n)
	}
	if _, err := r.Discard(frameHead); err != nil {
		return f, err
	}
	if n > 0 {
		f.payload = make([]byte, n)
		if _, err := io.ReadFull(r, f.payload); err != nil {
			return f, err
		}
	}
	return f, nil
}
