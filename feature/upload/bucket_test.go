package upload_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"parley/feature/upload"
)

// fakeBucket is an S3 object store on loopback, with its objects in memory.
type fakeBucket struct {
	web    *httptest.Server
	mem    *s3mem.Backend
	broken atomic.Bool // it answers with errors only
}

const bucketName = "files"

func newBucket(t *testing.T) *fakeBucket {
	b := &fakeBucket{mem: s3mem.New()}
	if err := b.mem.CreateBucket(bucketName); err != nil {
		t.Fatal(err)
	}
	h := gofakes3.New(b.mem).Server()
	b.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.broken.Load() {
			http.Error(w, "out of order", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(b.web.Close)
	return b
}

func (b *fakeBucket) config(t *testing.T) *upload.Bucket {
	u, err := url.Parse(b.web.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &upload.Bucket{
		Endpoint:  u.Host,
		Name:      bucketName,
		Region:    "us-east-1",
		Prefix:    "p/",
		AccessKey: "key",
		SecretKey: "secret",
		Plain:     true,
	}
}

// everywhere runs a test with files on disk and in an object store.
func everywhere(t *testing.T, change func(*upload.Config), test func(*testing.T, *rig)) {
	t.Run("disk", func(t *testing.T) { test(t, newRig(t, change)) })
	t.Run("bucket", func(t *testing.T) {
		b := newBucket(t)
		r := newRig(t, func(c *upload.Config) {
			c.Bucket = b.config(t)
			if change != nil {
				change(c)
			}
		})
		r.s3 = b
		test(t, r)
	})
}

// kept gives the names of all files that are kept, whole or not.
func (r *rig) kept() (names []string) {
	r.t.Helper()
	if r.s3 != nil {
		l, err := r.s3.mem.ListBucket(bucketName, nil, gofakes3.ListBucketPage{})
		if err != nil {
			r.t.Fatal(err)
		}
		for _, c := range l.Contents {
			names = append(names, c.Key)
		}
		return names
	}
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return names
}

// TestParts reads a file whole and in parts, and asks for its headers.
func TestParts(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	everywhere(t, func(c *upload.Config) { c.MaxSize, c.Quota = 10<<20, 10<<20 }, func(t *testing.T, r *rig) {
		put, get, auth := r.slot(request("a.mp4", fmt.Sprint(len(content)), " content-type='video/mp4'"))
		r.status(201, "PUT", put, auth, content)
		resp, body := r.do("GET", get, "", nil)
		if body != string(content) || resp.ContentLength != int64(len(content)) ||
			resp.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%d bytes, %v", len(body), resp.Header)
		}
		tag := resp.Header.Get("ETag")
		if resp, body := r.do("HEAD", get, "", nil); resp.StatusCode != 200 || body != "" ||
			resp.ContentLength != int64(len(content)) || resp.Header.Get("ETag") != tag || tag == "" {
			t.Errorf("HEAD: %d %v", resp.StatusCode, resp.Header)
		}
		r.status(304, "GET", get, "", nil, "If-None-Match", tag)
		for _, c := range []struct{ ask, got string }{{"bytes=0-15",
			"0123456789abcdef"}, {"bytes=3199998-", "ef"}, {"bytes=-3", "def"}, {"bytes=1600000-1600002", "012"}} {
			if resp, body := r.do("GET", get, "", nil, "Range", c.ask); resp.StatusCode != 206 || body != c.got {
				t.Errorf("%s: %d %q", c.ask, resp.StatusCode, body)
			}
		}
		if resp := r.status(416, "GET", get, "", nil,
			"Range", "bytes=9999999-"); resp.Header.Get("Content-Range") != "bytes */3200000" {
			t.Errorf("%v", resp.Header)
		}
		if resp, body := r.do("GET", get, "", nil, "Range", "bytes=0-1",
			"If-Range", `"other"`); resp.StatusCode != 200 || len(body) != len(content) {
			t.Errorf("If-Range: %d, %d bytes", resp.StatusCode, len(body))
		}
	})
}

// TestBrokenOff checks that a broken upload leaves nothing, and that the slot can be used again.
func TestBrokenOff(t *testing.T) {
	everywhere(t, nil, func(t *testing.T, r *rig) {
		put, get, auth := r.slot(request("a", "500", ""))
		u, err := url.Parse(put)
		if err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{
			"Content-Length: 500\r\n\r\nonly this", "Transfer-Encoding: chunked\r\n\r\n4\r\nonly\r\n0\r\n\r\n",
			"Transfer-Encoding: chunked\r\n\r\n201\r\n" + strings.Repeat("x", 0x201) + "\r\n0\r\n\r\n",
		} {
			c, err := net.Dial("tcp", u.Host)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\n%s", u.RequestURI(), u.Host, auth, how)
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			// The server has finished when the answer or the end of the connection comes.
			if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil && resp.StatusCode != 400 {
				t.Errorf("%.30q: %d", how, resp.StatusCode)
			}
			c.Close()
			if left := r.kept(); len(left) > 0 {
				t.Errorf("%.30q has left %v", how, left)
			}
		}
		r.status(404, "GET", get, "", nil)
		r.status(201, "PUT", put, auth, bytes.Repeat([]byte("x"), 500))
		r.status(200, "GET", get, "", nil)
	})
}

// TestStoreOutOfOrder checks that a slot can be used again when the store is back.
func TestStoreOutOfOrder(t *testing.T) {
	b := newBucket(t)
	r := newRig(t, func(c *upload.Config) { c.Bucket = b.config(t) })
	put, get, auth := r.slot(request("a", "1", ""))
	b.broken.Store(true)
	r.status(500, "PUT", put, auth, []byte("x"))
	b.broken.Store(false)
	r.status(201, "PUT", put, auth, []byte("x"))
	b.broken.Store(true)
	r.status(500, "GET", get, "", nil)
	b.broken.Store(false)
	r.status(200, "GET", get, "", nil)
	b.broken.Store(true)
	c := upload.Config{
		Domain: "other.example.org",
		Host:   r.host,
		Store:  r.st,
		Bucket: b.config(t),
		URL:    func() string { return "" },
	}
	if _, err := upload.New(t.Context(), c); err == nil || !strings.Contains(err.Error(), "object store") {
		t.Errorf("a service without its store: %v", err)
	}
}

// TestSweptAway checks that nothing is left if the slot or the account goes during an upload.
func TestSweptAway(t *testing.T) {
	everywhere(t, nil, func(t *testing.T, r *rig) {
		put, _, auth := r.slot(request("a", "4", ""))
		begun := false
		file := readerFunc(func(p []byte) (int, error) { // read once the server has begun
			if begun {
				return 0, io.EOF
			}
			begun = true
			us, err := r.st.UploadsOf(t.Context(), "example.org", "romeo")
			if err != nil || len(us) != 1 {
				t.Error(us, err)
				return 0, io.ErrUnexpectedEOF
			}
			if err := r.st.DeleteUpload(t.Context(), "example.org", us[0].ID); err != nil {
				t.Error(err)
			}
			return copy(p, "file"), nil
		})
		req, err := http.NewRequestWithContext(t.Context(), "PUT", put, file)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = 4
		req.Header.Set("Authorization", auth)
		req.Header.Set("Expect", "100-continue")
		transport := &http.Transport{ExpectContinueTimeout: time.Minute}
		defer transport.CloseIdleConnections()
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if !begun || resp.StatusCode != 403 {
			t.Errorf("%d", resp.StatusCode)
		}
		if left := r.kept(); len(left) > 0 {
			t.Errorf("there is %v", left)
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
