package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Access control lists, as certbot's hooks often set them, say more than owner, group and mode.
func TestUnitUserByACL(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	own := uint32(os.Getgid())
	entry := func(tag, perm uint16, id uint32) (b []byte) {
		return binary.LittleEndian.AppendUint32(
			binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, tag), perm), id)
	}
	set := func(mask uint16) {
		t.Helper()
		acl := binary.LittleEndian.AppendUint32(nil, 2)
		for _, e := range [][]byte{
			entry(1, 6, ^uint32(0)), entry(aclUser, 4, 4711), entry(aclOwnGroup, 0, ^uint32(0)),
			entry(aclGroup, 4, 4712), entry(aclMask, mask, ^uint32(0)), entry(aclOther, 0, ^uint32(0)),
		} {
			acl = append(acl, e...)
		}
		if err := syscall.Setxattr(name, "system.posix_acl_access", acl, 0); err != nil {
			t.Skip("no access control lists here: ", err)
		}
	}
	may := func(u unitUser, want bool) {
		t.Helper()
		if ok, err := u.has(name, toRead); ok != want || err != nil {
			t.Errorf("%+v: %v %v", u, ok, err)
		}
	}
	set(4)
	may(unitUser{uid: 4711}, true)
	may(unitUser{uid: 4713, gids: []uint32{4712}}, true)
	may(unitUser{uid: 4713, gids: []uint32{own}}, false)
	may(unitUser{uid: 4713}, false)
	set(0)
	may(unitUser{uid: 4711}, false)
	may(unitUser{uid: 4713, gids: []uint32{4712}}, false)
}
