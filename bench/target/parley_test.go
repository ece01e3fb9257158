package target

import (
	"context"
	"path/filepath"
	"testing"

	"parley/auth"
	"parley/store/sqlstore"
)

func TestParleyAccounts(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "parley.db")
	if err := parleyAccounts(context.Background(), dsn, 3); err != nil {
		t.Fatal(err)
	}
	st, err := sqlstore.Open(context.Background(), dsn, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	u, err := st.User(context.Background(), Domain, User(2))
	if err != nil {
		t.Fatal(err)
	}
	var k auth.Keys
	if err := k.UnmarshalBinary(u.Keys); err != nil || !k.Verify(password) {
		t.Errorf("the password of %s is not known: %v", JID(2), err)
	}
}
