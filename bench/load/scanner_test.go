package load

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const stream = `<?xml version='1.0'?><stream:stream from="a.example" id='1>2' xmlns='jabber:client'>` +
	`<stream:features><bind xmlns='x'/><sm/></stream:features>` + " \n" +
	`<message to='a' id="x"><body>1 &gt; 0</body><x a='<>/'/></message><r xmlns='urn:xmpp:sm:3'/>` +
	`<presence/></stream:stream>`

func collect(t *testing.T, r io.Reader, size int) []string {
	t.Helper()
	sc := NewScanner(r, size)
	var got []string
	for {
		st, err := sc.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatalf("after %d elements: %v", len(got), err)
		}
		got = append(got, string(st))
	}
}

// However the bytes arrive and however small the buffer is, the same stanzas
// come out.
func TestScannerSplitsStream(t *testing.T) {
	want := []string{
		`<stream:stream from="a.example" id='1>2' xmlns='jabber:client'>`,
		`<stream:features><bind xmlns='x'/><sm/></stream:features>`,
		`<message to='a' id="x"><body>1 &gt; 0</body><x a='<>/'/></message>`,
		`<r xmlns='urn:xmpp:sm:3'/>`,
		`<presence/>`,
	}
	for _, size := range []int{1, 7, 64, 4096} {
		for name, r := range map[string]io.Reader{
			"whole":   strings.NewReader(stream),
			"by byte": iotest.OneByteReader(strings.NewReader(stream)),
			"halves":  iotest.HalfReader(strings.NewReader(stream)),
		} {
			got := collect(t, r, size)
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("%s, buffer %d:\n got %q\nwant %q", name, size, got, want)
			}
		}
	}
}

func TestScannerReportsCutStream(t *testing.T) {
	sc := NewScanner(strings.NewReader(`<s><message><body>`), 16)
	if _, err := sc.Next(); err != nil {
		t.Fatal(err)
	}
	if st, err := sc.Next(); err == nil || err == io.EOF {
		t.Fatalf("a cut stream gave %q, %v", st, err)
	}
}

func TestScannerBoundsStanza(t *testing.T) {
	big := `<s><message><body>` + strings.Repeat("x", maxStanza+1)
	sc := NewScanner(strings.NewReader(big), 4096)
	if _, err := sc.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := sc.Next(); err != ErrStanzaTooLarge {
		t.Fatalf("got %v, want %v", err, ErrStanzaTooLarge)
	}
}

func TestScannerRestart(t *testing.T) {
	sc := NewScanner(strings.NewReader(`<s><success/><s><iq/></s>`), 64)
	for _, want := range []string{`<s>`, `<success/>`, `<s>`, `<iq/>`} {
		st, err := sc.Next()
		if err != nil || string(st) != want {
			t.Fatalf("got %q, %v; want %q", st, err, want)
		}
		if want == `<success/>` {
			sc.Restart()
		}
	}
}

func TestAttrAndText(t *testing.T) {
	st := []byte(`<iq xid='no' id="a'b" type='result'><fin complete='true'><set><first index='0'>17</first><last/></set></fin></iq>`)
	for name, want := range map[string]string{"id": "a'b", "type": "result", "complete": "", "ty": ""} {
		if got := string(Attr(st, name)); got != want {
			t.Errorf("Attr(%s) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"first": "17", "last": "", "fi": ""} {
		if got := string(Text(st, name)); got != want {
			t.Errorf("Text(%s) = %q, want %q", name, got, want)
		}
	}
	if !Is(st, "iq") || Is(st, "i") || Name(st) != "iq" {
		t.Errorf("Is or Name wrong for %s", st)
	}
}

func BenchmarkScanner(b *testing.B) {
	msg := `<message xmlns='jabber:client' to='a@b.example' type='chat' id='12345'><body>` +
		strings.Repeat("word ", 50) +
		`</body><origin-id xmlns='urn:xmpp:sid:0' id='12345'/></message>`
	r := &repeat{head: "<s>", body: msg}
	sc := NewScanner(r, 4096)
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sc.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

// repeat reads as head followed by body for ever.
type repeat struct {
	head, body string
	off        int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.off == len(r.head) {
		r.head, r.off = r.body, 0
	}
	n := copy(p, r.head[r.off:])
	r.off += n
	return n, nil
}
