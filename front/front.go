// Package front has the files that browsers load for the chat.
package front

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"
)

//go:generate go run parley/front/cmd/bundle -dir .

//go:embed dist
var dist embed.FS

// Files are what a browser loads: front.js, front.css and the pieces that they load later, beside them. front.js is a
// module. Files of one version are loaded from one directory: use Version in its address, and let browsers keep them.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the embedded directory is there
	}
	return sub
}

// Version names the content of Files: it differs when a byte of them differs.
func Version() string { return version() }

// Words are the English texts that the front shows, in order. The page hands over their translations.
func Words() []string { return words() }

// Preload names the modules that front.js needs before it can run. A page that names them (modulepreload) has them
// loaded at the same time.
func Preload() []string { return preload() }

var version = sync.OnceValue(func() string {
	sum := sha256.New()
	err := fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(Files(), name)
		fmt.Fprintf(sum, "%s %d\n", name, len(b))
		sum.Write(b)
		return err
	})
	if err != nil {
		panic(err) // embedded files can be read
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
})

var (
	words   = sync.OnceValue(func() []string { return list("words.json") })
	preload = sync.OnceValue(func() []string { return list("first.json") })
)

// list reads a list that the bundle tool has written.
func list(name string) (all []string) {
	b, err := fs.ReadFile(Files(), name)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		panic(fmt.Errorf("front: %s: %w", name, err))
	}
	return all
}
