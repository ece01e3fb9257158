package admin

import (
	"context"
	"net/url"
	"strings"
)

// Photos are the pictures that the people of a host have published.
type Photos interface {
	// PhotoHash changes with the picture; "" if there is none.
	PhotoHash(ctx context.Context, account string) (string, error)
	// Photo returns the published picture, whatever its format; store.ErrNotFound if there is none.
	Photo(ctx context.Context, account string) (data []byte, hash string, err error)
}

// PhotoPath returns the path of a person's picture, which changes with the picture; "" if the hash is "".
func PhotoPath(name, hash string) string {
	if hash == "" {
		return ""
	}
	return "/people/" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20") + "/photo?v=" + hash[:min(12, len(hash))]
}
