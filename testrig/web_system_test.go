package testrig_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/store"
	"parley/testrig"
	"parley/transfer/backup"
)

// An owner makes a backup on the page of the system; it is whole, and the newest few are kept.
func TestBackupOnPage(t *testing.T) {
	var dir string
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Backup.Keep = 1
		dir = filepath.Join(c.DataDir, "backups")
	})
	r.Account("!romeo", "!paris", "tybalt")
	role(t, r, "romeo", store.RoleOwner, "")
	owner, admin, other := r.Browser(t), r.Browser(t), r.Browser(t)
	owner.SignIn("romeo")
	admin.SignIn("paris")
	other.SignIn("tybalt")
	if p := owner.Get("/admin/system"); !strings.Contains(p.Text, "No backup yet.") ||
		!strings.Contains(p.Text, "Messages between people") {
		t.Error("the page lacks storage or backups")
	}
	for _, b := range []*testrig.Browser{admin, other} {
		if p := b.Post("/admin/system/backup"); p.Status != http.StatusForbidden {
			t.Errorf("who is no owner: %d", p.Status)
		}
	}
	if strings.Contains(admin.Get("/admin/system").Text, "Back up now") {
		t.Error("it is offered to who may not")
	}
	// An older one, that goes when there is a newer.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "parley-20200101-000000.tar")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p := owner.Post("/admin/system/backup"); p.Status != http.StatusSeeOther {
		t.Fatal(p.Status, p.Text)
	}
	var text string
	for late := time.Now().Add(time.Minute); !strings.Contains(text, "The last one:"); {
		if text = owner.Get("/admin/system").Text; time.Now().After(late) {
			t.Fatal("it does not end")
		}
	}
	var files []string
	for late := time.Now().Add(time.Minute); ; { // the older file is removed after the answer
		var err error
		if files, err = filepath.Glob(filepath.Join(dir, "*")); err != nil || time.Now().After(late) {
			t.Fatal(err, files)
		}
		if len(files) == 1 && files[0] != old && strings.HasSuffix(files[0], ".tar") {
			break
		}
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := backup.Verify(t.Context(), f); err != nil || !b.Database {
		t.Errorf("%+v %v", b, err)
	}
	es, err := r.Node.Store.AuditEntries(t.Context(), testrig.Host,
		store.AuditFilter{Action: "system.backup", Limit: 5})
	if err != nil || len(es) != 1 || es[0].Actor != "romeo" {
		t.Errorf("%v %+v", err, es)
	}
}
