package node

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parley/config"
	"parley/feature/directory"
	"parley/feature/proxy65"
	"parley/feature/upload"
	"parley/federation"
	"parley/muc"
	"parley/muc/groups"
	"parley/node/devcert"
	"parley/server"
	"parley/server/c2s"
	"parley/server/component"
	"parley/transfer"
)

var update = flag.Bool("update", false, "write docs/xeps.md")

// TestXEPs checks that docs/xeps.md agrees with the features.
func TestXEPs(t *testing.T) {
	cfg := config.Dev(t.TempDir())
	cert(t, cfg)
	n, err := New(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Store.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := slices.Concat(c2s.XEPs, component.XEPs, federation.XEPs, muc.XEPs, groups.XEPs, upload.XEPs, directory.XEPs,
		proxy65.XEPs, transfer.XEPs)
	for _, f := range n.hosts[0].Features {
		all = append(all, f.XEP...)
	}
	want := server.Matrix(all)
	name := filepath.Join("..", "docs", "xeps.md")
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/xeps.md is not what the features say: go test ./node -run XEPs -update (%v)", err)
	}
}

func cert(t *testing.T, cfg *config.Config) {
	t.Helper()
	files, err := devcert.Ensure(t.TempDir(), []string{cfg.Hosts[0].Domain}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cfg.TLS.Certificate, cfg.TLS.Key = files.Cert, files.Key
}
