package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func (r *recorder) Backup(_ context.Context, w io.Writer) error {
	r.note("backup")
	if r.err == nil || r.err.Error() == "late" {
		io.WriteString(w, strings.Repeat("tar", 2000))
	}
	return r.err
}

// A backup comes as it is; one that fails in the middle is seen to be cut, one that fails before has its reason.
func TestBackup(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
		size int
	}{{nil, "", 6000}, {errors.New("late"), "not whole", -1}, {Conflict("", "a backup is being made already"), "being made already", 0}} {
		c := NewClient(serve(t, &recorder{err: tc.err}, io.Discard))
		var b bytes.Buffer
		err := c.Backup(t.Context(), &b)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) || tc.size >= 0 && b.Len() != tc.size {
			t.Errorf("%v: got %v and %d bytes", tc.err, err, b.Len())
		}
		c.Close()
	}
}
