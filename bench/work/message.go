package work

import (
	"bytes"
	"strconv"

	"parley/bench/load"
)

// message returns a message whose body names the lane it belongs to and its
// number there.
func message(typ, to string, lane int, seq int64) []byte {
	b := make([]byte, 0, 512)
	b = append(b, "<message type='"...)
	b = append(b, typ...)
	b = append(b, "' to='"...)
	b = append(b, to...)
	b = append(b, "' id='m"...)
	b = appendSeq(b, lane, seq, '-')
	b = append(b, "'><body>"...)
	b = appendSeq(b, lane, seq, ':')
	b = append(b, ' ')
	b = append(b, filler...)
	b = append(b, "</body><origin-id xmlns='urn:xmpp:sid:0' id='m"...)
	b = appendSeq(b, lane, seq, '-')
	return append(b, "'/></message>"...)
}

func appendSeq(b []byte, lane int, seq int64, sep byte) []byte {
	b = strconv.AppendInt(b, int64(lane), 10)
	b = append(b, sep)
	return strconv.AppendInt(b, seq, 10)
}

// seqOf reads lane and number from the text of the first element called name
// in st.
func seqOf(st []byte, name string) (lane int, seq int64, ok bool) {
	text := load.Text(st, name)
	if i := bytes.IndexByte(text, ' '); i >= 0 {
		text = text[:i]
	}
	l, n, found := bytes.Cut(text, []byte(":"))
	if !found {
		return 0, 0, false
	}
	lane, err := strconv.Atoi(string(l))
	if err != nil || lane < 0 {
		return 0, 0, false
	}
	seq, err = strconv.ParseInt(string(n), 10, 64)
	return lane, seq, err == nil && seq >= 0
}

// isError reports whether st is of type error.
func isError(st []byte) bool { return string(load.Attr(st, "type")) == "error" }
