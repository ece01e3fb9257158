package main

import (
	"encoding/binary"
	"slices"
	"syscall"
)

// Tags of the entries of an access control list (acl(5)), as Linux keeps it.
const (
	aclUser     = 0x02
	aclOwnGroup = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20
)

// byACL applies the access control list of a file that the user does not own; known is false if the file has none.
func (u unitUser) byACL(name string, owner, right uint32) (granted, known bool) {
	b := make([]byte, 64<<10)
	n, err := syscall.Getxattr(name, "system.posix_acl_access", b)
	if err != nil || n < 4 {
		return false, false
	}
	mask, inGroup, byGroup, other := uint32(7), false, false, uint32(0)
	user, named := uint32(0), false
	for e := b[4:n]; len(e) >= 8; e = e[8:] {
		tag, perm, id := binary.LittleEndian.Uint16(e), uint32(binary.LittleEndian.Uint16(e[2:])),
			binary.LittleEndian.Uint32(e[4:])
		switch {
		case tag == aclUser && id == u.uid:
			user, named = perm, true
		case tag == aclMask:
			mask = perm
		case tag == aclOther:
			other = perm
		case tag == aclOwnGroup && slices.Contains(u.gids, owner), tag == aclGroup && slices.Contains(u.gids, id):
			inGroup, byGroup = true, byGroup || perm&right != 0
		}
	}
	switch {
	case named:
		return user&mask&right != 0, true
	case inGroup:
		return byGroup && mask&right != 0, true
	}
	return other&right != 0, true
}
