package admin

import (
	"context"
	"net/url"
	"strings"
)

// Photos are the pictures that the people of a host have published.
type Photos interface {
	// PhotoHash is another one whenever the picture is another; "" if there is none.
	PhotoHash(ctx context.Context, account string) (string, error)
	// Photo gives what was published, whatever it is; store.ErrNotFound if there is none.
	Photo(ctx context.Context, account string) (data []byte, hash string, err error)
}

// PhotoPath is the path of the page with a person's picture, another one when the picture is another; "" where the hash
// is "".
func PhotoPath(name, hash string) string {
	if hash == "" {
		return ""
	}
	return "/people/" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20") + "/photo?v=" + hash[:min(12, len(hash))]
}
