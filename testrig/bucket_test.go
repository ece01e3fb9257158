package testrig

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"parley/config"
)

// TestFilesInABucket: with upload.s3 what people share is in the object store, and nowhere on the node's disk.
func TestFilesInABucket(t *testing.T) {
	mem := s3mem.New()
	if err := mem.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	s3 := httptest.NewServer(gofakes3.New(mem).Server())
	t.Cleanup(s3.Close)
	r := Start(t, func(c *config.Config) {
		c.Web.PlainLinks = false
		c.Upload.S3 = config.S3{
			Endpoint:  strings.TrimPrefix(s3.URL, "http://"),
			Bucket:    "files",
			Region:    "here",
			Prefix:    "parley/",
			AccessKey: "k",
			SecretKey: "s",
			Plain:     true,
		}
	})
	r.Account("romeo@example.org")
	c, err := r.Connect("tcp", "example.org")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.SignIn("romeo", Password); err != nil {
		t.Fatal(err)
	}
	if err := c.Bind("x"); err != nil {
		t.Fatal(err)
	}
	if err := c.Write("<iq type='get' id='slot' to='upload.example.org'><request xmlns='urn:xmpp:http:upload:0' " +
		"filename='a.txt' size='5' content-type='text/plain'/></iq>"); err != nil {
		t.Fatal(err)
	}
	slot, err := c.Next()
	if err != nil || slot.Attr("type") != "result" {
		t.Fatal(slot, err)
	}
	web := r.Browser(t)
	put := web.Do("PUT", slot.Find("put").Attr("url"), nil, func(q *http.Request) {
		q.Header.Set("Authorization", slot.Find("header").Text)
		q.Body, q.ContentLength = io.NopCloser(strings.NewReader("hello")), 5
	})
	if put.Status != http.StatusCreated {
		t.Fatal(put)
	}
	l, err := mem.ListBucket("files", nil, gofakes3.ListBucketPage{})
	if err != nil || len(l.Contents) != 1 || !strings.HasPrefix(l.Contents[0].Key, "parley/example.org/") ||
		l.Contents[0].Size != 5 {
		t.Fatalf("in the bucket: %+v %v", l, err)
	}
	if got := web.Do("GET", slot.Find("get").Attr("url"), nil, nil); got.Status != http.StatusOK ||
		got.Text != "hello" {
		t.Errorf("%+v", got)
	}
}
